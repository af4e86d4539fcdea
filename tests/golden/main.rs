//! Renderings and reference captures, pinned: what a reader sees, and what the
//! catalogue judges, must change only on purpose.

mod corpus;
mod evidence;
mod inspect;
mod mutations;
mod reference;
mod renderings;
mod samples;
mod threads;
mod view;
