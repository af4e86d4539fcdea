//! The codes of a scenario file's diagnostics. Stable: a code is never used for
//! another mistake. The codes of `[expect]`'s statements are those of `expect`.

/// The file is no TOML.
pub const SYNTAX: &str = "S001";
/// The file is larger than [`super::MAX_BYTES`].
pub const TOO_LARGE: &str = "S002";
/// A key that no table of this kind has.
pub const UNKNOWN_KEY: &str = "S003";
/// A string where a table is needed, and the like.
pub const WRONG_TYPE: &str = "S004";
/// A table or key that every scenario needs is not there.
pub const MISSING: &str = "S005";
/// No duration.
pub const DURATION: &str = "S006";
/// A value outside of what its key takes.
pub const VALUE: &str = "S007";
/// A command that cannot be split into words.
pub const COMMAND: &str = "S008";
/// `after` names nothing that can come true.
pub const AFTER: &str = "S009";
/// No address, or none that the private network can have.
pub const ADDRESS: &str = "S010";
/// A sysctl outside of `net.`.
pub const SYSCTL: &str = "S011";
/// Two keys that exclude each other.
pub const CONTRADICTION: &str = "S012";
/// The same thing twice.
pub const DUPLICATE: &str = "S013";
/// A name that a program cannot have.
pub const ROLE: &str = "S014";
/// `{…}` that stands for nothing.
pub const PLACEHOLDER: &str = "S015";
/// No regular expression.
pub const PATTERN: &str = "S016";
/// No scenario of this name, or no such file.
pub const NOT_FOUND: &str = "S020";
/// A file that cannot be read, is too large or no UTF-8.
pub const UNREADABLE: &str = "S021";
/// A capture without a recording, and no expectations given.
pub const NOTHING_EXPECTED: &str = "S022";
