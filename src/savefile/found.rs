//! What a file is that is no capture file, in words.

/// Says what the first bytes of a file look like.
pub(super) fn describe(head: &[u8]) -> String {
    const KNOWN: [(&[u8], &str); 9] = [
        // One layer of these is unpacked: this is within another.
        (b"\x1f\x8b", "it is compressed with gzip"),
        (b"\x28\xb5\x2f\xfd", "it is compressed with zstd"),
        (
            b"\xfd7zXZ\0",
            "it is compressed with xz: unpack it first (unxz)",
        ),
        (
            b"\x04\x22\x4d\x18",
            "it is compressed with lz4: unpack it first (unlz4)",
        ),
        (
            b"BZh",
            "it is compressed with bzip2: unpack it first (bunzip2)",
        ),
        (b"PK\x03\x04", "it is a zip archive: unpack it first"),
        (
            b"snoop\0\0\0",
            "it is a snoop capture: convert it with `editcap -F pcapng`",
        ),
        (b"%PDF", "it is a PDF document"),
        (b"\x7fELF", "it is a program"),
    ];
    if head.is_empty() {
        return "it is empty".to_owned();
    }
    if let Some((_, words)) = KNOWN.iter().find(|(magic, _)| head.starts_with(magic)) {
        return (*words).to_owned();
    }
    if let Some(text) = printable(head) {
        /// Characters that tell enough.
        const SHOWN: usize = 40;
        return match text.char_indices().nth(SHOWN) {
            Some((end, _)) => {
                let text = text.get(..end).unwrap_or_default();
                format!("it begins with the text {text:?} …")
            }
            None => format!("it begins with the text {text:?}"),
        };
    }
    let bytes: Vec<String> = head.iter().take(8).map(|b| format!("{b:02x}")).collect();
    format!("it begins with the bytes {}", bytes.join(" "))
}

/// The first line of a text file. The last character may be cut.
fn printable(head: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let control = |c: char| c.is_control() && !"\r\n\t".contains(c);
    if text.is_empty() || text.contains(control) {
        return None;
    }
    text.lines().next().filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn what_was_found_is_named() {
        assert_eq!(describe(b""), "it is empty");
        assert!(describe(b"\x1f\x8b\x08").contains("gzip"));
        assert_eq!(
            describe(b"#!/bin/sh\necho"),
            "it begins with the text \"#!/bin/sh\""
        );
        assert_eq!(
            describe("a line of text ".repeat(50).as_bytes()),
            "it begins with the text \"a line of text a line of text a line of \" …"
        );
        // The name of a file may end in the middle of a character.
        assert_eq!(
            describe(b"gr\xc3\xbc\xc3"),
            "it begins with the text \"gr\u{fc}\""
        );
        assert_eq!(
            describe(b"\x00\xff\x07"),
            "it begins with the bytes 00 ff 07"
        );
        assert_eq!(
            describe(b"a\x1b[2J"),
            "it begins with the bytes 61 1b 5b 32 4a"
        );
    }
}
