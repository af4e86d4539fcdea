//! A regular file looked at in place.
//!
//! A page that is gone when it is looked at, because the file was cut short
//! meanwhile, is a signal (SIGBUS): `sys` puts a page of zeros there and notes
//! where that was, so that the reading ends as that of a damaged file does.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::sys::{Lost, Mapping, page_size};
use crate::savefile::{Window, Windows};

/// A file, window by window.
pub struct Map {
    file: File,
    page: u64,
    /// The windows ended there at the latest.
    seen: u64,
    lost: Arc<Lost>,
}

/// Pages of the file, and which of their bytes were asked for.
#[derive(Debug)]
struct Pages {
    mapping: Mapping,
    start: usize,
}

impl Map {
    /// None: it cannot be mapped, so that it must be read.
    pub fn new(file: &File) -> Option<Map> {
        let mut map = Map {
            file: file.try_clone().ok()?,
            page: page_size() as u64,
            seen: 0,
            lost: Arc::default(),
        };
        map.window(0, 1).ok()?;
        Some(map)
    }
}

impl Windows for Map {
    fn window(&mut self, offset: u64, len: usize) -> io::Result<Box<dyn Window>> {
        let size = self.file.metadata()?.len();
        let end = offset.saturating_add(len as u64).min(size);
        if end <= offset {
            return Ok(Box::new(Nothing));
        }
        let first = offset - offset % self.page;
        let pages = usize::try_from(end - first).map_err(io::Error::other)?;
        self.seen = self.seen.max(end);
        Ok(Box::new(Pages {
            mapping: Mapping::new(&self.file, first, pages, &self.lost)?,
            start: (offset - first) as usize,
        }))
    }

    fn whole(&mut self) -> io::Result<Arc<dyn Window>> {
        let lost = Arc::default();
        let file = self.file.try_clone()?;
        let len = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        Ok(Arc::new(Whole {
            mapping: Mapping::new(&file, 0, len, &lost)?,
            file,
            lost,
        }))
    }

    fn lost(&mut self) -> io::Result<Option<u64>> {
        let size = self.file.metadata()?.len();
        let cut = (size < self.seen).then_some(size);
        Ok(self.lost.at().into_iter().chain(cut).min())
    }
}

impl Window for Pages {
    fn bytes(&self) -> &[u8] {
        self.mapping.bytes().get(self.start..).unwrap_or_default()
    }
}

/// All pages of the file.
#[derive(Debug)]
struct Whole {
    mapping: Mapping,
    file: File,
    lost: Arc<Lost>,
}

impl Window for Whole {
    fn bytes(&self) -> &[u8] {
        self.mapping.bytes()
    }

    fn is_lost(&self) -> bool {
        // Behind the new end in its last page there are zeros, and no signal.
        let is_cut = |size: u64| size < self.bytes().len() as u64;
        let size = self.file.metadata().map(|metadata| metadata.len());
        self.lost.at().is_some() || size.map_or(true, is_cut)
    }
}

/// The window behind the file's end.
#[derive(Debug)]
struct Nothing;

impl Window for Nothing {
    fn bytes(&self) -> &[u8] {
        &[]
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;
    use crate::savefile::{Batch, InterfaceDescription, Reader, Timestamp, pcap};

    fn file(len: usize) -> File {
        let mut file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
        file.write_all(&bytes).unwrap();
        file
    }

    #[test]
    fn windows_show_the_files_bytes() {
        let mut map = Map::new(&file(100_000)).unwrap();
        for (offset, len, seen) in [
            (0, 10, 10),
            (24, 50_000, 50_000),
            (8_191, 2, 2),
            (99_990, 100, 10),
            (100_000, 5, 0),
            (200_000, 5, 0),
        ] {
            let window = map.window(offset, len).unwrap();
            let expected: Vec<u8> = (offset..).take(seen).map(|i| (i % 251) as u8).collect();
            assert_eq!(window.bytes(), expected);
        }
        assert_eq!(map.lost().unwrap(), None);
    }

    #[test]
    fn a_file_that_is_cut_while_it_is_looked_at_ends_there() {
        let file = file(1 << 20);
        let mut map = Map::new(&file).unwrap();
        let window = map.window(5, 1 << 19).unwrap();
        assert_eq!(window.bytes()[100_000], (100_005 % 251) as u8);
        file.set_len(70_000).unwrap();
        // What is gone reads as zeros, of this window and of no other.
        assert!(window.bytes()[70_000..].iter().all(|byte| *byte == 0));
        assert_eq!(window.bytes()[69_000], (69_005 % 251) as u8);
        // By the page that was missing, or by the file's size.
        let page = page_size() as u64;
        let lost = map.lost().unwrap().unwrap();
        assert!((70_000 - page..=70_000).contains(&lost), "{lost}");
        drop(window);
        assert!(map.window(100_000, 10).unwrap().bytes().is_empty());
        assert_eq!(map.lost().unwrap(), Some(lost));
    }

    /// The packets that are behind the cut were read already, and are looked at
    /// only now.
    #[test]
    fn a_capture_that_is_cut_while_it_is_read_is_damaged_there() {
        let interface = InterfaceDescription {
            name: String::new(),
            link_type: 1,
            snaplen: 0,
        };
        let mut writer = pcap::Writer::new(tempfile::tempfile().unwrap(), &interface).unwrap();
        for _ in 0..1000 {
            let frame = writer.write_frame(Timestamp(0), 1000, &[1; 1000]);
            frame.unwrap();
        }
        let mut file = writer.into_inner();
        file.rewind().unwrap();
        let map = Map::new(&file).unwrap();
        let reader = Reader::new(&file, "x").unwrap();
        let mut reader = reader.over(Box::new(map));
        let mut batch = Batch::with_block(500_000);
        assert!(reader.next_batch(&mut batch).unwrap());
        let read = batch.len();
        file.set_len(100_000).unwrap();
        let bytes = |place: usize| batch.get(place).unwrap().data.iter().copied();
        assert!(bytes(0).all(|byte| byte == 1));
        assert!(bytes(read - 1).all(|byte| byte == 0));
        assert!(!reader.next_batch(&mut Batch::new()).unwrap());
        let (info, _) = reader.finish();
        assert_eq!(info.packets, read as u64);
        let damage = info.damage.unwrap();
        let page = page_size() as u64;
        assert!(
            (100_000 - page..=100_000).contains(&damage.offset),
            "{damage:?}"
        );
    }

    #[test]
    fn a_whole_file_tells_that_it_was_cut() {
        let file = file(100_000);
        let whole = Map::new(&file).unwrap().whole().unwrap();
        assert_eq!(whole.bytes().len(), 100_000);
        assert_eq!(whole.bytes()[99_999], (99_999 % 251) as u8);
        assert!(!whole.is_lost());
        file.set_len(99_998).unwrap();
        assert!(whole.is_lost());
        file.set_len(0).unwrap();
        assert_eq!(whole.bytes()[50_000], 0);
        file.set_len(200_000).unwrap();
        assert!(whole.is_lost(), "what was looked at was not there");
    }

    #[test]
    fn a_file_that_is_cut_between_windows_ends_there_too() {
        let file = file(100_000);
        let mut map = Map::new(&file).unwrap();
        drop(map.window(0, 100_000).unwrap());
        file.set_len(50_000).unwrap();
        assert_eq!(map.lost().unwrap(), Some(50_000));
    }
}
