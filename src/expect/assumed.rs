//! Who is taken for `server` in a capture that does not tell, said as `check` is
//! told it: `--role server=10.0.0.1:80`.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::trace::{self, RoleAt, Trace};

/// The roles by which the capture means the same as without them; none where it is
/// clear without. Who is no server is a client.
pub fn assumed_roles(trace: &Trace) -> Vec<RoleAt> {
    if trace::ambiguity(trace).is_none() {
        return Vec::new();
    }
    let clients: BTreeSet<IpAddr> = trace.conversations.iter().map(|c| c.client.ip()).collect();
    let servers: BTreeSet<(IpAddr, Option<u16>)> = trace
        .conversations
        .iter()
        .map(|c| {
            let address = c.server.ip();
            // Of an address that asks as well, the port tells which end it is.
            let port = clients.contains(&address).then_some(c.server.port());
            (address, port)
        })
        .collect();
    servers
        .into_iter()
        .map(|(address, port)| RoleAt {
            role: "server".to_owned(),
            address: Some(address),
            port,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::draft;
    use super::super::testing::lab::upper;
    use super::super::testing::{CLIENT, NOBODY, SERVER, ToClient, ToServer, Wire};
    use super::*;
    use crate::conversation::{Group, UdpFacts};

    /// A connection that began before the capture.
    fn middle() -> Trace {
        let mut wire = Wire::new();
        let c = wire.tcp(CLIENT, (SERVER, 12000));
        wire.data(c, ToServer, b"hello");
        wire.data(c, ToClient, b"HELLO");
        let mut trace = wire.reread().trace;
        trace.recording = None;
        trace.with_roles(&[])
    }

    #[test]
    fn a_capture_that_tells_needs_no_roles() {
        assert_eq!(assumed_roles(&upper().reread().trace), []);
    }

    #[test]
    fn with_the_roles_that_are_assumed_a_draft_is_the_same() {
        let roles = assumed_roles(&middle());
        assert_eq!(roles.len(), 1, "{roles:?}");
        let named = middle().with_roles(&roles);
        assert_eq!(draft(&[named], &[]), draft(&[middle()], &[]));
    }

    /// What was said to a subnet's broadcast address makes nobody a second server.
    #[test]
    fn who_is_spoken_to_among_many_is_no_server() {
        let mut wire = Wire::new();
        let c = wire.tcp(CLIENT, (SERVER, 80));
        wire.handshake(c);
        let many = wire.udp(CLIENT, (NOBODY, 137));
        wire.datagram(many, ToServer, b"who?");
        let mut trace = wire.trace;
        trace.recording = None;
        assert_eq!(crate::trace::servers(&trace).len(), 2);
        trace.conversations[many].udp = Some(UdpFacts {
            group: Some(Group::Broadcast),
            ..UdpFacts::default()
        });
        assert_eq!(crate::trace::servers(&trace).len(), 1);
    }
}
