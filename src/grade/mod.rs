//! Grading a class: what a suite asks for, what each submission came to, and how
//! verdicts become points. Reads text and counts; runs nothing, and decides no
//! verdict: that is `expect`'s.

mod key;
mod model;
mod parse;
mod score;
pub mod student;
mod suite;

pub use key::{file_name, keys};
pub use model::*;
pub use parse::parse;
pub use score::case_result;
pub use suite::*;
