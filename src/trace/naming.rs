//! Roles by address, for captures that do not tell which program owned what:
//! given by the user, or looked for in what the capture shows.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use super::{Ends, Owner, Trace, owners};
use crate::conversation::{Close, Conversation, Group};
use crate::savefile::Protocol;

/// `client=127.0.0.1:40000`, `server=:12000`, `server=[::1]:80`, `client=10.0.0.5`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleAt {
    pub role: String,
    /// None: any address.
    pub address: Option<IpAddr>,
    /// None: any port.
    pub port: Option<u16>,
}

impl RoleAt {
    /// Does any packet come from there or go there?
    pub fn is_in(&self, trace: &Trace) -> bool {
        let mut conversations = trace.conversations.iter();
        let mut nets = trace
            .packets
            .iter()
            .filter_map(|packet| packet.net.as_ref());
        // Without a port it is an address, whatever it speaks.
        let of_address = |address: IpAddr| self.covers(SocketAddr::new(address, 0));
        conversations.any(|c| self.covers(c.client) || self.covers(c.server))
            || nets.any(|net| of_address(net.src()) || of_address(net.dst()))
    }

    /// `[fd00::1]:12000`, where the address is written `fd00::1:12000`.
    pub fn meant(&self) -> Option<String> {
        let address = self.address.filter(IpAddr::is_ipv6)?.to_string();
        let (address, port) = address.rsplit_once(':').filter(|_| self.port.is_none())?;
        let port: u16 = port.parse().ok()?;
        let whole: IpAddr = address.parse().ok()?;
        Some(format!("{}={}", self.role, SocketAddr::new(whole, port)))
    }

    pub(super) fn covers(&self, end: SocketAddr) -> bool {
        self.address
            .is_none_or(|address| address.to_canonical() == end.ip().to_canonical())
            && self.port.is_none_or(|port| port == end.port())
    }
}

impl Display for RoleAt {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.address, self.port) {
            (Some(address), Some(port)) => write!(f, "{}", SocketAddr::new(address, port)),
            (Some(address), None) => write!(f, "{address}"),
            (None, Some(port)) => write!(f, ":{port}"),
            (None, None) => Ok(()),
        }
    }
}

impl FromStr for RoleAt {
    type Err = String;

    fn from_str(text: &str) -> Result<RoleAt, String> {
        const FORM: &str = "write ROLE=ADDRESS:PORT, ROLE=ADDRESS or ROLE=:PORT";
        let (role, end) = text
            .split_once('=')
            .ok_or_else(|| format!("there is no `=` in it; {FORM}"))?;
        if role.is_empty() {
            return Err(format!("there is no role before the `=`; {FORM}"));
        }
        // `[::1]`, as it is written before a port.
        let bare = end
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let (address, port) = match bare.unwrap_or(end).parse::<IpAddr>() {
            Ok(address) => (Some(address), None),
            Err(_) => {
                let (address, port) = end
                    .rsplit_once(':')
                    .ok_or_else(|| format!("`{end}` is no address; {FORM}"))?;
                let port = port
                    .parse()
                    .map_err(|_| format!("`{port}` is no port; {FORM}"))?;
                let address = address
                    .strip_prefix('[')
                    .and_then(|rest| rest.strip_suffix(']'))
                    .unwrap_or(address);
                let address = match address {
                    "" => None,
                    text => Some(
                        text.parse()
                            .map_err(|_| format!("`{text}` is no IP address; {FORM}"))?,
                    ),
                };
                (address, Some(port))
            }
        };
        Ok(RoleAt {
            role: role.to_owned(),
            address,
            port,
        })
    }
}

/// What keeps `client` and `server` from meaning one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ambiguity {
    /// Several servers, with the packets of each; most packets first.
    Servers(Vec<(Protocol, SocketAddr, u64)>),
    /// A connection of which no SYN was captured: nobody saw who opened it.
    Started(SocketAddr, SocketAddr),
}

/// Why the capture alone does not tell who is meant by `client` and `server`.
/// None where it does, or where a recording tells.
pub fn ambiguity(trace: &Trace) -> Option<Ambiguity> {
    let recorded = trace.recording.as_ref();
    if recorded.is_some_and(|recording| !recording.programs.is_empty()) {
        return None;
    }
    let answered = |conversation: &Conversation| {
        let ends = trace.ends.get(conversation.first_packet);
        ends.is_none_or(|ends| ends.to != Owner::Nobody && ends.from != Owner::Nobody)
    };
    let servers = of_conversations(trace, answered);
    if servers.len() > 1 {
        return Some(Ambiguity::Servers(servers));
    }
    let mut conversations = trace.conversations.iter();
    let started = conversations.find(|c| c.tcp.as_ref().is_some_and(|tcp| tcp.started_before));
    started.map(|c| Ambiguity::Started(c.client, c.server))
}

