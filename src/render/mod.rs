//! Renderers: terminal, JSON, JUnit, TAP, packet comments. They see only the
//! finished report and print nothing themselves.

pub mod diagnostic;
