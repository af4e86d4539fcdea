//! Reading in batches, plain and compressed, from inputs that come in pieces.

use std::io::{self, Read, Write};
use std::sync::Arc;

use flate2::write::GzEncoder;
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::bytes::ByteOrder;
use super::pcapng::format::*;
use super::pcapng::option;
use super::*;

/// Number, time, length, interface, link type, bytes and comments.
type Seen = (u64, i64, u32, u32, u32, Vec<u8>, Vec<String>);

/// Everything that a capture gives.
#[derive(Debug, PartialEq)]
struct Content {
    frames: Vec<Seen>,
    info: CaptureInfo,
}

fn read_with(input: impl Read, block: usize) -> Content {
    read_all(Reader::new(input, "test").unwrap(), block)
}

fn read_all(mut reader: Reader<impl Read>, block: usize) -> Content {
    let mut batch = Batch::with_block(block);
    let mut frames = Vec::new();
    while reader.next_batch(&mut batch).unwrap() {
        assert!(!batch.is_empty());
        for (index, f) in batch.frames().iter().enumerate() {
            let comments = batch.comments(index).map(String::from).collect();
            let data = f.data.to_vec();
            let time = f.time.0;
            frames.push((
                f.number,
                time,
                f.len,
                f.interface,
                f.link_type,
                data,
                comments,
            ));
            assert!((f.interface as usize) < reader.interfaces().len());
        }
    }
    assert!(!reader.next_batch(&mut batch).unwrap() && batch.is_empty());
    let (info, _) = reader.finish();
    assert_eq!(info.packets, frames.len() as u64);
    Content { frames, info }
}

