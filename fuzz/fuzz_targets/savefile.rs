//! A capture file: read in one piece and in many small ones, the same is found.
//! Annotated, it still holds the same frames.
#![no_main]

use std::collections::BTreeMap;
use std::io::{self, Read};

use libfuzzer_sys::fuzz_target;
use netlab_capture::savefile::{Batch, CaptureInfo, Reader, annotate};

/// Frames beyond so many are not compared: compressed zeros hold very many.
const FRAMES: usize = 20_000;

struct Pieces<'a> {
    rest: &'a [u8],
    most: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.most.min(self.rest.len()).min(room.len());
        let (now, later) = self.rest.split_at(count);
        room[..count].copy_from_slice(now);
        self.rest = later;
        Ok(count)
    }
}

/// Time, lengths, interface, link type, a sum of the bytes, and comments.
type Frames = Vec<(i64, u32, usize, u32, u32, u64, Vec<String>)>;

fn read(input: impl Read, block: usize) -> Option<(Frames, Option<CaptureInfo>)> {
    let mut reader = Reader::new(input, "fuzzed").ok()?;
    let mut batch = Batch::with_block(block);
    let mut frames = Vec::new();
    while reader.next_batch(&mut batch).expect("memory cannot fail") {
        assert!(!batch.is_empty());
        for (index, frame) in batch.frames().iter().enumerate() {
            let sum = frame.data.iter().fold(7u64, |sum, byte| {
                sum.wrapping_mul(31).wrapping_add(u64::from(*byte))
            });
            assert!((frame.interface as usize) < reader.interfaces().len());
            frames.push((
                frame.time.0,
                frame.len,
                frame.data.len(),
                frame.interface,
                frame.link_type,
                sum,
                batch.comments(index).map(String::from).collect(),
            ));
            assert_eq!(frame.number, frames.len() as u64);
        }
        if frames.len() > FRAMES {
            frames.truncate(FRAMES);
            return Some((frames, None));
        }
    }
    let (info, _) = reader.finish();
    assert_eq!(info.packets, frames.len() as u64);
    Some((frames, Some(info)))
}

fuzz_target!(|data: &[u8]| {
    let whole = read(data, data.len() + 1);
    // Sizes that the input chooses itself.
    let last = usize::from(data.last().copied().unwrap_or(0));
    let pieces = Pieces {
        rest: data,
        most: 1 + last % 97,
    };
    let cut = read(pieces, 1 + last * 13);
    match (&whole, &cut) {
        (None, None) => {}
        (Some((a, Some(info))), Some((b, Some(other)))) => {
            assert_eq!(a, b);
            // Where packed data is at fault, how much of them was taken by then
            // depends on the pieces; the rest does not.
            let place = |info: &CaptureInfo| info.damage.as_ref().map(|damage| damage.offset);
            assert_eq!(place(info), place(other));
            assert_eq!(info.interfaces, other.interfaces);
        }
        (Some((a, _)), Some((b, _))) => assert_eq!(a, b),
        _ => panic!("opened in one of two ways only"),
    }

    let comments = BTreeMap::from([(1, vec!["one".to_owned()]), (3, vec![String::new()])]);
    let mut annotated = Vec::new();
    if annotate(data, &mut annotated, &comments).is_ok()
        && let Some((frames, Some(_))) = &whole
    {
        let (after, _) = read(&annotated[..], 1 << 20).expect("still a capture");
        assert!(
            frames
                .iter()
                .zip(&after)
                .all(|(a, b)| (a.0, a.2, a.5) == (b.0, b.2, b.5)),
            "annotating changed a frame"
        );
    }
});
