//! What holds of any traffic.

use super::*;

proptest::proptest! {
    /// Nothing that the wire can carry makes the tracker panic.
    #[test]
    fn any_segments_do_no_harm(
        segments in proptest::collection::vec(
            (proptest::bool::ANY, 0u16..64, proptest::num::u32::ANY, 0u32..70_000, 0usize..40, 0u16..3),
            0..60,
        )
    ) {
        let packets = segments.into_iter().map(|(from_client, bits, seq, ack, len, window)| {
            let (src, dst) = if from_client { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
            // Half of them near each other, half anywhere.
            let seq = if seq % 2 == 0 { seq % 1000 } else { seq };
            let mut made = tcp(src, dst, "", seq, ack, vec![b'x'; len]).window(window);
            if let crate::decode::Transport::Tcp(tcp) = &mut made.packet.transport {
                tcp.flags = crate::decode::TcpFlags(bits);
            }
            made
        });
        track(packets.collect());
    }

    /// One stream in any segmentation, with repeats and reordering of up to
    /// the whole, past the wrap of the numbers: the stream comes back.
    #[test]
    fn a_stream_survives_the_wire(
        isn: u32,
        bytes in proptest::collection::vec(proptest::num::u8::ANY, 1..600),
        order in proptest::collection::vec((0usize..600, 1usize..80), 0..30),
    ) {
        let mut packets = vec![
            tcp(CLIENT, SERVER, "S", isn, 0, ""),
            tcp(SERVER, CLIENT, "SA", S, isn.wrapping_add(1), ""),
        ];
        let all = (0..bytes.len()).step_by(50).map(|at| (at, 50));
        for (at, len) in order.into_iter().chain(all) {
            let at = at % bytes.len();
            let part = &bytes[at..(at + len).min(bytes.len())];
            let seq = isn.wrapping_add(1 + at as u32);
            packets.push(tcp(CLIENT, SERVER, "PA", seq, S + 1, part));
        }
        let (seen, tracked) = track(packets);
        proptest::prop_assert_eq!(&tracked.bytes[0].to_server, &bytes);
        proptest::prop_assert_eq!(tracked.conversations[0].tcp.as_ref().unwrap().missing_bytes, 0);
        let new: Vec<_> = seen.iter().filter_map(|s| s.tcp.as_ref()?.new_bytes.clone()).collect();
        proptest::prop_assert_eq!(new.iter().map(|r| r.end).max(), Some(bytes.len() as u64));
    }
}
