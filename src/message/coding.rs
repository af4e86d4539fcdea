//! Content with its codings removed (RFC 9110, section 8.4.1), as far as asked
//! for: a few bytes can decode to gigabytes.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::read::{DeflateDecoder, ZlibDecoder};

use super::{Body, Head};
use crate::unpack::{Decoder, Unpacked};

/// Codings that are removed one behind the other: more stand in no honest
/// message.
const MAX_CODINGS: usize = 4;
/// Bytes that are decoded at a time.
const BLOCK: usize = 16 * 1024;
/// Bytes that Brotli's reader takes at a time.
const BROTLI_BLOCK: usize = 4096;
/// The largest window that zstd may have in HTTP (RFC 9659, section 3).
const MAX_WINDOW: u64 = 8 << 20;

/// Decoded content.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<'a> {
    /// As far as it could be decoded.
    pub bytes: Cow<'a, [u8]>,
    /// The codings that were removed, in the order in which they were applied.
    pub codings: Vec<&'a str>,
    /// Why `bytes` is not all of the content. Says nothing of bytes that were
    /// not captured or not kept: see [`Body::complete`], [`Body::is_kept`].
    pub trouble: Option<String>,
}

/// Removes the codings that the head names: `gzip`, `deflate` (in the format of
/// zlib, or without it, as some send it), `br` and `zstd`; of transfer codings,
/// those beside `chunked`. Gives at most `limit` bytes.
pub fn decoded<'a>(head: &'a Head, body: &'a Body, limit: usize) -> Decoded<'a> {
    let named = |name| {
        head.headers
            .named(name)
            .flat_map(|list| list.split(','))
            .map(str::trim_ascii)
            .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"))
    };
    let transfer = named("transfer-encoding").filter(|c| !c.eq_ignore_ascii_case("chunked"));
    let codings: Vec<&str> = named("content-encoding").chain(transfer).collect();
    let as_sent = |trouble: Option<String>| Decoded {
        bytes: Cow::Borrowed(&body.bytes),
        codings: Vec::new(),
        trouble,
    };
    if codings.is_empty() || body.bytes.is_empty() {
        return as_sent(None);
    }
    if codings.len() > MAX_CODINGS {
        return as_sent(Some(format!("{} codings are named", codings.len())));
    }
    let mut reader: Box<dyn Read + 'a> = Box::new(body.bytes.as_slice());
    // The last one that was applied is the first to be removed.
    for coding in codings.iter().rev() {
        reader = match without(coding, reader) {
            Ok(reader) => reader,
            Err(trouble) => return as_sent(Some(trouble)),
        };
    }
    let (bytes, trouble) = read(reader, limit);
    Decoded {
        bytes: Cow::Owned(bytes),
        trouble: trouble.map(|what| format!("{}: {what}", codings.join(", "))),
        codings,
    }
}

fn read(mut reader: impl Read, limit: usize) -> (Vec<u8>, Option<String>) {
    let mut bytes = Vec::new();
    let mut block = vec![0; BLOCK];
    loop {
        match reader.read(&mut block) {
            Ok(0) => return (bytes, None),
            Ok(len) => {
                let room = limit.saturating_sub(bytes.len());
                let more = block.get(..len).unwrap_or(&block);
                bytes.extend_from_slice(more.get(..room).unwrap_or(more));
                if more.len() > room {
                    return (
                        bytes,
                        Some(format!("only the first {limit} bytes are decoded")),
                    );
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return (
                    bytes,
                    Some("the content ends before its coding does".to_owned()),
                );
            }
            Err(error) => {
                let trouble = format!(
                    "the content is damaged behind byte {}: {error}",
                    bytes.len()
                );
                return (bytes, Some(trouble));
            }
        }
    }
}

/// Removes one coding.
fn without<'a>(coding: &str, mut coded: Box<dyn Read + 'a>) -> Result<Box<dyn Read + 'a>, String> {
    let is = |name| coding.eq_ignore_ascii_case(name);
    Ok(if is("gzip") || is("x-gzip") {
        Box::new(Unpacked::new(coded, Decoder::gzip()))
    } else if is("deflate") {
        let mut start = [0; 2];
        let len = fill(&mut coded, &mut start);
        let coded = io::Cursor::new(start).take(len as u64).chain(coded);
        match is_zlib(start) {
            true => Box::new(ZlibDecoder::new(coded)),
            false => Box::new(DeflateDecoder::new(coded)),
        }
    } else if is("br") {
        Box::new(brotli_decompressor::Decompressor::new(coded, BROTLI_BLOCK))
    } else if is("zstd") {
        Box::new(Unpacked::new(coded, Decoder::zstd(MAX_WINDOW)))
    } else {
        return Err(format!("the coding \"{coding}\" is not known"));
    })
}

/// Reads as many bytes as there are, up to two.
fn fill(reader: &mut impl Read, start: &mut [u8; 2]) -> usize {
    let mut len = 0;
    while let Some(rest) = start.get_mut(len..)
        && !rest.is_empty()
        && let Ok(more @ 1..) = reader.read(rest)
    {
        len += more;
    }
    len
}

