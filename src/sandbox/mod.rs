//! A private network for each run: namespaces, programs, readiness, quiescence.
//! Decides nothing about packets.
