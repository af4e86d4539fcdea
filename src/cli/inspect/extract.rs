//! `inspect --extract DIR`: the bodies of HTTP messages, each in a file.
//!
//! Names come from hostile bytes: see [`file_name`]. No file is overwritten and
//! no symbolic link is followed, whatever stands in the folder.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::show::Showing;
use crate::cli::{Exit, output};
use crate::message::{self, Head, Message};
use crate::render::terminal::inspect::size;
use crate::render::{json, text};
use crate::report::Side;

/// Bytes of a name that come from the target of a request.
const NAME: usize = 100;
/// Bytes of an extension that are kept where a name is too long.
const EXTENSION: usize = 16;
/// So many files may have the same name but for a number.
const ALIKE: u32 = 10_000;

/// So many times the bytes that may be written may be decoded in vain.
const SPARE: u64 = 8;

/// A body to write.
#[derive(Clone, Copy, Debug)]
struct Body<'a> {
    /// `tcp.stream`.
    stream: u32,
    /// Among the transactions of the stream, from 0.
    transaction: usize,
    side: Side,
    /// The request's target, where it was seen.
    uri: &'a str,
    /// Of the response.
    code: Option<u16>,
    content_type: Option<&'a str>,
    bytes: &'a [u8],
    /// It has more, which is not decoded: there is no room for it.
    more: bool,
    complete: bool,
    /// What is wrong with it.
    trouble: Option<&'a str>,
}

/// A file that was written: a line of the list.
#[derive(Clone, Debug, Serialize)]
struct Extracted<'a> {
    file: String,
    stream: u32,
    transaction: usize,
    /// Who sent it: the client a request, the server a response.
    from: Side,
    uri: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
    /// In the file.
    bytes: u64,
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<&'a str>,
}

pub struct Extractor {
    folder: PathBuf,
    /// Content codings are removed.
    decode: bool,
    /// Bytes that may still be written.
    left: u64,
    /// Bytes that may still be decoded in vain, because they are too many to be
    /// written.
    spare: u64,
    limit: u64,
    files: u64,
    written: u64,
    /// Bodies of which no byte can be read.
    unread: u64,
    /// Bodies that were left out, and their bytes.
    skipped: (u64, u64),
    /// They have more: decoding ended where it was too much.
    more: bool,
}

