//! What records are made of.

/// Types of records (RFC 8446 §5.1, `ContentType`).
pub const CHANGE_CIPHER_SPEC: u8 = 20;
pub const ALERT: u8 = 21;
pub const HANDSHAKE: u8 = 22;
pub const APPLICATION_DATA: u8 = 23;

/// Level and description of an alert; one that is encrypted is longer.
pub(super) const ALERT_LEN: usize = 2;

/// Type, version and length.
pub(super) const RECORD_HEADER: usize = 5;
/// A record's most bytes: what TLS 1.2 allows for an encrypted one.
pub(super) const MAX_RECORD: usize = (1 << 14) + 2048;

/// Type and length of a handshake message.
pub(super) const MESSAGE_HEADER: usize = 4;
/// The longest handshake message that is read.
pub(super) const MAX_MESSAGE: usize = 64 << 10;
