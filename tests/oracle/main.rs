//! Oracle tests: what Wireshark says of a capture, compared with what we say.

mod analysis;
mod conversation;
mod corpus;
mod decode_corpus;
mod decode_fields;
mod decode_layers;
mod fields;
mod filter;
mod http;
mod names_and_hellos;

mod savefile;
mod simulated;
mod traffic;
mod tshark;
