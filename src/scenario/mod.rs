//! The scenario file: model, parsing, catalogue. Reads text; runs nothing, and
//! leaves the statements of `[expect]` to `expect`.

mod catalogue;
pub mod codes;
mod command;
mod expectation;
mod layout;
mod model;
mod network;
mod order;
mod parse;
mod program;
pub(crate) mod reader;
mod schema;
mod strings;
mod syntax;
mod words;

pub use catalogue::{BUILTIN, builtin, builtin_file, catalogue};
pub(crate) use expectation::{VISIBILITY, points};
pub use layout::layout;
pub use model::*;
pub use network::is_host_name;
/// The name of a source that no file holds: what `exec` makes of its command
/// line.
pub const COMMAND_LINE: &str = "exec";

pub use parse::{DEFAULT_TIMEOUT, MAX_BYTES, parse, read};
pub use program::role_fault;
pub use schema::schema;
pub use words::{Wrong, bytes as parse_bytes, duration as parse_duration, split_command};
