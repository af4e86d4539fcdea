//! What a handshake says in the clear.

use crate::conversation::{At, ConversationIndex, Direction};

/// A hello message, and where it was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub conversation: ConversationIndex,
    pub hello: Hello,
    pub way: Direction,
    /// The packet that completed its record, as in Wireshark; where that never
    /// was, the one that brought the hello's last byte.
    pub at: At,
}

/// A record (RFC 8446, section 5.1), as far as it is in the clear.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// `tls.record.content_type`, or `tls.record.opaque_type`.
    pub content_type: u8,
    pub version: u16,
    /// Of what follows its header.
    pub length: u16,
    /// The content type stands for an encrypted one (TLS 1.3).
    pub is_opaque: bool,
    /// It follows a change of the cipher.
    pub is_encrypted: bool,
    /// Those that it completes.
    pub handshakes: Vec<Handshake>,
    /// `tls.alert_message.level` and `.desc`.
    pub alert: Option<(u8, u8)>,
}

/// A handshake message (RFC 8446, section 4).
#[derive(Clone, Debug, PartialEq)]
pub struct Handshake {
    /// `tls.handshake.type`.
    pub kind: u8,
    pub length: u32,
    pub hello: Option<Hello>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Hello {
    Client(ClientHello),
    Server(ServerHello),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientHello {
    /// `tls.record.version` of its first record.
    pub record_version: u16,
    /// `tls.handshake.version`: since TLS 1.3 always that of TLS 1.2.
    pub version: u16,
    /// `tls.handshake.ciphersuite`, in the client's order, GREASE (RFC 8701)
    /// included.
    pub cipher_suites: Vec<u16>,
    /// `tls.handshake.extensions_server_name` (SNI, RFC 6066). Control
    /// characters and what is no text are left to the reader to escape.
    pub server_name: Option<String>,
    /// `tls.handshake.extensions_alpn_str` (RFC 7301).
    pub alpn: Vec<String>,
    /// `tls.handshake.extensions.supported_version`, GREASE included; empty
    /// where the extension is absent (before TLS 1.3).
    pub supported_versions: Vec<u16>,
}

impl ClientHello {
    /// The newest version that it offers.
    pub fn newest_version(&self) -> u16 {
        let known = |version: &u16| (0x0300..=0x03FF).contains(version);
        let newest = self.supported_versions.iter().copied().filter(known).max();
        newest.unwrap_or(self.version)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerHello {
    /// `tls.record.version` of its first record.
    pub record_version: u16,
    /// `tls.handshake.version`: since TLS 1.3 always that of TLS 1.2.
    pub version: u16,
    /// `tls.handshake.ciphersuite`: the one that was chosen.
    pub cipher_suite: u16,
    /// `tls.handshake.extensions.supported_version`: the version that was
    /// chosen, since TLS 1.3.
    pub supported_version: Option<u16>,
    /// `tls.handshake.extensions_alpn_str`: what was chosen; encrypted since
    /// TLS 1.3.
    pub alpn: Option<String>,
    /// It asks for another ClientHello (RFC 8446, section 4.1.4).
    pub is_retry_request: bool,
}

impl ServerHello {
    /// The version that was chosen.
    pub fn chosen_version(&self) -> u16 {
        self.supported_version.unwrap_or(self.version)
    }
}

/// Is that TLS 1.3, or a draft of it?
pub(super) fn is_tls_1_3(version: u16) -> bool {
    matches!(version, 0x0304 | 0x7F00..=0x7FFF)
}

/// "TLS 1.3" for 0x0304; None for one that is not known, GREASE among them.
pub fn version_name(version: u16) -> Option<&'static str> {
    Some(match version {
        0x0300 => "SSL 3.0",
        0x0301 => "TLS 1.0",
        0x0302 => "TLS 1.1",
        0x0303 => "TLS 1.2",
        0x0304 => "TLS 1.3",
        0x7F00..=0x7FFF => "TLS 1.3 (draft)",
        _ => return None,
    })
}

/// The name of a kind of handshake message (RFC 8446 §4, RFC 5246 §7.4); None for one
/// that is not known.
pub fn handshake_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        0 => "HelloRequest",
        1 => "ClientHello",
        2 => "ServerHello",
        4 => "NewSessionTicket",
        5 => "EndOfEarlyData",
        8 => "EncryptedExtensions",
        11 => "Certificate",
        12 => "ServerKeyExchange",
        13 => "CertificateRequest",
        14 => "ServerHelloDone",
        15 => "CertificateVerify",
        16 => "ClientKeyExchange",
        20 => "Finished",
        22 => "CertificateStatus",
        24 => "KeyUpdate",
        _ => return None,
    })
}

/// The IANA name of a cipher suite that is in wide use.
pub fn cipher_suite_name(suite: u16) -> Option<&'static str> {
    Some(match suite {
        0x0005 => "TLS_RSA_WITH_RC4_128_SHA",
        0x000A => "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        0x002F => "TLS_RSA_WITH_AES_128_CBC_SHA",
        0x0033 => "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
        0x0035 => "TLS_RSA_WITH_AES_256_CBC_SHA",
        0x0039 => "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
        0x003C => "TLS_RSA_WITH_AES_128_CBC_SHA256",
        0x003D => "TLS_RSA_WITH_AES_256_CBC_SHA256",
        0x009C => "TLS_RSA_WITH_AES_128_GCM_SHA256",
        0x009D => "TLS_RSA_WITH_AES_256_GCM_SHA384",
        0x009E => "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
        0x009F => "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
        0x1301 => "TLS_AES_128_GCM_SHA256",
        0x1302 => "TLS_AES_256_GCM_SHA384",
        0x1303 => "TLS_CHACHA20_POLY1305_SHA256",
        0xC009 => "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        0xC00A => "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        0xC011 => "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
        0xC013 => "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        0xC014 => "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        0xC023 => "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
        0xC024 => "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
        0xC027 => "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        0xC028 => "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
        0xC02B => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        0xC02C => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        0xC02F => "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        0xC030 => "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        0xCCA8 => "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        0xCCA9 => "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        0xCCAA => "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        _ => return None,
    })
}
