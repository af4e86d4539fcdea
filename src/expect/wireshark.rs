//! A Wireshark display filter for the packets of an explanation.

use fixedbitset::FixedBitSet;

use crate::savefile::Protocol;
use crate::trace::Trace;

/// A filter names so many ranges of frames at most: of more, the first ones.
const MOST_RANGES: usize = 20;

/// A display filter that shows just these packets, or the first of very many, in
/// their conversation where they share a TCP one.
pub fn wireshark_filter(trace: &Trace, packets: &FixedBitSet) -> Option<String> {
    let numbers: Vec<u64> = packets
        .ones()
        .filter_map(|p| trace.packets.get(p))
        .map(|p| p.number)
        .collect();
    if numbers.is_empty() {
        return None;
    }
    let frames = match numbers.as_slice() {
        [one] => format!("frame.number == {one}"),
        _ => format!("frame.number in {{{}}}", ranges(&numbers)),
    };
    let mut streams = packets.ones().map(|p| {
        trace.packets.get(p)?.tcp()?;
        let conversation = trace.seen.get(p)?.conversation?;
        let conversation = trace.conversations.get(conversation)?;
        (conversation.protocol == Protocol::Tcp).then_some(conversation.id)
    });
    let first = streams.next().flatten();
    match first {
        Some(id) if streams.all(|other| other == first) => {
            Some(format!("tcp.stream eq {id} && {frames}"))
        }
        _ => Some(frames),
    }
}

/// Says so where the filter shows the first of very many packets.
pub fn leaves_out(trace: &Trace, packets: &FixedBitSet) -> Option<String> {
    let numbers = packets.ones().filter_map(|p| trace.packets.get(p));
    let numbers: Vec<u64> = numbers.map(|p| p.number).collect();
    let shown = parts(&numbers).into_iter().take(MOST_RANGES);
    let shown: u64 = shown.map(|(first, last)| last - first + 1).sum();
    (shown < numbers.len() as u64).then(|| {
        let all = numbers.len();
        format!("The Wireshark filter shows the first {shown} of the {all} packets.")
    })
}

/// The first and the last of those that follow each other.
fn parts(numbers: &[u64]) -> Vec<(u64, u64)> {
    let mut parts: Vec<(u64, u64)> = Vec::new();
    for &n in numbers {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == n => *last = n,
            _ => parts.push((n, n)),
        }
    }
    parts
}

/// `1, 3..5` of ascending numbers.
fn ranges(numbers: &[u64]) -> String {
    let mut parts = parts(numbers);
    parts.truncate(MOST_RANGES);
    let parts: Vec<String> = parts
        .into_iter()
        .map(|(first, last)| match last - first {
            0 => first.to_string(),
            1 => format!("{first}, {last}"),
            _ => format!("{first}..{last}"),
        })
        .collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_frames_the_first_are_shown_and_no_others() {
        assert_eq!(ranges(&[1, 3, 4, 5, 8, 9]), "1, 3..5, 8, 9");
        let odd: Vec<u64> = (0..1000).map(|n| 2 * n + 1).collect();
        let shown = ranges(&odd);
        assert_eq!(shown.split(", ").count(), MOST_RANGES);
        assert!(!shown.contains(".."), "{shown}");
    }
}
