//! Who stands in the ladder: one lane for each role, one for `nobody`, and one
//! for each socket whose owner is not known.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use crate::report::{Packet, Port, Report};

/// A vertical line of the ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    pub name: String,
    /// Address and port, as far as the lane has only one.
    pub place: String,
    /// Only the port: for narrow terminals.
    pub short_place: String,
}

/// The lanes in their order from the left, and the two of each packet.
#[derive(Clone, Debug, Default)]
pub struct Lanes {
    pub lanes: Vec<Lane>,
    /// Same index as the packets.
    pub of: Vec<(Option<usize>, Option<usize>)>,
}

/// One end of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    role: Option<String>,
    address: Option<IpAddr>,
    port: Option<Port>,
}

impl End {
    /// Whose lane it is; None where the packet does not say.
    pub fn name(&self) -> Option<String> {
        self.role.clone().or_else(|| self.socket())
    }

    /// `nobody:12000`: name and port, for lists.
    pub fn long_name(&self) -> Option<String> {
        match (&self.role, &self.port) {
            (Some(role), Some(Port::Number(port))) => Some(format!("{role}:{port}")),
            (Some(role), _) => Some(role.clone()),
            (None, _) => self.socket(),
        }
    }

    fn socket(&self) -> Option<String> {
        let address = self.address?;
        Some(match &self.port {
            Some(port) => socket(address, port),
            None => address.to_string(),
        })
    }
}

fn socket(address: IpAddr, port: &Port) -> String {
    match address {
        IpAddr::V4(address) => format!("{address}:{port}"),
        IpAddr::V6(address) => format!("[{address}]:{port}"),
    }
}

/// The two ends of a packet; of an ICMP error those of the packet it quotes,
/// reversed.
pub fn ends(packet: &Packet<'_>) -> (End, End) {
    let (addresses, ports) = quoted_ends(packet).unwrap_or_else(|| own_ends(packet));
    let end = |role: Option<&str>, address: Option<IpAddr>, port: Option<Port>| End {
        role: role.map(str::to_owned),
        address,
        port,
    };
    let (src, dst) = addresses.unzip();
    let (srcport, dstport) = ports.unzip();
    (
        end(packet.from.as_deref(), src, srcport),
        end(packet.to.as_deref(), dst, dstport),
    )
}

type Ends = (Option<(IpAddr, IpAddr)>, Option<(Port, Port)>);

fn own_ends(packet: &Packet<'_>) -> Ends {
    let v4 = packet.ip.as_ref().map(|ip| (ip.src.into(), ip.dst.into()));
    let v6 = || {
        packet
            .ipv6
            .as_ref()
            .map(|ip| (ip.src.into(), ip.dst.into()))
    };
    let tcp = packet
        .tcp
        .as_ref()
        .map(|t| (t.srcport.clone(), t.dstport.clone()));
    let udp = || {
        packet
            .udp
            .as_ref()
            .map(|u| (u.srcport.clone(), u.dstport.clone()))
    };
    (v4.or_else(v6), tcp.or_else(udp))
}

fn quoted_ends(packet: &Packet<'_>) -> Option<Ends> {
    let icmp = packet.icmp.as_ref().or(packet.icmpv6.as_ref())?;
    let quoted = icmp.quoted.as_ref()?;
    let ip = quoted.ip.as_ref().or(quoted.ipv6.as_ref())?;
    let tcp = quoted
        .tcp
        .as_ref()
        .map(|t| (t.dstport.clone(), t.srcport.clone()));
    let udp = || {
        quoted
            .udp
            .as_ref()
            .map(|u| (u.dstport.clone(), u.srcport.clone()))
    };
    Some((Some((ip.dst, ip.src)), tcp.or_else(udp)))
}

/// With this many lanes none is added for a program without packets.
const MOST_LANES: usize = 4;

/// What is known of a lane while packets are walked.
#[derive(Default)]
struct Found {
    sockets: BTreeSet<(Option<IpAddr>, Option<String>)>,
    /// It opened a conversation.
    is_client: bool,
    first_seen: usize,
}

/// The lanes of these packets of the report: clients first, `nobody` last, else in
/// the order of their first packets.
pub fn lanes(report: &Report, packets: &[Packet<'_>]) -> Lanes {
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    let mut opened: BTreeSet<usize> = BTreeSet::new();
    let mut named = Vec::with_capacity(packets.len());
    for packet in packets {
        let (from, to) = ends(packet);
        let opens = packet.conversation.is_some_and(|c| opened.insert(c));
        for (end, is_client) in [(&from, opens), (&to, false)] {
            let Some(name) = end.name() else { continue };
            let first_seen = found.len();
            let lane = found.entry(name).or_insert_with(|| Found {
                first_seen,
                ..Found::default()
            });
            lane.is_client |= is_client;
            let port = end.port.as_ref().map(Port::to_string);
            if lane.sockets.len() < 3 {
                lane.sockets.insert((end.address, port));
            }
        }
        named.push((from.name(), to.name()));
    }
    if !found.is_empty() {
        idle(report, &mut found);
    }
    let mut order: Vec<(String, Found)> = found.into_iter().collect();
    order.sort_by_key(|(name, lane)| (name == "nobody", !lane.is_client, lane.first_seen));
    let index: HashMap<&String, usize> = order.iter().map(|(n, _)| n).zip(0..).collect();
    let at = |name: &Option<String>| name.as_ref().and_then(|n| index.get(n).copied());
    let of = named.iter().map(|(from, to)| (at(from), at(to))).collect();
    let lanes = order.iter().map(|(name, lane)| shown(name, lane)).collect();
    Lanes { lanes, of }
}

/// A program that had a socket and saw no packet gets its lane too: that is
/// what a wrong port looks like.
fn idle(report: &Report, found: &mut BTreeMap<String, Found>) {
    for program in &report.programs {
        let sockets: BTreeSet<_> = program
            .sockets
            .iter()
            .take(3)
            .map(|s| &s.local)
            .filter(|local| local.port != Port::Number(0))
            .map(|local| {
                let address = Some(local.address).filter(|a| !a.is_unspecified());
                (address, Some(local.port.to_string()))
            })
            .collect();
        if sockets.is_empty() || found.contains_key(&program.role) || found.len() >= MOST_LANES {
            continue;
        }
        let lane = Found {
            sockets,
            is_client: false,
            first_seen: found.len(),
        };
        found.insert(program.role.clone(), lane);
    }
}

fn shown(name: &str, found: &Found) -> Lane {
    let ports: BTreeSet<&String> = found.sockets.iter().filter_map(|s| s.1.as_ref()).collect();
    let addresses: BTreeSet<IpAddr> = found.sockets.iter().filter_map(|s| s.0).collect();
    let one_port = ports.first().filter(|_| ports.len() == 1);
    let one_address = addresses.first().filter(|_| addresses.len() == 1);
    let port_name = |port: &&&String| Port::Name((**port).clone());
    let place = match (one_address, one_port.as_ref().map(port_name)) {
        (Some(address), Some(port)) => socket(*address, &port),
        (Some(address), None) => address.to_string(),
        (None, Some(port)) if addresses.is_empty() => format!(":{port}"),
        (None, _) => String::new(),
    };
    Lane {
        name: name.to_owned(),
        // A lane without a role is called by its socket already.
        place: if place == name { String::new() } else { place },
        short_place: one_port.map_or_else(String::new, |port| format!(":{port}")),
    }
}
