//! The textbook's web pair, grown up: a server for GET and HEAD and a client
//! that fetches one path.
//!
//! **Who closes first** does not depend on timing: it is the server. The client
//! asks for `Connection: close`, reads the answer and then up to the server's
//! FIN, and closes after it. The server sends its FIN after the last answer and
//! reads up to the client's (for five seconds at most) before it closes the
//! socket, so no unread byte makes a kernel send RST.
//!
//! The server sends no `Date`: two runs of one scenario give the same bytes.

mod chunked;
mod client;
mod connection;
mod request;
mod response;
mod server;
mod site;
mod target;

pub use client::get;
pub use server::{Settings, serve};
pub use site::Site;
