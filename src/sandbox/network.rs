//! The private loopback: up, with its addresses, with the kernel parameters
//! that shape packets pinned, and with its own packet counter.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::IpAddr;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::error::{EnvironmentError, Step, at};
use super::netlink::Netlink;

/// `lo` is the first interface of every network namespace.
const LOOPBACK: u32 = 1;

/// What shapes packets, pinned so that kernels and distributions agree. The
/// values are Linux 6.18's defaults where nothing else is said.
///
/// A parameter that this kernel does not have is left out: it then has no
/// effect to pin.
const PINNED: &[(&str, &str)] = &[
    // Programs may use ports below 1024, as in the lab's web server on 80.
    ("net.ipv4.ip_unprivileged_port_start", "0"),
    ("net.ipv4.ip_local_port_range", "32768 60999"),
    ("net.ipv4.tcp_syn_retries", "6"),
    ("net.ipv4.tcp_syn_linear_timeouts", "4"),
    ("net.ipv4.tcp_synack_retries", "5"),
    ("net.ipv4.tcp_timestamps", "1"),
    ("net.ipv4.tcp_window_scaling", "1"),
    ("net.ipv4.tcp_sack", "1"),
    ("net.ipv4.tcp_ecn", "2"),
    ("net.ipv4.tcp_fastopen", "1"),
    // The one that every kernel has and lets every network choose.
    ("net.ipv4.tcp_congestion_control", "reno"),
    // Nothing is lost here, so that TCP sends again only what was delayed: where
    // the machine stood still for longer than its timer. That is not the program's
    // doing, and made rarer: a second at least, as RFC 6298 §2.4 has it, instead of
    // Linux's 200 ms (since 6.11; before, it is no network's own), and no tail loss
    // probe, which may come after a few milliseconds.
    ("net.ipv4.tcp_rto_min_us", "1000000"),
    ("net.ipv4.tcp_early_retrans", "0"),
    ("net.ipv4.tcp_fin_timeout", "60"),
    ("net.ipv4.tcp_abort_on_overflow", "0"),
    ("net.ipv4.tcp_autocorking", "1"),
    ("net.ipv4.ip_default_ttl", "64"),
    // Loopback answers every wrong datagram: no rate limit on ICMP errors.
    ("net.ipv4.icmp_ratelimit", "0"),
    ("net.ipv6.icmp.ratelimit", "0"),
    // Sockets are plain TCP on the wire, also of programs that prefer MPTCP.
    ("net.mptcp.enabled", "0"),
    ("net.ipv6.conf.all.disable_ipv6", "0"),
    ("net.ipv6.conf.lo.disable_ipv6", "0"),
    // Further addresses on lo are usable at once.
    ("net.ipv6.conf.lo.accept_dad", "0"),
];

/// The loopback interface of the calling process's network.
pub struct Loopback {
    netlink: Netlink,
}

impl Loopback {
    pub fn open() -> Result<Loopback, EnvironmentError> {
        let netlink = Netlink::open(NETLINK_ROUTE).map_err(at(Step::Loopback))?;
        Ok(Loopback { netlink })
    }

    pub fn bring_up(&mut self) -> Result<(), EnvironmentError> {
        let mut link = LinkMessage::default();
        link.header.index = LOOPBACK;
        link.header.flags = LinkFlags::Up;
        link.header.change_mask = LinkFlags::Up;
        self.netlink
            .request(RouteNetlinkMessage::SetLink(link), 0, |_| {})
            .map_err(at(Step::Loopback))
    }

    /// Adds an address, for programs with a hard-coded one.
    pub fn add_address(&mut self, address: IpAddr) -> Result<(), EnvironmentError> {
        if address.is_loopback() {
            // 127.0.0.0/8 and ::1 are there already.
            return Ok(());
        }
        let mut message = AddressMessage::default();
        message.header.index = LOOPBACK;
        (message.header.family, message.header.prefix_len) = match address {
            IpAddr::V4(_) => (AddressFamily::Inet, 32),
            IpAddr::V6(_) => (AddressFamily::Inet6, 128),
        };
        message.attributes.push(AddressAttribute::Local(address));
        message.attributes.push(AddressAttribute::Address(address));
        let flags = NLM_F_CREATE | NLM_F_EXCL;
        match self
            .netlink
            .request(RouteNetlinkMessage::NewAddress(message), flags, |_| {})
        {
            Err(error) if error.raw_os_error() == Some(libc::EEXIST) => Ok(()),
            other => other.map_err(|e| {
                let mut error = EnvironmentError::new(Step::Addresses, &e);
                error.cause = format!("{address}: {}", error.cause);
                error
            }),
        }
    }

    /// Packets that the interface has received since it exists.
    pub fn received(&mut self) -> io::Result<u64> {
        let mut link = LinkMessage::default();
        link.header.index = LOOPBACK;
        let mut received = None;
        self.netlink
            .request(RouteNetlinkMessage::GetLink(link), 0, |answer| {
                if let RouteNetlinkMessage::NewLink(link) = answer {
                    for attribute in &link.attributes {
                        if let LinkAttribute::Stats64(stats) = attribute {
                            received = Some(stats.rx_packets);
                        }
                    }
                }
            })?;
        received.ok_or_else(|| io::Error::other("the kernel gave no interface counters"))
    }
}

/// Sets the pinned parameters, then the scenario's own, which win.
pub fn set_parameters(own: &BTreeMap<String, String>) -> Result<(), EnvironmentError> {
    for (key, value) in PINNED {
        match set_parameter(key, value) {
            // A kernel without the parameter, or without its feature.
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::InvalidInput
                ) => {}
            Err(e) if e.raw_os_error() == Some(libc::ENOTDIR) => {}
            other => other.map_err(|e| parameter_error(key, &e))?,
        }
    }
    for (key, value) in own {
        set_parameter(key, value).map_err(|e| parameter_error(key, &e))?;
    }
    Ok(())
}

/// First and last port that the kernel chooses from where a program names none.
pub(super) fn ephemeral_ports() -> Option<(u16, u16)> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut words = text.split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

fn set_parameter(key: &str, value: &str) -> io::Result<()> {
    // Opened for writing only, so that nothing is created where it is missing.
    let path = format!("/proc/sys/{}", key.replace('.', "/"));
    let mut file = fs::OpenOptions::new().write(true).open(path)?;
    io::Write::write_all(&mut file, value.as_bytes())
}

fn parameter_error(key: &str, error: &io::Error) -> EnvironmentError {
    let mut wrapped = EnvironmentError::new(Step::Sysctl, error);
    wrapped.cause = format!("{key}: {}", wrapped.cause);
    wrapped
}