fn read(file: &[u8]) -> Content {
    read_with(file, 1 << 20)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// Hands out at most `most` bytes a read.
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

/// A file to be looked at in place, of which only `left` bytes are left once it
/// was looked at.
struct Copies {
    file: Vec<u8>,
    left: Option<u64>,
}

#[derive(Debug)]
struct Copy(Vec<u8>);

impl Window for Copy {
    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Windows for Copies {
    fn window(&mut self, offset: u64, len: usize) -> io::Result<Box<dyn Window>> {
        let rest = self.file.get(offset as usize..).unwrap_or_default();
        Ok(Box::new(Copy(rest.get(..len).unwrap_or(rest).to_vec())))
    }

    fn whole(&mut self) -> io::Result<Arc<dyn Window>> {
        Ok(Arc::new(Copy(self.file.clone())))
    }

    fn lost(&mut self) -> io::Result<Option<u64>> {
        Ok(self.left)
    }
}

/// Looks at a file in place, windows of this size at a time.
fn look(file: &[u8], window: usize, left: Option<u64>) -> Content {
    let reader = Reader::new(file, "test").unwrap();
    let file = file.to_vec();
    read_all(reader.over(Box::new(Copies { file, left })), window)
}

fn loopback() -> InterfaceDescription {
    InterfaceDescription {
        name: "lo".to_owned(),
        link_type: 1,
        snaplen: 0,
    }
}

fn frame(index: usize, len: usize) -> (Timestamp, Vec<u8>) {
    let bytes = (0..len).map(|i| (i * 7 + index) as u8).collect();
    (Timestamp(1_700_000_000_000_000_000 + index as i64), bytes)
}

fn pcap(lens: &[usize]) -> Vec<u8> {
    let mut writer = pcap::Writer::new(Vec::new(), &loopback()).unwrap();
    for (index, len) in lens.iter().enumerate() {
        let (time, data) = frame(index, *len);
        writer.write_frame(time, 9999, &data).unwrap();
    }
    writer.into_inner()
}

/// Every third frame has two comments.
fn pcapng(lens: &[usize]) -> Vec<u8> {
    let mut writer = pcapng::Writer::new(Vec::new(), &loopback()).unwrap();
    for (index, len) in lens.iter().enumerate() {
        let (time, data) = frame(index, *len);
        writer.write_frame(time, 9999, &data).unwrap();
    }
    writer.write_recording(&Recording::default()).unwrap();
    writer.write_statistics(1, 0).unwrap();
    let comments = (1..=lens.len() as u64)
        .filter(|number| number % 3 == 0)
        .map(|number| (number, vec![format!("of {number}"), "\u{e9}".to_owned()]))
        .collect();
    let mut commented = Vec::new();
    annotate(&writer.into_inner()[..], &mut commented, &comments).unwrap();
    commented
}

fn lens() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![Just(0), 0..200usize, 200..3000usize], 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pieces_and_blocks_of_any_size_give_the_same(
        lens in lens(), ng in any::<bool>(), most in 1..3000usize, block in 1..5000usize,
        cut in any::<prop::sample::Index>(), compress in 0..3u8,
    ) {
        let mut file = if ng { pcapng(&lens) } else { pcap(&lens) };
        file.truncate(200 + cut.index(file.len()));
        let expected = read(&file);
        prop_assert_eq!(&look(&file, block, None), &expected);
        let packed = match compress {
            0 => file,
            1 => gzip(&file),
            _ => zstd(&file),
        };
        let mut found = read_with(Pieces { rest: &packed, most }, block);
        found.info.compression = None;
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_cut_costs_nothing_that_lies_before_it(
        lens in lens(), ng in any::<bool>(), cut in any::<prop::sample::Index>(),
    ) {
        let file = if ng { pcapng(&lens) } else { pcap(&lens) };
        let whole = read(&file);
        prop_assert_eq!(&whole.info.damage, &None);
        let cut = cut.index(file.len());
        let Ok(reader) = Reader::new(&file[..cut], "test") else {
            return Ok(());
        };
        drop(reader);
        let found = read(&file[..cut]);
        prop_assert_eq!(&found.frames[..], &whole.frames[..found.frames.len()]);
        if let Some(damage) = found.info.damage {
            prop_assert!(damage.offset < cut as u64);
        }
    }

    #[test]
    fn a_file_that_is_cut_while_it_is_looked_at_is_read_up_to_there(
        lens in lens(), ng in any::<bool>(), window in 1..5000usize,
        left in any::<prop::sample::Index>(),
    ) {
        let file = if ng { pcapng(&lens) } else { pcap(&lens) };
        let left = left.index(file.len());
        let whole = read(&file);
        let found = look(&file, window, Some(left as u64));
        prop_assert_eq!(&found.frames[..], &whole.frames[..found.frames.len()]);
        let damage = found.info.damage.unwrap();
        prop_assert_eq!(damage.offset, left as u64);
        prop_assert!(damage.reason.contains("gone"), "{}", damage.reason);
        let bytes: usize = found.frames.iter().map(|frame| frame.5.len()).sum();
        prop_assert!(bytes <= left);
    }

    #[test]
    fn no_damage_of_compressed_data_makes_it_panic(
        at in any::<prop::sample::Index>(), byte in any::<u8>(), zipped in any::<bool>(),
    ) {
        let file = pcap(&[100, 0, 2000, 7]);
        let mut packed = if zipped { gzip(&file) } else { zstd(&file) };
        let at = at.index(packed.len());
        packed[at] = byte;
        if let Ok(mut reader) = Reader::new(&packed[..], "test") {
            while reader.next_frame().unwrap().is_some() {}
        }
    }
}

/// However short frames are, so many are the most that are kept at a time.
#[test]
fn a_batch_has_a_bounded_number_of_frames() {
    let file = pcap(&vec![0; 2 * batch::MOST_FRAMES + 7]);
    let content = read(&file);
    assert_eq!(content.frames.len(), 2 * batch::MOST_FRAMES + 7);
    assert_eq!(look(&file, 1 << 20, None), content);
    let mut batch = Batch::with_block(1 << 20);
    let mut reader = Reader::new(&file[..], "test").unwrap();
    while reader.next_batch(&mut batch).unwrap() {
        assert!(batch.len() <= batch::MOST_FRAMES);
    }
}

#[test]
fn what_is_compressed_is_not_looked_at_in_place() {
    let file = pcap(&[5, 0, 3000]);
    let packed = look(&gzip(&file), 100, None);
    assert_eq!(packed.frames, read(&file).frames);
}

#[test]
fn every_cut_of_gzip_data_is_damage_behind_what_was_unpacked() {
    let file = pcap(&[50, 60, 0, 70, 400]);
    let expected = read(&file).frames;
    let packed = gzip(&file);
    let mut most = 0;
    for cut in 0..packed.len() {
        let mut reader = match Reader::new(&packed[..cut], "x") {
            Ok(reader) => reader,
            Err(error) => {
                assert_eq!(most, 0);
                let text = error.to_string();
                let reason = format!("the gzip data is cut off after {cut} bytes");
                assert!(text.contains(&reason) || cut < 2, "{text}");
                continue;
            }
        };
        let mut count = 0;
        while let Some(frame) = reader.next_frame().unwrap() {
            assert_eq!(frame.data, expected[count].5);
            count += 1;
        }
        assert!(count >= most, "less of more");
        most = count;
        let damage = reader.finish().0.damage.unwrap();
        assert_eq!(
            damage.reason,
            format!("the gzip data is cut off after {cut} bytes")
        );
    }
    assert_eq!(most, 5);
}

#[test]
fn every_cut_of_zstd_data_keeps_the_blocks_before_it() {
    // One frame of several blocks: incompressible data is kept as it is.
    let lens = [60_000; 9];
    let mut state = 1u32;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    let mut writer = pcap::Writer::new(Vec::new(), &loopback()).unwrap();
    for len in lens {
        let data: Vec<u8> = (0..len).map(|_| noise()).collect();
        writer.write_frame(Timestamp(0), 60_000, &data).unwrap();
    }
    let file = writer.into_inner();
    let packed = zstd(&file);
    assert!(packed.len() > 500_000);
    let mut most = 0;
    for cut in (20..packed.len()).step_by(9_973) {
        let Ok(mut reader) = Reader::new(&packed[..cut], "x") else {
            assert!(cut < 140_000, "{cut}");
            continue;
        };
        let mut count = 0;
        while reader.next_frame().unwrap().is_some() {
            count += 1;
        }
        assert!(count >= most);
        // A block has at most 128 KiB.
        assert!(
            (count + 1) * 60_016 + (128 << 10) + 100 > cut,
            "{count} of {cut}"
        );
        most = count;
        let damage = reader.finish().0.damage.unwrap();
        assert!(
            damage.reason.starts_with("the zstd data is cut off after"),
            "{}",
            damage.reason
        );
        assert_eq!(damage.offset, 24 + count as u64 * 60_016);
    }
    assert!(most >= 6);
}

#[test]
fn members_and_frames_follow_each_other() {
    let file = pcap(&[50, 60, 70]);
    let expected = read(&file).frames;
    let (a, rest) = file.split_at(30);
    let (b, c) = rest.split_at(80);
    let mut filled = [gzip(a), gzip(b), gzip(b""), gzip(c)].concat();
    filled.extend([0; 512]);
    // A frame for other readers, between.
    let skipped = [0x5A, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3].to_vec();
    let frames = [skipped.clone(), zstd(a), zstd(b), skipped, zstd(c)].concat();
    for (packed, compression) in [(filled, Compression::Gzip), (frames, Compression::Zstd)] {
        let found = read(&packed);
        assert_eq!(found.frames, expected);
        assert_eq!(found.info.damage, None);
        assert_eq!(found.info.compression, Some(compression));
    }
}

/// The header that bgzip writes, and all other optional fields.
#[test]
fn optional_fields_of_a_gzip_header_are_passed_over() {
    let file = pcap(&[50]);
    let plain = gzip(&file);
    let mut packed = vec![0x1F, 0x8B, 8, 0x1E, 0, 0, 0, 0, 0, 3];
    packed.extend([6, 0, 66, 67, 2, 0, 9, 9]);
    packed.extend(b"name\0comment\0");
    packed.extend([7, 7]);
    packed.extend(&plain[10..]);
    assert_eq!(read(&packed).frames, read(&file).frames);
}

#[test]
fn what_is_wrong_with_compressed_data_is_said() {
    let file = pcap(&[50, 60]);
    let damage = |packed: &[u8]| {
        let found = read(packed);
        assert_eq!(found.frames.len(), 2);
        let damage = found.info.damage.unwrap();
        assert_eq!(damage.offset, file.len() as u64);
        damage.reason
    };
    let whole = gzip(&file);
    let len = whole.len();
    let mut wrong_sum = whole.clone();
    wrong_sum[len - 8] ^= 1;
    let mut wrong_len = whole.clone();
    wrong_len[len - 1] ^= 1;
    let followed = [&whole[..], b"more, and no gzip"].concat();
    assert_eq!(
        [damage(&wrong_sum), damage(&wrong_len), damage(&followed)],
        [
            format!(
                "the gzip data is corrupt near its byte {}: its check sum differs",
                len
            ),
            format!(
                "the gzip data is corrupt near its byte {}: its length differs",
                len
            ),
            format!("the gzip data ends whole at its byte {len}, and something else follows"),
        ]
    );
    // Four bytes were told as data that is cut off, or in Rust's words.
    for (name, packed) in [("gzip", whole), ("zstd", zstd(&file))] {
        let ends = format!("the {name} data ends whole at its byte {}", packed.len());
        assert!(damage(&[&packed[..], b"junk"].concat()).starts_with(&ends));
    }
}

#[test]
fn a_zstd_window_beyond_the_bound_is_refused() {
    // Window of 256 MiB; one raw last block of no bytes.
    let packed = [0x28, 0xB5, 0x2F, 0xFD, 0, (28 - 10) << 3, 1, 0, 0];
    let Err(error) = Reader::new(&packed[..], "x") else {
        panic!("not refused");
    };
    assert!(
        error
            .to_string()
            .ends_with("it needs a window of 268435456 bytes; at most 134217728 are given"),
        "{error}"
    );
}

#[test]
fn what_was_compressed_is_named() {
    let found = |packed: &[u8]| match Reader::new(packed, "x") {
        Err(error @ SavefileError::NotACapture { .. }) => error.to_string(),
        _ => panic!("not refused"),
    };
    let before = "x is no capture file (pcap or pcapng): unpacked from";
    assert_eq!(
        found(&gzip(b"hello")),
        format!("{before} gzip, it begins with the text \"hello\"")
    );
    assert_eq!(found(&zstd(b"")), format!("{before} zstd, it is empty"));
    assert_eq!(
        found(&gzip(&gzip(&pcap(&[1])))),
        format!("{before} gzip, it is compressed with gzip")
    );
}

/// A live input: what is complete is handed out before it is asked again.
#[test]
fn a_pausing_pipe_holds_no_frame_back() {
    struct Pipe(Vec<Vec<u8>>);
    impl Read for Pipe {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let piece = self.0.remove(0); // panics where it is asked too often
            room[..piece.len()].copy_from_slice(&piece);
            Ok(piece.len())
        }
    }
    let file = pcap(&[50, 60, 70]);
    let (second, third) = (24 + 66, 24 + 66 + 76);
    for pack in [<[u8]>::to_vec, gzip, zstd] {
        let pieces = [
            pack(&file[..second]),
            pack(&file[second..third + 5]),
            pack(&file[third + 5..]),
        ];
        let mut reader = Reader::new(Pipe(pieces.to_vec()), "pipe").unwrap();
        let mut batch = Batch::new();
        for number in 1..=3 {
            assert!(reader.next_batch(&mut batch).unwrap());
            assert_eq!(batch.len(), 1);
            assert_eq!(batch.get(0).unwrap().number, number);
        }
    }
}

#[test]
fn a_failing_input_costs_no_frame_before_it() {
    struct Failing<'a>(&'a [u8]);
    impl Read for Failing<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            match self.0.read(room) {
                Ok(0) => Err(io::Error::other("unplugged")),
                result => result,
            }
        }
    }
    let file = pcap(&[50, 60, 70]);
    for packed in [file.clone(), gzip(&file), zstd(&file)] {
        let mut reader = Reader::new(Failing(&packed), "disk").unwrap();
        for _ in 0..3 {
            assert!(reader.next_frame().unwrap().is_some());
        }
        let error = reader.next_frame().unwrap_err();
        assert_eq!(error.to_string(), "disk: unplugged");
        assert!(reader.next_frame().unwrap().is_none());
    }
}