/// RFC 1950, section 2.2.
fn is_zlib(start: [u8; 2]) -> bool {
    start[0] & 0x0f == 8 && u16::from_be_bytes(start).is_multiple_of(31)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;
    use crate::savefile::Timestamp;

    const TEXT: &[u8] = b"to be or not to be, or to be";

    fn head(codings: &str) -> Head {
        Head {
            version: "HTTP/1.1",
            headers: [("Content-Encoding", codings)].into_iter().collect(),
            range: 0..0,
            packet: 0,
            time: Timestamp(0),
            trouble: Vec::new(),
        }
    }

    fn body(bytes: Vec<u8>) -> Body {
        Body {
            len: bytes.len() as u64,
            bytes,
            ..Body::default()
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    /// RFC 7932: a stored block, and the empty last one.
    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let len = bytes.len() as u32 - 1;
        let mut coded = vec![0x0c, 0, 0, 0];
        // WBITS 16 (1 bit), ISLAST 0, MNIBBLES 4, MLEN - 1, ISUNCOMPRESSED.
        let bits: u32 = (len << 4) | (1 << 20);
        coded.copy_from_slice(&bits.to_le_bytes());
        coded.truncate(3);
        coded.extend(bytes);
        coded.push(0x03);
        coded
    }

    fn whole(codings: &str, bytes: Vec<u8>) -> Vec<u8> {
        let (head, body) = (head(codings), body(bytes));
        let decoded = decoded(&head, &body, 1 << 20);
        assert_eq!(decoded.trouble, None, "{codings}");
        decoded.bytes.into_owned()
    }

    #[test]
    fn each_coding_is_removed() {
        assert_eq!(whole("", TEXT.to_vec()), TEXT);
        assert_eq!(whole("identity", TEXT.to_vec()), TEXT);
        assert_eq!(whole("gzip", gzip(TEXT)), TEXT);
        assert_eq!(whole("X-GZIP", gzip(TEXT)), TEXT);
        assert_eq!(whole("deflate", zlib(TEXT)), TEXT);
        assert_eq!(whole("deflate", deflate(TEXT)), TEXT);
        assert_eq!(whole("br", brotli(TEXT)), TEXT);
        assert_eq!(whole("deflate, gzip", gzip(&zlib(TEXT))), TEXT);
        let two = [gzip(b"to be "), gzip(b"or not")].concat();
        assert_eq!(whole("gzip", two), b"to be or not");
        // Regression: only the first frame was decoded, and nothing told of the rest.
        let skipped = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        let two = [zstd(b"to be "), skipped.to_vec(), zstd(b"or not")].concat();
        assert_eq!(whole("zstd", two), b"to be or not");
    }

    #[test]
    fn what_cannot_be_decoded_is_told() {
        let trouble = |codings: &str, bytes: Vec<u8>, limit: usize| {
            let (head, body) = (head(codings), body(bytes));
            let decoded = decoded(&head, &body, limit);
            (decoded.bytes.len(), decoded.trouble.unwrap_or_default())
        };
        let (len, why) = trouble("compress", TEXT.to_vec(), 100);
        assert!(len == TEXT.len() && why.contains("not known"));
        let (len, why) = trouble("gzip, gzip, gzip, gzip, gzip", TEXT.to_vec(), 100);
        assert!(len == TEXT.len() && why.contains("5 codings"));
        let (_, why) = trouble("gzip", TEXT.to_vec(), 100);
        assert!(why.contains("damaged"), "{why}");
        // It was told as content that is cut off.
        let followed = [&gzip(TEXT)[..], b"junk"].concat();
        let (len, why) = trouble("gzip", followed, 100);
        assert_eq!(len, TEXT.len());
        assert!(
            why.contains("behind byte 28: what follows is no gzip"),
            "{why}"
        );
        let (_, why) = trouble("zstd", TEXT.to_vec(), 100);
        assert!(why.ends_with("it is no zstd"), "{why}");
        // Regressions: neither was seen; a frame may ask for 16 MiB of memory.
        let mut wrong = zstd(TEXT);
        *wrong.last_mut().unwrap() ^= 1;
        let (_, why) = trouble("zstd", wrong, 100);
        assert!(why.ends_with("its check sum differs"), "{why}");
        let window = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x70, 1, 0, 0];
        let (_, why) = trouble("zstd", window.to_vec(), 100);
        assert!(why.contains("window of 16777216 bytes"), "{why}");
        // A bomb: ten million bytes out of ten thousand.
        let bomb = gzip(&vec![0; 10_000_000]);
        let (len, why) = trouble("gzip", bomb.clone(), 1000);
        assert!(len == 1000 && why.contains("only the first 1000"));
        let (len, _) = trouble("gzip, gzip", gzip(&bomb), 1000);
        assert_eq!(len, 1000);
        let long: Vec<u8> = (0..100_000u32)
            .flat_map(|n| n.wrapping_mul(n).to_le_bytes())
            .collect();
        let cut = gzip(&long);
        let (len, why) = trouble("gzip", cut[..cut.len() / 2].to_vec(), 1 << 30);
        assert!(len > 100_000 && why.contains("ends before"), "{len} {why}");
    }

    proptest! {
        #[test]
        fn any_bytes_do_no_harm(
            coding in prop::sample::select(&["gzip", "deflate", "br", "zstd", "br, gzip"][..]),
            bytes in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let (head, body) = (head(coding), body(bytes));
            prop_assert!(decoded(&head, &body, 10_000).bytes.len() <= 10_000);
        }

        #[test]
        fn any_prefix_gives_its_beginning(cut in 0usize..200) {
            let coded = brotli(TEXT);
            let all = [("gzip", gzip(TEXT)), ("deflate", zlib(TEXT)), ("zstd", zstd(TEXT)), ("br", coded)];
            for (coding, coded) in all {
                let (head, body) = (head(coding), body(coded[..cut.min(coded.len())].to_vec()));
                let decoded = decoded(&head, &body, 1000);
                if coding != "br" {
                    prop_assert!(TEXT.starts_with(&decoded.bytes));
                }
            }
        }
    }
}
