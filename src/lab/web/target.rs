//! From a request target to the names below the document root.

use super::response::Status;

/// The plain names that a target asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    /// Below the root, from the outside in. None of them is empty, `.` or `..`,
    /// and none has a separator or a NUL in it.
    pub(super) names: Vec<String>,
    /// The target ends with `/`: it asks for a folder.
    pub(super) folder: bool,
}

/// Reads a target in origin form (`/a/b?query`) or absolute form
/// (`http://host/a/b`), RFC 9112 section 3.2.
///
/// # Errors
/// 400 for what is no path; 404 for a path that could leave the root: such a
/// file does not exist for a client.
pub(super) fn names(target: &str) -> Result<Names, Status> {
    let path = path(target).ok_or(Status::BadRequest)?;
    let path = path.split('?').next().unwrap_or_default();
    if path.contains('#') {
        return Err(Status::BadRequest);
    }
    let mut names = Vec::new();
    for part in path.split('/') {
        let bytes = percent_decode(part).ok_or(Status::BadRequest)?;
        if bytes.contains(&0) {
            return Err(Status::BadRequest);
        }
        let name = String::from_utf8(bytes).map_err(|_| Status::NotFound)?;
        match name.as_str() {
            "" | "." => {}
            ".." => return Err(Status::NotFound),
            name if name.chars().any(std::path::is_separator) => return Err(Status::NotFound),
            // A drive letter or a stream on Windows.
            name if cfg!(windows) && name.contains(':') => return Err(Status::NotFound),
            name => names.push(name.to_string()),
        }
    }
    Ok(Names {
        names,
        folder: path.ends_with('/'),
    })
}

/// The path and query of a target, without scheme and authority.
fn path(target: &str) -> Option<&str> {
    if target.starts_with('/') {
        return Some(target);
    }
    let scheme = target.get(..7)?;
    if !scheme.eq_ignore_ascii_case("http://") {
        return None;
    }
    let rest = target.get(7..)?;
    match rest.find(['/', '?']) {
        Some(start) => rest.get(start..),
        None => Some("/"),
    }
}

/// `None` if a `%` is not followed by two hexadecimal digits.
fn percent_decode(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            if !digits.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            let digits = std::str::from_utf8(&digits).ok()?;
            decoded.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(target: &str) -> Result<Vec<String>, Status> {
        names(target).map(|names| names.names)
    }

    #[test]
    fn ordinary_targets() {
        assert_eq!(plain("/").unwrap(), Vec::<String>::new());
        assert_eq!(plain("/HelloWorld.html").unwrap(), ["HelloWorld.html"]);
        assert_eq!(plain("/a//b/./c?x=/../y").unwrap(), ["a", "b", "c"]);
        assert_eq!(plain("http://host:1/a").unwrap(), ["a"]);
        assert_eq!(plain("HTTP://host").unwrap(), Vec::<String>::new());
        assert_eq!(plain("/gr%C3%BC%c3%9fe.html").unwrap(), ["grüße.html"]);
        assert!(names("/a/").unwrap().folder);
        assert!(!names("/a").unwrap().folder);
    }

    #[test]
    fn nothing_climbs() {
        for target in [
            "/..",
            "/../x",
            "/a/../b",
            "/%2e%2e/x",
            "/.%2E/x",
            "/a/%2e./x",
            "/a%2fb",
            "/..%2fx",
            "/%ff",
        ] {
            assert_eq!(plain(target), Err(Status::NotFound), "{target}");
        }
    }

    #[test]
    fn what_is_no_path_is_a_bad_request() {
        for target in [
            "", "*", "x", "host:80", "/%", "/%4", "/%zz", "/%+1", "/a%00b", "/a#b",
        ] {
            assert_eq!(plain(target), Err(Status::BadRequest), "{target}");
        }
    }

    proptest! {
        #[test]
        fn no_target_escapes(target in "/(\\.|/|%2e|%2E|%2f|%5c|%00|\\\\|[a-z]|%[0-9a-f]{2}){0,24}") {
            if let Ok(found) = names(&target) {
                let root = std::path::Path::new("/root/of/documents");
                let mut path = root.to_path_buf();
                for name in &found.names {
                    path.push(name);
                }
                prop_assert!(path.starts_with(root));
                prop_assert_eq!(
                    path.strip_prefix(root).unwrap().components().count(),
                    found.names.len()
                );
                let all_plain = path
                    .strip_prefix(root)
                    .unwrap()
                    .components()
                    .all(|part| matches!(part, std::path::Component::Normal(_)));
                prop_assert!(all_plain);
            }
        }

        #[test]
        fn any_text_is_read_without_a_panic(target in ".*") {
            let _ = names(&target);
        }
    }
}
