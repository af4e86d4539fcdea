//! A capture file: read in one piece, in many small ones and looked at in place,
//! the same is found. Annotated, it still holds the same frames. Cut short while
//! it is looked at in place, it has the frames before the cut, and no others.
#![no_main]

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use netlab_capture::savefile::{Batch, CaptureInfo, Reader, Window, Windows, annotate};

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

/// The file as it is looked at in place; `end` is where it was cut short before the
/// second window was asked for.
struct InPlace {
    file: Arc<[u8]>,
    end: Option<usize>,
    windows: usize,
}

#[derive(Debug)]
struct Part {
    file: Arc<[u8]>,
    start: usize,
    end: usize,
}

impl Window for Part {
    fn bytes(&self) -> &[u8] {
        &self.file[self.start..self.end]
    }
}

impl InPlace {
    fn part(&self, offset: u64, len: usize) -> Part {
        let most = self.file.len();
        let start = usize::try_from(offset).unwrap_or(most).min(most);
        Part {
            file: self.file.clone(),
            start,
            end: start.saturating_add(len).min(most),
        }
    }
}

impl Windows for InPlace {
    fn window(&mut self, offset: u64, len: usize) -> io::Result<Box<dyn Window>> {
        self.windows += 1;
        Ok(Box::new(self.part(offset, len)))
    }

    fn whole(&mut self) -> io::Result<Arc<dyn Window>> {
        Ok(Arc::new(self.part(0, usize::MAX)))
    }

    fn lost(&mut self) -> io::Result<Option<u64>> {
        let end = self.end.filter(|_| self.windows > 1);
        Ok(end.map(|end| end as u64))
    }
}

/// Time, lengths, interface, link type, a sum of the bytes, and comments.
type Frames = Vec<(i64, u32, usize, u32, u32, u64, Vec<String>)>;

fn read(input: impl Read, block: usize) -> Option<(Frames, Option<CaptureInfo>)> {
    read_all(Reader::new(input, "fuzzed").ok()?, block)
}

fn read_in_place(
    file: &[u8],
    block: usize,
    end: Option<usize>,
) -> Option<(Frames, Option<CaptureInfo>)> {
    let windows = InPlace {
        file: file.into(),
        end,
        windows: 0,
    };
    let reader = Reader::new(file, "fuzzed").ok()?;
    read_all(reader.over(Box::new(windows)), block)
}

fn read_all<R: Read>(mut reader: Reader<R>, block: usize) -> Option<(Frames, Option<CaptureInfo>)> {
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

fn same(
    whole: &Option<(Frames, Option<CaptureInfo>)>,
    other: &Option<(Frames, Option<CaptureInfo>)>,
) {
    match (whole, other) {
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
    let in_place = read_in_place(data, 1 + last * 13, None);
    same(&whole, &cut);
    same(&whole, &in_place);
    if let Some((frames, _)) = &whole {
        let end = data.len() * last / 256;
        let lost = read_in_place(data, 1 + last * 13, Some(end));
        let (left, _) = lost.expect("it began as before");
        assert!(frames.starts_with(&left), "frames that are not the file's");
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
