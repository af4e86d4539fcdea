//! Tests of the command line: what it writes, and its exit codes.

mod broken_labs;
mod check;
mod diagnostics;
mod draft;
mod editor;
mod expectation_docs;
mod grammar;
mod hostile;
mod inspect;
mod layout;
#[cfg(target_os = "linux")]
mod memory;
mod scenario_catalogue;
mod scenario_docs;
mod scenario_mistakes;
