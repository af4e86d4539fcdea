//! Renderers: terminal, JSON, JUnit, TAP, packet comments. They see only the
//! finished report and print nothing themselves.

pub mod class;
pub mod comments;
pub mod csv;
pub mod diagnostic;
mod explain;
pub mod follow;
pub mod html;
pub mod json;
pub mod junit;
pub mod pages;
pub mod tap;
pub mod terminal;
pub mod text;
pub mod wireshark;
