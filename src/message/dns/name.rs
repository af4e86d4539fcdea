//! Domain names: labels, and pointers to labels before.

/// The most bytes that a name has in a message, lengths included.
const LONGEST: usize = 255;

/// Walks over the name at `at`: its labels, uncompressed, are handed to `label`;
/// where what follows it begins is returned.
///
/// Pointers must lead backwards, each further than the one before, so that the
/// walk ends.
fn walk<'a>(
    message: &'a [u8],
    at: usize,
    mut label: impl FnMut(&'a [u8]),
) -> Result<usize, &'static str> {
    let mut place = at;
    // Where a pointer may lead to at most.
    let mut before = at;
    let mut end = None;
    let mut len = 1;
    loop {
        let first = *message.get(place).ok_or("a name is cut off")?;
        match first >> 6 {
            0 => {
                let size = usize::from(first);
                if size == 0 {
                    return Ok(end.unwrap_or(place + 1));
                }
                len += 1 + size;
                if len > LONGEST {
                    return Err("a name is longer than 255 bytes");
                }
                let bytes = message
                    .get(place + 1..place + 1 + size)
                    .ok_or("a name is cut off")?;
                label(bytes);
                place += 1 + size;
            }
            3 => {
                let second = *message.get(place + 1).ok_or("a name is cut off")?;
                let target = usize::from(first & 0x3F) << 8 | usize::from(second);
                if target >= before {
                    return Err("a name has a pointer that leads not backwards");
                }
                end = end.or(Some(place + 2));
                (place, before) = (target, target);
            }
            _ => return Err("a name has a label of an unknown kind"),
        }
    }
}

/// The text of the name at `at`, and where what follows it begins.
pub fn read(message: &[u8], at: usize) -> Result<(String, usize), &'static str> {
    let mut text = String::new();
    let end = walk(message, at, |label| {
        if !text.is_empty() {
            text.push('.');
        }
        push(&mut text, label, true);
    })?;
    if text.is_empty() {
        text.push_str("<Root>");
    }
    Ok((text, end))
}

/// Where what follows the name at `at` begins.
pub fn skip(message: &[u8], at: usize) -> Result<usize, &'static str> {
    walk(message, at, |_| {})
}

/// Is it a host name: letters, digits, hyphens and underscores only?
pub fn is_host(message: &[u8], at: usize) -> bool {
    let mut sound = true;
    let mut labels = 0;
    let end = walk(message, at, |label| {
        labels += 1;
        sound &= label
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte));
    });
    end.is_ok() && sound && labels > 0
}

/// A number for the name at `at`, the same for the same name in other letter
/// case (FNV-1a).
pub fn hash(message: &[u8], at: usize) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
    let _ = walk(message, at, |label| {
        add(label.len() as u8);
        label.iter().for_each(|byte| add(byte.to_ascii_lowercase()));
    });
    hash
}

/// Appends bytes as text: what is no text as `\DDD`, a backslash with another
/// before it, and in a label a dot too.
pub fn push(text: &mut String, bytes: &[u8], label: bool) {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                '.' if label => text.push_str("\\."),
                c if c.is_control() => {
                    let mut buffer = [0; 4];
                    escape(text, c.encode_utf8(&mut buffer).as_bytes());
                }
                c => text.push(c),
            }
        }
        escape(text, chunk.invalid());
    }
}

fn escape(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let digit = |value: u8| char::from(b'0' + value % 10);
        text.extend(['\\', digit(byte / 100), digit(byte / 10), digit(*byte)]);
    }
}