impl Extractor {
    /// Makes the folder, if there is none.
    pub fn new(folder: &Path, decode: bool, limit: u64) -> Result<Extractor, String> {
        fs::create_dir_all(folder)
            .map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))?;
        Ok(Extractor {
            folder: folder.to_owned(),
            decode,
            left: limit,
            spare: limit.saturating_mul(SPARE),
            limit,
            files: 0,
            written: 0,
            unread: 0,
            skipped: (0, 0),
            more: false,
        })
    }

    /// Writes the bodies of a transaction: the `number`-th, from 0, of its
    /// stream.
    pub fn message(
        &mut self,
        message: &Message,
        stream: u32,
        number: usize,
        showing: &mut Showing,
    ) -> Exit {
        let uri = message.request.as_ref().map_or("", |r| &r.target);
        let request = message.request.as_ref().map(|r| (&r.head, &r.body));
        let response = message.response.as_ref().map(|r| (&r.head, &r.body));
        let code = message.response.as_ref().map(|r| r.code);
        // HTTP/0.9 has none.
        let code = code.filter(|code| *code != 0);
        let sides = [
            (Side::Client, None, request),
            (Side::Server, code, response),
        ];
        let mut exit = Exit::Passed;
        for (side, code, half) in sides {
            let Some((head, body)) = half else {
                continue;
            };
            let (bytes, trouble, more) = self.content(head, body);
            let cut = || format!("only the first {} bytes were kept", body.bytes.len());
            let trouble = trouble.or_else(|| body.trouble.clone());
            let trouble = trouble.or_else(|| (!body.is_kept()).then(cut));
            let body = Body {
                stream,
                transaction: number,
                side,
                uri,
                code,
                content_type: head.header("content-type"),
                bytes: &bytes,
                more,
                complete: body.complete && body.is_kept(),
                trouble: trouble.as_deref(),
            };
            exit = exit.worst(self.body(&body, showing));
        }
        exit
    }

    /// The bytes of a body, decoded where that is asked for; why they are not all; and
    /// whether that is because there is no room for them. Of which nothing can be
    /// decoded, it is as it was sent.
    fn content<'a>(
        &mut self,
        head: &'a Head,
        body: &'a message::Body,
    ) -> (Cow<'a, [u8]>, Option<String>, bool) {
        if !self.decode {
            return (Cow::Borrowed(&body.bytes), None, false);
        }
        // The more was decoded in vain, the sooner a large body is given up.
        let most = self.left.min(self.spare / 4);
        // One byte more than may be written tells that it is too much.
        let limit = usize::try_from(most.saturating_add(1)).unwrap_or(usize::MAX);
        let decoded = message::decoded(head, body, limit);
        let more = !decoded.codings.is_empty() && decoded.bytes.len() as u64 > most;
        if more {
            self.spare = self.spare.saturating_sub(decoded.bytes.len() as u64);
        }
        match decoded.bytes.is_empty() && decoded.trouble.is_some() {
            true => (Cow::Borrowed(&body.bytes), decoded.trouble, more),
            false => (decoded.bytes, decoded.trouble, more),
        }
    }

    /// Writes a body, and its line of the list. An empty one gets no file.
    fn body(&mut self, body: &Body<'_>, showing: &mut Showing) -> Exit {
        let bytes = body.bytes.len() as u64;
        if bytes == 0 {
            self.unread += u64::from(!body.complete && body.trouble.is_some());
            return Exit::Passed;
        }
        if bytes > self.left || body.more {
            self.skipped.0 += 1;
            self.skipped.1 += bytes;
            self.more |= body.more;
            return Exit::Passed;
        }
        let path = match self.write(&file_name(body), body.bytes) {
            Ok(path) => path,
            Err((path, error)) => {
                output::tell(&format!("cannot write {}: {error}", path.display()));
                return Exit::Environment;
            }
        };
        self.left -= bytes;
        self.files += 1;
        self.written += bytes;
        let extracted = Extracted {
            file: path.display().to_string(),
            stream: body.stream,
            transaction: body.transaction,
            from: body.side,
            uri: body.uri,
            code: body.code,
            content_type: body.content_type,
            bytes,
            complete: body.complete,
            trouble: body.trouble,
        };
        showing.extracted(&extracted.line(showing.is_json()));
        Exit::Passed
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, (PathBuf, io::Error)> {
        for number in 1..=ALIKE {
            let path = self.folder.join(match number {
                1 => name.to_owned(),
                number => numbered(name, number),
            });
            // With this option a link that stands there is not followed.
            let file = OpenOptions::new().write(true).create_new(true).open(&path);
            let written = match file {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => Err(error),
                Ok(mut file) => fill(&mut file, bytes),
            };
            return written
                .map(|()| path.clone())
                .map_err(|error| (path, error));
        }
        let error = io::Error::new(io::ErrorKind::AlreadyExists, "too many files of this name");
        Err((self.folder.join(name), error))
    }

    /// Says what came of it all.
    pub fn finish(&self) {
        let files = if self.files == 1 { "file" } else { "files" };
        output::tell(&format!(
            "{} {files} with {} written to {}",
            self.files,
            size(self.written),
            self.folder.display()
        ));
        if self.unread > 0 {
            let bodies = if self.unread == 1 { "body" } else { "bodies" };
            output::tell(&format!(
                "{} {bodies} that cannot be read left out: `trouble` in --http --ndjson says why",
                self.unread
            ));
        }
        let (bodies, bytes) = self.skipped;
        if bodies > 0 {
            let more = if self.more { "more than " } else { "" };
            output::tell(&format!(
                "{bodies} more with {more}{} left out: --extract-limit is {}",
                size(bytes),
                size(self.limit)
            ));
        }
    }
}

fn fill(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)
}