/// Blocks without packets pass through a small block; what grew, shrinks.
#[test]
fn a_block_grows_for_a_long_record_only() {
    let mut file = pcapng(&[9]);
    let skipped = |len: usize| {
        let total = ((FRAMING + len) as u32).to_le_bytes();
        [&9u32.to_le_bytes()[..], &total, &vec![7; len], &total].concat()
    };
    file.extend(skipped(1 << 20));
    for _ in 0..1000 {
        file.extend(skipped(16));
    }
    let order = ByteOrder::Little;
    let mut body = [0u32, 0, 0, 4, 4].map(u32::to_le_bytes).concat();
    body.extend(b"last");
    option::push(&mut body, order, OPT_COMMENT, b"seen");
    let total = ((FRAMING + body.len()) as u32).to_le_bytes();
    file.extend([&ENHANCED_PACKET.to_le_bytes()[..], &total, &body, &total].concat());

    let mut reader = Reader::new(&file[..], "test").unwrap();
    let mut batch = Batch::with_block(512);
    assert!(reader.next_batch(&mut batch).unwrap());
    assert!(batch.memory() <= 8 << 10, "{}", batch.memory());
    assert!(reader.next_batch(&mut batch).unwrap());
    assert_eq!(batch.get(0).unwrap().data, b"last");
    assert_eq!(batch.comments(0).collect::<Vec<_>>(), ["seen"]);
    assert!(batch.memory() <= 4 << 20, "{}", batch.memory());
    assert!(!reader.next_batch(&mut batch).unwrap());
    assert!(batch.memory() <= 8 << 10, "{}", batch.memory());
    assert_eq!(reader.finish().0.damage, None);
}

