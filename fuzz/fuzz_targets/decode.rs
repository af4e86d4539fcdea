//! The frames of a capture file, or one frame of a link type that the first two
//! bytes name: decoded, put together, looked at from all sides.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netlab_capture::decode::{Defragmenter, Layers, Packet, Trouble, checksum_status, decode};
use netlab_capture::savefile::{Frame, Reader, Timestamp};

fn look(frame: &Frame<'_>, defragmenter: &mut Defragmenter) {
    let mut packet = decode(frame);
    inside(&packet, frame.data);
    defragmenter.packet(&mut packet, frame);
    inside(&packet, frame.data);
    let layers = packet.layers(frame.data);
    assert!(layers.as_slice().len() <= Layers::MOST);
    if packet.ports().is_some() {
        assert!(packet.flow_hash().is_some(), "{packet:?}");
    }
    std::hint::black_box((packet.outline(), packet.top()));
    std::hint::black_box(format!("{packet:?} {layers}"));
    if let Some(Trouble::Malformed { reason, .. }) = packet.trouble {
        std::hint::black_box(reason.to_string());
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
    let mut defragmenter = Defragmenter::default();
    if let Ok(mut reader) = Reader::new(data, "fuzzed") {
        for _ in 0..2000 {
            match reader.next_frame() {
                Ok(Some(frame)) => look(&frame, &mut defragmenter),
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
        look(&frame, &mut defragmenter);
    }
});
