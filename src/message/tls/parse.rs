//! Bytes to a hello.

use super::model::{ClientHello, Hello, ServerHello};

pub const CLIENT_HELLO: u8 = 1;
pub const SERVER_HELLO: u8 = 2;

const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;
const HOST_NAME: u8 = 0;

/// How many protocols of an ALPN list are kept.
const MAX_PROTOCOLS: usize = 64;

/// What a server sends for a random number where it asks for another
/// ClientHello: the SHA-256 of "HelloRetryRequest".
const RETRY: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
    0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];

/// Reads the body of a handshake message; None where it is no hello, or broken.
pub fn hello(kind: u8, record_version: u16, body: &[u8]) -> Option<Hello> {
    let mut cursor = Cursor(body);
    match kind {
        CLIENT_HELLO => client(record_version, &mut cursor).map(Hello::Client),
        SERVER_HELLO => server(record_version, &mut cursor).map(Hello::Server),
        _ => None,
    }
}

fn client(record_version: u16, cursor: &mut Cursor<'_>) -> Option<ClientHello> {
    let mut hello = ClientHello {
        record_version,
        version: cursor.u16()?,
        ..ClientHello::default()
    };
    cursor.take(32)?; // random
    cursor.vector8()?; // session
    hello.cipher_suites = cursor.vector16()?.words();
    cursor.vector8()?; // compression
    // An extension that is broken makes the rest unreadable, not the hello.
    each_extension(cursor, |kind, mut data| {
        match kind {
            SERVER_NAME => {
                let mut list = data.vector16()?;
                while let Some(kind) = list.u8() {
                    let name = list.vector16()?;
                    if kind == HOST_NAME && hello.server_name.is_none() {
                        hello.server_name = Some(name.text());
                    }
                }
            }
            ALPN => {
                let mut list = data.vector16()?;
                while !list.0.is_empty() && hello.alpn.len() < MAX_PROTOCOLS {
                    hello.alpn.push(list.vector8()?.text());
                }
            }
            SUPPORTED_VERSIONS => hello.supported_versions = data.vector8()?.words(),
            _ => {}
        }
        Some(())
    });
    Some(hello)
}

/// Is that the `tls.handshake.version` of a draft of TLS 1.3 before the 22nd? Its
/// number, or TLS 1.3 itself, in whose place the RFC has TLS 1.2.
fn is_early_draft(version: u16) -> bool {
    matches!(version, 0x0304 | 0x7F00..0x7F16)
}

fn server(record_version: u16, cursor: &mut Cursor<'_>) -> Option<ServerHello> {
    let mut hello = ServerHello {
        record_version,
        version: cursor.u16()?,
        ..ServerHello::default()
    };
    hello.is_retry_request = cursor.take(32)? == RETRY;
    // TLS 1.3's drafts did without session and compression until the 22nd took them
    // back (RFC 8446, section 4.1.3 has them).
    let is_early_draft = is_early_draft(hello.version);
    if !is_early_draft {
        cursor.vector8()?; // session
    }
    hello.cipher_suite = cursor.u16()?;
    if !is_early_draft {
        cursor.u8()?; // compression
    }
    each_extension(cursor, |kind, mut data| {
        match kind {
            ALPN => hello.alpn = Some(data.vector16()?.vector8()?.text()),
            SUPPORTED_VERSIONS => hello.supported_version = Some(data.u16()?),
            _ => {}
        }
        Some(())
    });
    Some(hello)
}

/// Hands out the extensions that follow, until one is broken.
fn each_extension<'a>(
    cursor: &mut Cursor<'a>,
    mut take: impl FnMut(u16, Cursor<'a>) -> Option<()>,
) -> Option<()> {
    let mut list = cursor.vector16()?;
    while !list.0.is_empty() {
        let kind = list.u16()?;
        take(kind, list.vector16()?)?;
    }
    Some(())
}

/// The bytes that are left.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn u16(&mut self) -> Option<u16> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*first))
    }

    /// Bytes with their number before them.
    fn vector8(&mut self) -> Option<Cursor<'a>> {
        let len = self.u8()?;
        self.take(usize::from(len)).map(Cursor)
    }

    fn vector16(&mut self) -> Option<Cursor<'a>> {
        let len = self.u16()?;
        self.take(usize::from(len)).map(Cursor)
    }

    fn words(mut self) -> Vec<u16> {
        std::iter::from_fn(|| self.u16()).collect()
    }

    fn text(self) -> String {
        String::from_utf8_lossy(self.0).into_owned()
    }
}
