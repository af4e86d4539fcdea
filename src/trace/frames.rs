//! The bytes of a capture's frames: in the file, where that can be looked at in
//! place; else in memory, block by block.

use std::num::NonZero;
use std::sync::Arc;

use crate::savefile::Window;

/// Bytes of a block, where a frame does not need more. A vector that grew by
/// doubling would need up to three times what it holds.
const BLOCK: usize = 1 << 20;

/// The frames of a capture, in its order.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    /// The whole file.
    file: Option<Arc<dyn Window>>,
    blocks: Vec<Vec<u8>>,
    places: Vec<Place>,
}

/// Where a frame is.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: u64,
    len: u32,
    /// Which of the blocks, from 1. None: it is in the file.
    block: Option<NonZero<u32>>,
}

impl Frames {
    /// Those of a file that is looked at in place.
    pub fn of(file: Option<Arc<dyn Window>>) -> Frames {
        Frames {
            file,
            ..Frames::default()
        }
    }

    /// Adds a frame; `offset` is where in the file it is, if it is looked at in
    /// place.
    pub fn push(&mut self, frame: &[u8], offset: Option<u64>) {
        let len = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        if let (Some(start), Some(file)) = (offset, &self.file) {
            // The file may have grown since.
            let end = start.saturating_add(u64::from(len));
            if end <= file.bytes().len() as u64 {
                self.places.push(Place {
                    start,
                    len,
                    block: None,
                });
                return;
            }
        }
        let is_full = |block: &Vec<u8>| block.capacity() - block.len() < frame.len();
        if self.blocks.last().is_none_or(is_full) {
            self.blocks.push(Vec::with_capacity(BLOCK.max(frame.len())));
        }
        let block = u32::try_from(self.blocks.len()).ok().and_then(NonZero::new);
        if let Some(last) = self.blocks.last_mut() {
            self.places.push(Place {
                start: last.len() as u64,
                len,
                block,
            });
            last.extend_from_slice(frame);
        }
    }

    /// The bytes of the frame at `index`; empty for an index out of range.
    pub fn get(&self, index: usize) -> &[u8] {
        let Some(place) = self.places.get(index) else {
            return &[];
        };
        let bytes = match place.block {
            None => self.file.as_deref().map_or(&[][..], Window::bytes),
            Some(number) => {
                let block = self.blocks.get(number.get() as usize - 1);
                block.map_or(&[][..], Vec::as_slice)
            }
        };
        let start = usize::try_from(place.start).unwrap_or(usize::MAX);
        let end = start.saturating_add(place.len as usize);
        bytes.get(start..end).unwrap_or_default()
    }

    /// The bytes of the file that they are looked at in.
    pub fn file_len(&self) -> Option<u64> {
        self.file.as_ref().map(|file| file.bytes().len() as u64)
    }

    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.places.len()).map(|index| self.get(index))
    }

    /// Is the file no longer what was read, so that what was looked at since may
    /// be no bytes of it?
    pub fn are_lost(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.is_lost())
    }
}

impl FromIterator<Vec<u8>> for Frames {
    fn from_iter<T: IntoIterator<Item = Vec<u8>>>(all: T) -> Frames {
        let mut frames = Frames::default();
        for frame in all {
            frames.push(&frame, None);
        }
        frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct File(Vec<u8>);

    impl Window for File {
        fn bytes(&self) -> &[u8] {
            &self.0
        }
    }

    #[test]
    fn frames_are_in_the_file_where_it_has_them_and_else_in_memory() {
        let mut frames = Frames::of(Some(Arc::new(File(b"0123456789".to_vec()))));
        frames.push(b"234", Some(2));
        frames.push(b"9ab", Some(9));
        frames.push(b"", Some(10));
        frames.push(b"x", None);
        let all: Vec<&[u8]> = frames.iter().collect();
        assert_eq!(all, [&b"234"[..], b"9ab", b"", b"x"]);
        assert!(frames.get(4).is_empty() && !frames.are_lost());
        assert_eq!(frames.blocks.len(), 1);
    }

    #[test]
    fn a_block_takes_what_is_longer_than_it_too() {
        let long: Vec<u8> = (0..BLOCK + 5).map(|i| i as u8).collect();
        let frames: Frames = [vec![1; BLOCK - 1], long.clone(), vec![2]]
            .into_iter()
            .collect();
        assert_eq!(frames.get(1), long);
        assert_eq!(frames.get(2), [2]);
        assert_eq!(frames.blocks.len(), 3);
    }
}
