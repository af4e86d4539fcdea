//! The report: the serde model of the JSON and its builder. A rendering of the
//! Trace and the outcomes; decides nothing. It holds the Trace whose packets it
//! shows, and makes each of them when it is asked for.

mod build;
mod comments;
mod conversation;
mod glance;
mod http;
mod layers;
mod listing;
mod lookup;
mod model;
mod owned;
mod packet;
mod packets;
mod said;
mod schema;
mod spelled;
mod stable;
mod summary;
#[cfg(test)]
mod tests;

pub use build::{Options, conversation};
pub use conversation::*;
pub use glance::Counts;
pub use http::message;
pub use layers::*;
pub use listing::Packets;
pub use lookup::*;
pub use model::*;
pub use packet::*;
pub use said::{HTTP, Said, and_more, answer, said};
pub use schema::schema;
pub use spelled::{FlagLetters, Hex, Mac, Seconds};
pub use summary::*;