impl Extracted<'_> {
    fn line(&self, as_json: bool) -> Vec<u8> {
        let mut line = Vec::new();
        if as_json {
            json::line(self, &mut line);
            return line;
        }
        let mut words = vec![self.file.clone(), size(self.bytes)];
        words.extend(self.code.map(|code| code.to_string()));
        words.extend(self.content_type.map(str::to_owned));
        words.push(self.uri.to_owned());
        if !self.complete {
            words.push("(incomplete)".to_owned());
        }
        words.extend(self.trouble.map(|trouble| format!("({trouble})")));
        let words = text::visible(&words.join("  "));
        line.extend_from_slice(output::in_charset(&words).as_bytes());
        line.push(b'\n');
        line
    }
}

/// `tcp0-2-HelloWorld.html`, `tcp0-3-request-upload`: the stream, the number of
/// the transaction in it, and the last part of the target.
///
/// Of the target only ASCII letters, digits and `.-_+=,@~%` are kept: no
/// separator, no control character, nothing that a shell or a terminal acts on.
/// The numbers before it keep it from being hidden, an option, or one of the
/// names that Windows reserves; it does not end with a dot, as there no name
/// may.
fn file_name(body: &Body<'_>) -> String {
    let path = body.uri.split(['?', '#']).next().unwrap_or_default();
    // Of `http://host` nothing but the path counts.
    let path = match path.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => path,
    };
    let last = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last
        .chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => c,
            '.' | '-' | '_' | '+' | '=' | ',' | '@' | '~' | '%' => c,
            _ => '_',
        })
        .collect();
    let kept = shortened(kept.trim_matches('.'));
    let kept = kept.trim_end_matches('.');
    let name = match (kept, body.side) {
        ("", _) => format!("index{}", extension(body.content_type)),
        (kept, _) => kept.to_owned(),
    };
    let side = match body.side {
        Side::Client => "request-",
        Side::Server => "",
    };
    format!("tcp{}-{}-{side}{name}", body.stream, body.transaction)
}

/// The name, cut in its middle where it is too long: the extension stays.
fn shortened(name: &str) -> String {
    if name.len() <= NAME {
        return name.to_owned();
    }
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    let extension = match extension.filter(|e| !e.is_empty() && e.len() <= EXTENSION) {
        Some(extension) => format!(".{extension}"),
        None => String::new(),
    };
    // All of it is ASCII.
    let start = name.get(..NAME - extension.len()).unwrap_or_default();
    format!("{start}{extension}")
}

/// For a target that names no file.
fn extension(content_type: Option<&str>) -> &'static str {
    let media = content_type.unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    match media.to_ascii_lowercase().as_str() {
        "text/html" => ".html",
        "text/plain" => ".txt",
        "text/css" => ".css",
        "text/xml" | "application/xml" => ".xml",
        "application/json" => ".json",
        "text/javascript" | "application/javascript" => ".js",
        "image/png" => ".png",
        "image/jpeg" => ".jpg",
        "image/gif" => ".gif",
        "application/pdf" => ".pdf",
        _ => "",
    }
}

