//! Packet comments, written into a copy of a pcapng file.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use super::bytes::ByteOrder;
use super::pcapng::format::*;
use super::pcapng::option::{self, Options};
use super::pcapng::{Blocks, is_pcapng};
use super::reader::{Stop, Stretch};
use super::source::Source;
use super::{SavefileError, found};

/// What each comment of ours ends with, so that the next annotation knows
/// which to replace. A mark that readers see also survives Wireshark's "Save As".
pub const COMMENT_MARK: &str = " [netlab-capture]";

/// Copies a pcapng file and puts `comments` (by frame number, from 1) on its
/// enhanced packet blocks, one `opt_comment` each, with [`COMMENT_MARK`] behind
/// it. Comments of an earlier annotation are removed from all frames; comments
/// of others stay. Every block that has neither old nor new comments of ours is
/// copied byte for byte, and so is everything behind a damage. A comment of
/// more than 65,535 bytes is cut.
///
/// Fails where the input cannot be read, the output not be written, or the
/// input is no pcapng file.
pub fn annotate(
    input: impl Read,
    mut output: impl Write,
    comments: &BTreeMap<u64, Vec<String>>,
) -> Result<(), SavefileError> {
    let mut source = Source::new(input);
    source.fill(24).map_err(read_error)?;
    if !is_pcapng(source.unread()) {
        return Err(not_pcapng(source.unread()));
    }
    let mut blocks = Blocks::new();
    let mut frame = 0;
    while let Some((kind, size)) = next(&mut blocks, &mut source).map_err(read_error)? {
        let block = source.unread().get(..size).unwrap_or_default();
        if matches!(kind, ENHANCED_PACKET | SIMPLE_PACKET | PACKET) {
            frame += 1;
        }
        let new = comments.get(&frame).map_or(&[][..], Vec::as_slice);
        let rewritten = if kind == ENHANCED_PACKET {
            with_comments(blocks.order(), block, new, frame)?
        } else {
            None
        };
        output
            .write_all(rewritten.as_deref().unwrap_or(block))
            .map_err(write_error)?;
        source.consume(size);
    }
    copy_rest(&mut source, &mut output)?;
    output.flush().map_err(write_error)
}

/// Type and size of the next whole block, which is what the source's unread
/// bytes begin with; None at the end or at damage.
fn next(blocks: &mut Blocks, source: &mut Source<impl Read>) -> io::Result<Option<(u32, usize)>> {
    let mut last = false;
    loop {
        let stretch = Stretch {
            bytes: source.unread(),
            offset: 0,
            last,
        };
        match blocks.next(&stretch, 0) {
            Ok((kind, block)) => return Ok(Some((kind, block.len()))),
            Err(Stop::End | Stop::Damage(_)) => return Ok(None),
            Err(Stop::Short) => {
                let wanted = source.unread().len() + 1;
                last = source.fill(wanted)? < wanted;
            }
        }
    }
}

/// The block with its old comments of ours replaced; None where that changes
/// nothing, or where the block's own lengths are wrong.
fn with_comments(
    order: ByteOrder,
    block: &[u8],
    comments: &[String],
    frame: u64,
) -> Result<Option<Vec<u8>>, SavefileError> {
    let captured = order.u32(block, 20) as usize;
    let start = ENHANCED_PACKET_FRAMING - 4;
    let list_start = start
        .saturating_add(captured)
        .saturating_add(padding(captured));
    let Some(list) = block.get(list_start..block.len() - 4) else {
        return Ok(None);
    };
    let mut options = Options::new(order, list);
    let mut kept = Vec::new();
    let mut removed = false;
    for option in options.by_ref() {
        let Ok(option) = option else {
            return Ok(None);
        };
        if option.code == OPT_COMMENT && option.value.ends_with(COMMENT_MARK.as_bytes()) {
            removed = true;
        } else {
            kept.extend_from_slice(option.raw);
        }
    }
    if comments.is_empty() && !removed {
        return Ok(None);
    }
    let end = options.rest();

    let mut list = kept;
    for comment in comments {
        option::push(&mut list, order, OPT_COMMENT, marked(comment).as_bytes());
    }
    if end.len() > 4 || !list.is_empty() {
        let mark = [0; 4];
        list.extend_from_slice(if end.is_empty() { &mark } else { end });
    }
    let size = list_start + list.len() + 4;
    if size > MAX_BLOCK {
        return Err(SavefileError::CommentsTooLong { frame });
    }
    let size_bytes = order.put_u32(size as u32);
    let mut rewritten = Vec::with_capacity(size);
    rewritten.extend_from_slice(&order.put_u32(ENHANCED_PACKET));
    rewritten.extend_from_slice(&size_bytes);
    rewritten.extend_from_slice(block.get(8..list_start).unwrap_or_default());
    rewritten.extend_from_slice(&list);
    rewritten.extend_from_slice(&size_bytes);
    Ok(Some(rewritten))
}