/// A claimed length makes nothing grow that the file does not back.
#[test]
fn a_claimed_length_costs_no_memory() {
    let mut file = pcap(&[1]);
    file.extend([0u32, 0, 262_144, 262_144].map(u32::to_le_bytes).concat());
    file.extend([0; 300]);
    let mut reader = Reader::new(&file[..], "test").unwrap();
    let mut batch = Batch::with_block(512);
    while reader.next_batch(&mut batch).unwrap() {}
    assert!(batch.memory() <= 4 << 10, "{}", batch.memory());
    let damage = reader.finish().0.damage.unwrap();
    assert_eq!(
        damage.reason,
        "the file ends inside a frame (300 of 262144 bytes)"
    );
}

#[test]
fn comments_of_sections_and_interfaces_are_kept_within_a_bound() {
    let order = ByteOrder::Little;
    let block = |kind: u32, body: Vec<u8>| {
        let total = ((FRAMING + body.len()) as u32).to_le_bytes();
        [&kind.to_le_bytes()[..], &total, &body, &total].concat()
    };
    let mut section = BYTE_ORDER_MAGIC.to_le_bytes().to_vec();
    section.extend([1, 0, 0, 0]);
    section.extend([0xFF; 8]);
    option::push(&mut section, order, OPT_COMMENT, b"whole file\0");
    let mut file = block(SECTION_HEADER, section.clone());
    let mut interface = vec![1, 0, 0, 0, 0, 0, 0, 0];
    option::push(&mut interface, order, OPT_COMMENT, b"eth0 it is");
    file.extend(block(INTERFACE_DESCRIPTION, interface));
    let info = read(&file).info;
    assert_eq!(info.comments, ["whole file"]);
    assert_eq!(info.interfaces[0].comments, ["eth0 it is"]);

    let mut interface = vec![1, 0, 0, 0, 0, 0, 0, 0];
    for _ in 0..40 {
        option::push(&mut interface, order, OPT_COMMENT, &[b'x'; 65_000]);
    }
    file.extend(block(INTERFACE_DESCRIPTION, interface));
    let info = read(&file).info;
    assert_eq!(info.interfaces[1].comments.len(), 16);

    // Regression: names had no bound, and each part of the file that was read had a
    // copy of all of them.
    let mut interface = vec![1, 0, 0, 0, 0, 0, 0, 0];
    option::push(&mut interface, order, IF_NAME, &[b'n'; 65_000]);
    let mut named = block(SECTION_HEADER, section.clone());
    named.extend(block(INTERFACE_DESCRIPTION, interface).repeat(40));
    let interfaces = read(&named).info.interfaces;
    assert_eq!(interfaces.iter().filter(|i| i.name.is_some()).count(), 16);
    assert_eq!(interfaces.len(), 40);

    let interface = block(INTERFACE_DESCRIPTION, vec![1, 0, 0, 0, 0, 0, 0, 0]);
    let many = [file, interface.repeat(MAX_INTERFACES)].concat();
    let info = read(&many).info;
    assert_eq!(info.interfaces.len(), MAX_INTERFACES);
    assert_eq!(info.damage.unwrap().reason, "more than 65536 interfaces");
}
