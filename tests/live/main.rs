//! Tests that run real programs and look at what they did.

#![cfg(target_os = "linux")]

mod contain;
mod draft;
mod exec;
mod found;
mod grade;
mod hostile;
mod lab_script;
mod lab_sentences;
mod lab_web;
mod own;
mod programs;
mod readme;
mod record;
mod reference;
mod soak;
mod students;
