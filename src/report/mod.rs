//! The report: the serde model of the JSON and its builder. A rendering of the
//! Trace and the outcomes; decides nothing.

mod build;
mod comments;
mod conversation;
mod http;
mod model;
mod packet;
mod packets;
mod schema;
mod stable;
#[cfg(test)]
mod tests;

pub use build::Options;
pub use conversation::*;
pub use model::*;
pub use packet::*;
pub use schema::schema;
