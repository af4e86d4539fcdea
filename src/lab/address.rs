//! Where a program listens or connects: a host and a port.

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use super::LabError;

/// An address and a port as the user wrote them: IPv4, IPv6 (with or without
/// brackets) or a host name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub host: String,
    pub port: u16,
}

impl Address {
    #[must_use]
    pub fn new(host: &str, port: u16) -> Self {
        let bare = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(host);
        Self {
            host: bare.to_string(),
            port,
        }
    }

    /// The one address that is used. Of a name with several addresses it is the
    /// first IPv4 address, as for the textbook's `AF_INET` sockets, else the
    /// first of any kind: the other addresses are never tried, so that what is
    /// on the wire does not depend on what a machine's `localhost` lists.
    ///
    /// # Errors
    /// The host is not an address and no such name is known.
    pub fn resolve(&self) -> Result<SocketAddr, LabError> {
        let addresses: Vec<SocketAddr> = (self.host.as_str(), self.port)
            .to_socket_addrs()
            .map_err(|error| LabError::unknown_host(&self.host, &error))?
            .collect();
        addresses
            .iter()
            .find(|address| address.is_ipv4())
            .or(addresses.first())
            .copied()
            .ok_or_else(|| LabError::UnknownHost {
                host: self.host.clone(),
                cause: "the name has no address".to_string(),
            })
    }

    /// As the `Host` field of an HTTP request spells it: port 80 is left out,
    /// an IPv6 address is in brackets.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            _ => self.host.clone(),
        };
        match self.port {
            80 => host,
            port => format!("{host}:{port}"),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} port {}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_not_part_of_an_ipv6_address() {
        let address = Address::new("[::1]", 12000);
        assert_eq!(address.host, "::1");
        assert_eq!(
            address.resolve().unwrap(),
            "[::1]:12000".parse::<SocketAddr>().unwrap()
        );
        assert_eq!(address.to_string(), "::1 port 12000");
    }

    #[test]
    fn the_host_field_has_brackets_and_no_port_80() {
        assert_eq!(Address::new("::1", 12000).authority(), "[::1]:12000");
        assert_eq!(Address::new("127.0.0.1", 80).authority(), "127.0.0.1");
        assert_eq!(Address::new("servername", 81).authority(), "servername:81");
    }

    #[test]
    fn an_unknown_host_is_named() {
        let error = Address::new("no such host", 1).resolve().unwrap_err();
        assert!(error.to_string().contains("\"no such host\""), "{error}");
    }
}
