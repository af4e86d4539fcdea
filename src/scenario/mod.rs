//! The scenario file: model, parsing, catalogue. Reads text; runs nothing, and
//! leaves the statements of `[expect]` to `expect`.

mod model;

pub use model::*;
