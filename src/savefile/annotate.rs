//! Packet comments, written into a copy of a pcapng file.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use super::bytes::ByteOrder;
use super::pcapng::format::*;
use super::pcapng::option::{self, Options};
use super::pcapng::{Blocks, Walk, is_pcapng};
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
    loop {
        let (kind, size) = match blocks.next(&mut source).map_err(read_error)? {
            Walk::Block { kind, size } => (kind, size),
            Walk::End | Walk::Damage(_) => break,
        };
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