/// `a.html` to `a~2.html`.
fn numbered(name: &str, number: u32) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}~{number}.{extension}"),
        None => format!("{name}~{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(uri: &str) -> String {
        file_name(&body(uri))
    }

    fn body(uri: &str) -> Body<'_> {
        Body {
            stream: 3,
            transaction: 0,
            side: Side::Server,
            uri,
            code: Some(200),
            content_type: Some("text/html; charset=utf-8"),
            bytes: b"x",
            more: false,
            complete: true,
            trouble: None,
        }
    }

    #[test]
    fn names_come_from_the_last_part_of_the_target() {
        assert_eq!(named("/a/b/page.html?q=/x.exe#y"), "tcp3-0-page.html");
        assert_eq!(named("http://h/x.png"), "tcp3-0-x.png");
        assert_eq!(named("http://host.example"), "tcp3-0-index.html");
        assert_eq!(named("/"), "tcp3-0-index.html");
        assert_eq!(named("*"), "tcp3-0-_");
        let request = Body {
            side: Side::Client,
            ..body("/up")
        };
        assert_eq!(file_name(&request), "tcp3-0-request-up");
    }

    #[test]
    fn hostile_names_are_harmless() {
        assert_eq!(named("/../../etc/passwd"), "tcp3-0-passwd");
        assert_eq!(named("/.."), "tcp3-0-index.html");
        assert_eq!(named("/..\\..\\evil.exe"), "tcp3-0-evil.exe");
        assert_eq!(named("/%2e%2e%2fx"), "tcp3-0-%2e%2e%2fx");
        assert_eq!(named("/.bashrc"), "tcp3-0-bashrc");
        assert_eq!(named("/a\0b\x1b[2J\u{202e}gpj"), "tcp3-0-a_b__2J_gpj");
        assert_eq!(named("/CON"), "tcp3-0-CON");
        assert_eq!(named("/a. ."), "tcp3-0-a._");
        let long = format!("/{}.tar.gz", "x".repeat(500));
        assert!(named(&long).len() < 120 && named(&long).ends_with("x.gz"));
    }

    #[test]
    fn nothing_is_overwritten_and_no_link_followed() {
        let folder = tempfile::tempdir().unwrap();
        let extractor = Extractor::new(folder.path(), false, 100).unwrap();
        let outside = tempfile::NamedTempFile::new().unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(outside.path(), folder.path().join("a.html")).unwrap();
        #[cfg(not(unix))]
        fs::write(folder.path().join("a.html"), "").unwrap();
        let first = extractor.write("a.html", b"one").unwrap();
        let second = extractor.write("a.html", b"two").unwrap();
        assert_eq!(first, folder.path().join("a~2.html"));
        assert_eq!(second, folder.path().join("a~3.html"));
        assert_eq!(fs::read(first).unwrap(), b"one");
        assert_eq!(fs::read(outside.path()).unwrap(), b"");
    }

    fn zeros(len: usize) -> (Head, message::Body) {
        use flate2::{Compression, write::GzEncoder};
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![0; len]).unwrap();
        let bytes = encoder.finish().unwrap();
        let head = Head {
            version: "HTTP/1.1",
            headers: [("Content-Encoding", "gzip")].into_iter().collect(),
            range: 0..0,
            packet: 0,
            time: crate::savefile::Timestamp(0),
            trouble: Vec::new(),
        };
        let body = message::Body {
            len: bytes.len() as u64,
            bytes,
            complete: true,
            ..message::Body::default()
        };
        (head, body)
    }

    /// Regression: each body that was too large was decoded up to the limit, and none of
    /// that counted.
    #[test]
    fn what_is_decoded_in_vain_is_bounded() {
        const LIMIT: u64 = 100_000;
        let folder = tempfile::tempdir().unwrap();
        let mut extractor = Extractor::new(folder.path(), true, LIMIT).unwrap();
        let (head, bomb) = zeros(1_000_000);
        let mut decoded = 0;
        for _ in 0..1000 {
            let (bytes, _, more) = extractor.content(&head, &bomb);
            assert!(more);
            decoded += bytes.len() as u64;
        }
        assert!(decoded <= (SPARE + 1) * LIMIT, "{decoded}");
        // A few do not keep ordinary ones from being written.
        let mut extractor = Extractor::new(folder.path(), true, LIMIT).unwrap();
        for _ in 0..4 {
            extractor.content(&head, &bomb);
        }
        let (head, body) = zeros(90_000);
        let (bytes, trouble, more) = extractor.content(&head, &body);
        assert_eq!((bytes.len(), trouble, more), (90_000, None, false));
    }

    proptest! {
        #[test]
        fn a_name_is_one_harmless_word(uri in any::<String>()) {
            let name = named(&uri);
            prop_assert!(name.starts_with("tcp3-0-") && name.len() < 128);
            prop_assert!(!name.ends_with('.'));
            let harmless = |c: char| c.is_ascii_alphanumeric() || ".-_+=,@~%".contains(c);
            prop_assert!(name.chars().all(harmless), "{name}");
        }
    }
}
