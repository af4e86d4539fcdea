//! What a page asks of a capture, and the answers: rows of the packet list, the
//! tree of one packet, filters, streams, plots, statements judged on the spot.
//! Every answer is a value that is written as JSON. Pure; knows nothing of HTML.
//!
//! The page runs this, compiled to WebAssembly, so its filter box means what
//! `-Y` means.

mod complete;
mod desk;
mod open;
mod row;
mod series;
mod statement;
mod stream;
pub mod tree;

pub use complete::{Candidate, complete};
pub use desk::Desk;
pub use open::{Capture, Judged, Mistake};
pub use row::{Row, row};
pub use series::{Point, Series, series};
pub use statement::statement;
pub use stream::{Chunk, Stream, stream};
