//! The frames of a capture file, or one frame of a link type that the first two
//! bytes name: decoded, put together, looked at from all sides.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netlab_capture::decode::{
    ArpParty, Defragmenter, FragmentLimits, Layers, Link, Net, Packet, Transport, Trouble,
    checksum_status, datagram_hash, decode, header_checksum_status,
};
use netlab_capture::savefile::{Frame, Reader, Timestamp};

/// What puts fragments together: as `inspect` does, as `check` does, which notes why they
/// did not come to a datagram, and where hardly any may wait.
fn defragmenters() -> [Defragmenter; 3] {
    let tight = FragmentLimits {
        bytes: 200,
        datagrams: 2,
        ..FragmentLimits::default()
    };
    [
        Defragmenter::default(),
        Defragmenter::noting(),
        Defragmenter::new(tight),
    ]
}

fn look(frame: &Frame<'_>, defragmenters: &mut [Defragmenter; 3]) {
    let alone = decode(frame);
    inside(&alone, frame.data);
    for (number, defragmenter) in defragmenters.iter_mut().enumerate() {
        let mut packet = alone.clone();
        defragmenter.packet(&mut packet, frame);
        if number == 0 || packet != alone {
            inside(&packet, frame.data);
            shown(&packet, frame.data);
        }
        if !packet.is_fragment() {
            assert_eq!(packet.unfinished(), None, "{packet:?}");
        }
        for (fragment, _) in defragmenter.take_unfinished() {
            assert!(fragment <= frame.number);
        }
        std::hint::black_box(defragmenter.counts());
    }
}

/// What the fields and the output read of it.
fn shown(packet: &Packet, frame: &[u8]) {
    let data = packet.data(frame);
    let layers = packet.layers(frame);
    assert!(layers.as_slice().len() <= Layers::MOST);
    if packet.ports().is_some() {
        assert!(packet.flow_hash().is_some(), "{packet:?}");
    }
    std::hint::black_box((packet.outline(), packet.top()));
    std::hint::black_box(format!("{packet:?} {layers} {layers:?}"));
    match packet.trouble {
        Some(Trouble::Malformed { reason, .. }) => {
            std::hint::black_box(reason.to_string());
        }
        Some(Trouble::Unknown { what, .. }) => {
            std::hint::black_box(what.name());
        }
        _ => {}
    }
    if let Link::Wlan(wlan) = &packet.link {
        std::hint::black_box(wlan.type_subtype());
    }
    match &packet.transport {
        Transport::Arp(arp) => {
            for party in [ArpParty::Sender, ArpParty::Target] {
                std::hint::black_box((arp.hardware(party, frame), arp.ipv4(party, frame)));
            }
        }
        Transport::Igmp(igmp) => {
            std::hint::black_box(igmp.groups(data).count());
        }
        Transport::Tcp(tcp) => {
            assert!(tcp.claimed_header_len(data) <= 60, "{packet:?}");
            std::hint::black_box(tcp.options(data).map(|option| option.kind()).max());
        }
        _ => {}
    }
    let outer = packet.outer().iter().map(|outer| &outer.net);
    for net in outer.chain(&packet.net) {
        std::hint::black_box((net.payload(), header_checksum_status(net, data)));
        if let Net::V6(ip) = net {
            let extensions = ip.extension_headers(data);
            assert!(extensions.count() <= ip.extensions_len as usize, "{ip:?}");
        }
    }
    for outer in packet.outer() {
        if let Some(at) = outer.inner_frame() {
            assert!(at as usize <= data.len(), "{packet:?}");
        }
    }
    for (src, dst, _) in packet.outer_datagrams() {
        assert_eq!(datagram_hash(src, dst), datagram_hash(dst, src));
    }
}

/// What a packet refers to lies in its bytes.
fn inside(packet: &Packet, frame: &[u8]) {
    let data = packet.data(frame);
    let payload = packet.payload();
    assert!(payload.end() as usize <= data.len(), "{packet:?}");
    checksum_status(packet, data);
    if let Some(tcp) = packet.tcp() {
        assert!(tcp.header.end() as usize <= data.len(), "{packet:?}");
        for option in tcp.options(data) {
            std::hint::black_box(format!("{option:?}"));
        }
    }
    if let Some(udp) = packet.udp() {
        assert!(udp.header.end() as usize <= data.len(), "{packet:?}");
    }
    if let Some(quoted) = packet.icmp().and_then(|icmp| icmp.quoted.as_deref()) {
        assert!(quoted.payload.end() as usize <= data.len(), "{packet:?}");
    }
}

fuzz_target!(|data: &[u8]| {
    let mut defragmenters = defragmenters();
    if let Ok(mut reader) = Reader::new(data, "fuzzed") {
        for _ in 0..2000 {
            match reader.next_frame() {
                Ok(Some(frame)) => look(&frame, &mut defragmenters),
                _ => break,
            }
        }
    } else if let Some((link_type, data)) = data.split_first_chunk() {
        let frame = Frame {
            number: 1,
            time: Timestamp(0),
            len: data.len() as u32,
            interface: 0,
            link_type: u32::from(u16::from_le_bytes(*link_type)) % 300,
            data,
        };
        look(&frame, &mut defragmenters);
    }
});
