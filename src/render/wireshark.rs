//! Ports that Wireshark takes for a protocol which a program of a lab does not
//! speak: UDP 12000, say, is decoded as LLC and shown as malformed.

use std::collections::BTreeSet;

use crate::report::{Conversation, Port, Report};
use crate::savefile::Protocol;

/// An option for Wireshark and tshark that corrects the guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DecodeAs {
    pub tcp: bool,
    pub port: u16,
    pub http: bool,
}

impl std::fmt::Display for DecodeAs {
    /// As the option is written: `-d udp.port==12000,data`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let table = if self.tcp { "tcp" } else { "udp" };
        let dissector = if self.http { "http" } else { "data" };
        write!(f, "-d {table}.port=={},{dissector}", self.port)
    }
}

/// What Wireshark must be told to show the report's capture as it is.
pub fn decode_as(report: &Report) -> Vec<DecodeAs> {
    let with_http: BTreeSet<usize> = report.messages.iter().map(|m| m.conversation).collect();
    let mut ports = BTreeSet::new();
    for (index, conversation) in report.conversations.iter().enumerate() {
        if conversation.bytes.to_server + conversation.bytes.to_client > 0 {
            let http = with_http.contains(&index);
            ports.insert(port_pair(conversation, http));
        }
    }
    let misread = |pair: &[Option<DecodeAs>; 2]| {
        let mut ports = pair.iter().flatten();
        ports.find(|d| is_registered(d.tcp, d.port)).copied()
    };
    let options: BTreeSet<DecodeAs> = ports.iter().filter_map(misread).collect();
    options.into_iter().collect()
}

/// Wireshark looks at both ports, whoever owns them.
fn port_pair(conversation: &Conversation, http: bool) -> [Option<DecodeAs>; 2] {
    let tcp = conversation.protocol == Protocol::Tcp;
    let decode_as = |port: &Port| match port {
        Port::Number(port) => Some(DecodeAs {
            tcp,
            port: *port,
            http,
        }),
        Port::Name(_) => None,
    };
    [&conversation.server.port, &conversation.client.port].map(decode_as)
}

fn is_registered(tcp: bool, port: u16) -> bool {
    let table = if tcp { TCP } else { UDP };
    table.split_ascii_whitespace().any(|entry| {
        let (first, last) = entry.split_once('-').unwrap_or((entry, entry));
        let range = first.parse().ok().zip(last.parse().ok());
        range.is_some_and(|(first, last): (u16, u16)| (first..=last).contains(&port))
    })
}

// Ports from 1024 of `tshark -G decodes` (Wireshark 4.0.17), those of HTTP
// left out. A program that uses a lower port means what the port stands for.
const UDP: &str = "\
    1044 1052 1069 1089-1091 1101 1113 1153 1194 1293 1547 1628-1629 1645-1646 1700-1701 \
    1718-1719 1745 1755 1812-1813 1900 1985 2029 2048 2055 2067 2099 2123 2152 2157 2190 \
    2221-2222 2231 2246 2268-2269 2313 2345 2424 2427-2428 2727 2887 2944-2945 2948-2949 \
    2960 3000 3121 3130 3205 3222 3250 3333 3343 3357 3386 3389 3452 3455 3478 3483 3503 \
    3540 3544 3567 3622 3671 3784-3785 3792 3799 3804 3819 3863 3956 4000 4011 4058 \
    4305-4307 4341-4342 4500 4533-4534 4551 4555-4556 4569 4665 4672 4713 4729 4739 4754 \
    4784 4789-4791 4991 5000-5001 5031 5050 5060 5072 5094 5246-5247 5264-5265 5350-5351 \
    5353 5355 5404-5405 5436 5555 5567 5678 5683-5684 5868 6060 6073 6081 6084 6087 6118 \
    6160 6343 6543 6635 6666 6696 6784 6970 7000-7010 7021 7074-7075 7255 7275 7784 8000 \
    8116 8161 8200 8211 8600 8611-8614 8755 8767 8805 8848 9003 9200-9203 9214 9600 9875 \
    9877 9899 9901 9955-9956 9996 9999 10253 10500 11211 11273 11898 12000-12004 12220 \
    12222-12223 13400 13819 13907 13910 17220 17500 17754-17756 18246 19132 19788 19948 \
    19999-20000 20561 22222 23272 24576-24577 25826 26000 27036 27500 27910 27950-27953 \
    27960-27963 30030 32000 32512 34962 34980 37008 41170 44818 45564 47000 47808 49999 \
    54328 56000-56001 56500-56501 57000-57001 57032-57033 57500-57501 57532-57533 \
    59000-59001 59032-59033 59500-59501 59532-59533 60001";

const TCP: &str = "\
    1080 1090 1099 1102 1153 1194 1213 1300 1344 1433 1521 1533 1547 1723 1755 1861 1863 \
    1883 1935 1978-1979 1998 2000-2001 2065 2099 2123 2126 2152 2190 2221 2234 2240 2269 \
    2321-2322 2345 2401 2404 2424 2427 2433 2443 2501-2502 2571 2575 2600 2727 2812 2855 \
    2944-2945 3002-3003 3006 3014 3016-3019 3050 3205 3245-3252 3268 3288 3306 3333-3334 \
    3357 3369 3386 3389 3452 3478 3496 3567 3632 3671 3724 3804 3860 3863 3868 3918 4002 \
    4058 4155 4189 4222-4224 4249-4250 4321 4342 4369 4420 4551 4555-4556 4661-4663 4712 \
    4730 4737 4739 4788 4840 4880 5000 5010 5060-5061 5066 5084 5094 5190 5222 5253 5353 \
    5432 5445 5500-5501 5534 5555 5671-5672 5683-5684 5701 5721 5868 5900-5901 5997 \
    6000-6063 6068 6075 6084 6121 6160 6346 6379 6417 6653 6666-6668 6881-6889 7000 7075 \
    7171-7172 7236 7275-7276 7871 7890 7900 7911 7930 8004 8009-8010 8023 8074 8085 8554 \
    8567 8883 9000 9009 9042 9092 9168 9300 9418 9600 9955-9956 9999-10000 10288 11207 \
    11210-11211 13400 13819 14001 15740 17500 17755-17756 19006 19042-19043 19506 19543 \
    19999-20000 20256 21064 22222 24800 27017 29418 30000-30200 34980 44321-44322 44818 \
    48049 48898 57000";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labs_own_udp_port_is_taken_for_llc() {
        assert!(is_registered(false, 12000));
        assert!(is_registered(false, 12003));
        assert!(!is_registered(true, 12000));
        assert!(!is_registered(false, 12005));
    }

    #[test]
    fn http_is_left_where_wireshark_expects_it() {
        assert!(!is_registered(true, 8080));
        assert!(is_registered(true, 5000));
    }

    #[test]
    fn the_option_is_written_as_tshark_takes_it() {
        let option = DecodeAs {
            tcp: false,
            port: 12000,
            http: false,
        };
        assert_eq!(option.to_string(), "-d udp.port==12000,data");
    }
}