/// The comment with our mark, cut so that an option holds both.
fn marked(comment: &str) -> String {
    let mut end = comment
        .len()
        .min(usize::from(u16::MAX) - COMMENT_MARK.len());
    while !comment.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{COMMENT_MARK}", comment.get(..end).unwrap_or_default())
}

fn copy_rest(source: &mut Source<impl Read>, output: &mut impl Write) -> Result<(), SavefileError> {
    while source.fill(1).map_err(read_error)? > 0 {
        let rest = source.unread();
        output.write_all(rest).map_err(write_error)?;
        let size = rest.len();
        source.consume(size);
    }
    Ok(())
}

fn not_pcapng(head: &[u8]) -> SavefileError {
    let found = if super::pcap::is_pcap(head) {
        "it is a classic pcap file".to_owned()
    } else {
        found::describe(head)
    };
    SavefileError::NoComments { found }
}

fn read_error(error: io::Error) -> SavefileError {
    SavefileError::Io {
        name: "reading the capture file".to_owned(),
        error,
    }
}

fn write_error(error: io::Error) -> SavefileError {
    SavefileError::Io {
        name: "writing the annotated capture file".to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::savefile::{InterfaceDescription, Reader, Recording, Timestamp, pcapng};

    type Comments = BTreeMap<u64, Vec<String>>;

    /// Frames of 0 to 3 bytes, a recording and statistics.
    fn file(frames: u64) -> Vec<u8> {
        let interface = InterfaceDescription {
            name: "lo".to_owned(),
            link_type: 1,
            snaplen: 0,
        };
        let mut writer = pcapng::Writer::new(Vec::new(), &interface).unwrap();
        for i in 0..frames {
            let data = vec![i as u8; (i % 4) as usize];
            writer.write_frame(Timestamp(i as i64), 9, &data).unwrap();
        }
        writer.write_recording(&Recording::default()).unwrap();
        writer.write_statistics(1, 0).unwrap();
        writer.into_inner()
    }

    fn annotated(input: &[u8], comments: &Comments) -> Vec<u8> {
        let mut output = Vec::new();
        annotate(input, &mut output, comments).unwrap();
        output
    }

    /// All comments, frame by frame, ours and foreign.
    fn comments_of(file: &[u8]) -> Vec<Vec<String>> {
        let mut source = Source::new(file);
        let mut blocks = Blocks::new();
        let mut all = Vec::new();
        while let Some((kind, size)) = next(&mut blocks, &mut source).unwrap() {
            let block = &source.unread()[..size];
            if kind == ENHANCED_PACKET {
                let order = blocks.order();
                let captured = order.u32(block, 20) as usize;
                let start = 28 + captured + padding(captured);
                let comments = Options::new(order, &block[start..size - 4])
                    .map(Result::unwrap)
                    .filter(|option| option.code == OPT_COMMENT)
                    .map(|option| String::from_utf8(option.value.to_vec()).unwrap());
                all.push(comments.collect());
            }
            source.consume(size);
        }
        all
    }

    /// Time, length and bytes of each frame.
    type Frames = Vec<(i64, u32, Vec<u8>)>;

    /// Everything that a reader sees.
    fn content(file: &[u8]) -> (Frames, Option<Recording>) {
        let mut reader = Reader::new(file, "test").unwrap();
        let mut frames = Vec::new();
        while let Some(frame) = reader.next_frame().unwrap() {
            frames.push((frame.time.0, frame.len, frame.data.to_vec()));
        }
        let (info, recording) = reader.finish();
        assert_eq!(info.damage, None);
        (frames, recording)
    }

    /// A file with a foreign comment on frame `frame`, and another option.
    fn with_foreign(file: &[u8], frame: usize) -> Vec<u8> {
        let mut source = Source::new(file);
        let mut blocks = Blocks::new();
        let mut output = Vec::new();
        let mut count = 0;
        while let Some((kind, size)) = next(&mut blocks, &mut source).unwrap() {
            let block = &source.unread()[..size];
            count += usize::from(kind == ENHANCED_PACKET);
            if kind == ENHANCED_PACKET && count == frame {
                let mut body = block[8..size - 4].to_vec();
                option::push(&mut body, blocks.order(), OPT_COMMENT, b"Assert: foreign");
                option::push(&mut body, blocks.order(), 2, &[1, 0, 0, 0]);
                let total = ((FRAMING + body.len()) as u32).to_le_bytes();
                output.extend(kind.to_le_bytes());
                output.extend(total);
                output.extend(body);
                output.extend(total);
            } else {
                output.extend(block);
            }
            source.consume(size);
        }
        output
    }

    fn comments() -> impl Strategy<Value = Comments> {
        prop::collection::btree_map(0..9u64, prop::collection::vec(".{0,9}", 0..3), 0..6)
    }

    proptest! {
        #[test]
        fn a_second_time_changes_nothing(first in comments(), second in comments(), foreign in 1..6usize) {
            let plain = with_foreign(&file(6), foreign);
            let once = annotated(&plain, &first);
            prop_assert_eq!(&annotated(&once, &first), &once);
            prop_assert_eq!(content(&once), content(&plain));
            // The older comments are replaced, the foreign ones stay.
            let then = annotated(&once, &second);
            prop_assert_eq!(comments_of(&then), comments_of(&annotated(&plain, &second)));
            for (index, found) in comments_of(&then).iter().enumerate() {
                let mut expected = Vec::new();
                if index + 1 == foreign {
                    expected.push("Assert: foreign".to_owned());
                }
                for comment in second.get(&(index as u64 + 1)).into_iter().flatten() {
                    expected.push(format!("{comment}{COMMENT_MARK}"));
                }
                prop_assert_eq!(found, &expected);
            }
        }

        #[test]
        fn no_damage_makes_it_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let mut file = annotated(&file(5), &BTreeMap::from([(2, vec!["a".to_owned()])]));
            let at = at.index(file.len());
            file[at] = byte;
            let cut = cut.index(file.len() + 1);
            let mut output = Vec::new();
            // Whatever it makes of it, without a panic.
            let _ = annotate(
                &file[..cut],
                &mut output,
                &BTreeMap::from([(1, vec!["b".to_owned()])]),
            );
        }
    }

    #[test]
    fn what_lies_behind_a_damage_is_copied() {
        let some = BTreeMap::from([(1, vec!["a".to_owned()])]);
        let tail = vec![0xAB; 3 << 20];
        let damaged = annotated(&[file(2), tail.clone()].concat(), &some);
        assert_eq!(damaged, [annotated(&file(2), &some), tail].concat());
    }

    #[test]
    fn comments_taken_off_again_leave_the_file_as_it_was() {
        let plain = file(4);
        let some = BTreeMap::from([(1, vec!["a".to_owned()]), (4, vec![String::new()])]);
        let commented = annotated(&plain, &some);
        assert_ne!(commented, plain);
        assert_eq!(annotated(&commented, &BTreeMap::new()), plain);
    }

    #[test]
    fn a_comment_too_long_is_cut_at_a_character() {
        let long = "\u{e9}".repeat(40_000);
        let commented = annotated(&file(1), &BTreeMap::from([(1, vec![long])]));
        let comment = &comments_of(&commented)[0][0];
        assert!(comment.len() <= 65_535 && comment.len() > 65_530);
        assert!(comment.ends_with(COMMENT_MARK));
    }

    #[test]
    fn only_pcapng_has_comments() {
        let refused = |input: &[u8]| {
            annotate(input, Vec::new(), &BTreeMap::new())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            refused(&[0xD4, 0xC3, 0xB2, 0xA1]),
            "packet comments need a pcapng file; it is a classic pcap file"
        );
        assert_eq!(
            refused(b""),
            "packet comments need a pcapng file; it is empty"
        );
        let long = vec!["x".repeat(65_000); 300];
        let error = annotate(&file(1)[..], Vec::new(), &BTreeMap::from([(1, long)])).unwrap_err();
        assert!(matches!(error, SavefileError::CommentsTooLong { frame: 1 }));
    }
}