/// Is it sure who the ends of a conversation are, though packets of it may be
/// missing? Who opened a TCP connection, its SYN or SYN,ACK tells; who spoke first, or
/// refused, may be another.
pub fn is_told(trace: &Trace, conversation: &Conversation) -> bool {
    let recorded = trace.recording.as_ref();
    let given = |end| trace.named.iter().any(|name| name.covers(end));
    let opened = conversation.tcp.as_ref();
    recorded.is_some_and(|recording| !recording.programs.is_empty())
        || (given(conversation.client) && given(conversation.server))
        || opened.is_some_and(|tcp| !tcp.started_before && tcp.close != Close::Refused)
}

/// Has the role no end for the sake of roles that were given by address? What it did
/// not do would prove nothing.
pub fn is_displaced(trace: &Trace, role: &str) -> bool {
    let Some(index) = trace.roles.iter().position(|known| known == role) else {
        return false;
    };
    let has_any = |ends: &[Ends]| {
        let mut owners = ends.iter().flat_map(|ends| [ends.from, ends.to]);
        owners.any(|owner| owner == Owner::Role(index))
    };
    if trace.named.is_empty() || has_any(&trace.ends) {
        return false;
    }
    let mut given = trace.named.iter().filter(|name| name.role == role);
    match given.clone().next() {
        Some(_) => given.any(|name| {
            let mut conversations = trace.conversations.iter();
            conversations.any(|c| name.covers(c.client) || name.covers(c.server))
        }),
        None => has_any(&owners::ends(trace, &[])),
    }
}

/// Who was asked for something, there or not, with the packets of each; most
/// packets first.
pub fn servers(trace: &Trace) -> Vec<(Protocol, SocketAddr, u64)> {
    of_conversations(trace, |_| true)
}

/// Who asked for something, with the packets of each; most packets first.
pub fn clients(trace: &Trace) -> Vec<(Protocol, SocketAddr, u64)> {
    ends_of_conversations(trace, |_| true, |conversation| conversation.client)
}

/// The servers of some conversations.
fn of_conversations(
    trace: &Trace,
    counts: impl Fn(&Conversation) -> bool,
) -> Vec<(Protocol, SocketAddr, u64)> {
    // What was said to many is asked of nobody.
    let is_group = |conversation: &Conversation| {
        let by_frame = conversation.udp.as_ref().and_then(|udp| udp.group);
        Group::of_address(conversation.server.ip())
            .or(by_frame)
            .is_some()
    };
    ends_of_conversations(
        trace,
        |conversation| counts(conversation) && !is_group(conversation),
        |conversation| conversation.server,
    )
}

/// One end each of some conversations.
fn ends_of_conversations(
    trace: &Trace,
    counts: impl Fn(&Conversation) -> bool,
    end: impl Fn(&Conversation) -> SocketAddr,
) -> Vec<(Protocol, SocketAddr, u64)> {
    let mut ends: BTreeMap<(&str, SocketAddr), (Protocol, u64)> = BTreeMap::new();
    for conversation in trace.conversations.iter().filter(|c| counts(c)) {
        let name = match conversation.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        let packets = conversation.packets.to_server + conversation.packets.to_client;
        ends.entry((name, end(conversation)))
            .or_insert((conversation.protocol, 0))
            .1 += packets;
    }
    let mut found: Vec<_> = ends
        .into_iter()
        .map(|((_, end), (protocol, packets))| (protocol, end, packets))
        .collect();
    found.sort_by_key(|(_, _, packets)| std::cmp::Reverse(*packets));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_named_by_address_port_or_both() {
        let read = |text: &str| text.parse::<RoleAt>();
        let role = |address: Option<&str>, port| RoleAt {
            role: "client".to_owned(),
            address: address.map(|a| a.parse().unwrap()),
            port,
        };
        assert_eq!(
            read("client=127.0.0.1:40000"),
            Ok(role(Some("127.0.0.1"), Some(40000)))
        );
        assert_eq!(read("client=:80"), Ok(role(None, Some(80))));
        assert_eq!(read("client=10.0.0.5"), Ok(role(Some("10.0.0.5"), None)));
        assert_eq!(read("client=::1"), Ok(role(Some("::1"), None)));
        assert_eq!(read("client=[::1]"), Ok(role(Some("::1"), None)));
        assert_eq!(read("client=[::1]:80"), Ok(role(Some("::1"), Some(80))));
        for wrong in ["client", "=1.2.3.4", "c=1.2.3", "c=:70000", "c=x:80"] {
            let told = read(wrong).unwrap_err();
            assert!(told.contains("write ROLE="), "{wrong}: {told}");
        }
    }

    #[test]
    fn an_end_is_covered_by_what_is_given() {
        let covers = |role: &str, end: &str| {
            let role: RoleAt = role.parse().unwrap();
            role.covers(end.parse().unwrap())
        };
        assert!(covers("s=:80", "10.0.0.1:80"));
        assert!(!covers("s=:80", "10.0.0.1:81"));
        assert!(covers("s=10.0.0.1", "10.0.0.1:81"));
        assert!(covers("s=10.0.0.1:81", "[::ffff:10.0.0.1]:81"));
        assert!(!covers("s=10.0.0.1", "10.0.0.2:81"));
    }
}
