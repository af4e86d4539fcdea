//! Dates and times, as filters on `frame.time` write them. Without a zone they
//! are UTC: what a filter shows must not depend on the machine.

const NANOSECONDS: i128 = 1_000_000_000;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `2024-01-31`, `2024-01-31 12:34:56.5`, `2024-01-31T12:34:56+02:00`,
/// `Jan 31, 2024 12:34:56 UTC` in nanoseconds since 1970.
pub(super) fn moment(text: &str) -> Option<i128> {
    let text = text.trim();
    match text.starts_with(|c: char| c.is_ascii_digit()) {
        true => iso(text),
        false => legacy(text),
    }
}

fn iso(text: &str) -> Option<i128> {
    let (date, rest) = match text.find(['T', ' ']) {
        Some(at) => (&text[..at], text[at + 1..].trim()),
        None => (text, ""),
    };
    let mut parts = date.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = digits(parts.next()?, 2)?;
    let day = digits(parts.next()?, 2)?;
    if parts.next().is_some() {
        return None;
    }
    let days = days(year, month, day)?;
    if rest.is_empty() {
        return Some(days * 86_400 * NANOSECONDS);
    }
    let (time, offset) = zone(rest)?;
    Some((days * 86_400 - offset) * NANOSECONDS + clock(time)?)
}

/// `Jan 31, 2024 12:34:56`.
fn legacy(text: &str) -> Option<i128> {
    let mut words = text.split_ascii_whitespace();
    let name = words.next()?;
    let month = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(name))? + 1;
    let day = words.next()?.strip_suffix(',')?;
    let day = digits(day, day.len().min(2))?;
    let year = digits(words.next()?, 4)?;
    let days = days(year, month as i128, day)?;
    let time = clock(words.next()?)?;
    match words.next() {
        None | Some("UTC") => {}
        Some(_) => return None,
    }
    words
        .next()
        .is_none()
        .then_some(days * 86_400 * NANOSECONDS + time)
}

/// The time without its zone, and the zone's seconds east of UTC.
fn zone(text: &str) -> Option<(&str, i128)> {
    for utc in ["UTC", "Z"] {
        if let Some(time) = text.strip_suffix(utc) {
            return Some((time.trim(), 0));
        }
    }
    let Some(at) = text.find(['+', '-']) else {
        return Some((text, 0));
    };
    let (time, zone) = text.split_at(at);
    let figures = zone[1..].replace(':', "");
    let (hours, minutes) = match figures.len() {
        2 => (digits(&figures, 2)?, 0),
        4 => (digits(figures.get(..2)?, 2)?, digits(figures.get(2..)?, 2)?),
        _ => return None,
    };
    let seconds = hours * 3600 + minutes * 60;
    Some((
        time.trim(),
        if zone.starts_with('-') {
            -seconds
        } else {
            seconds
        },
    ))
}

/// `12:34`, `12:34:56`, `12:34:56.789` in nanoseconds.
fn clock(text: &str) -> Option<i128> {
    let mut parts = text.split(':');
    let hours = digits(parts.next()?, 2).filter(|h| *h < 24)?;
    let minutes = digits(parts.next()?, 2).filter(|m| *m < 60)?;
    let seconds = match parts.next() {
        // 60 is a leap second.
        Some(seconds) => super::literal::seconds(seconds).filter(|s| *s < 61 * NANOSECONDS)?,
        None => 0,
    };
    let whole = (hours * 60 + minutes) * 60 * NANOSECONDS;
    (parts.next().is_none() && seconds >= 0).then_some(whole + seconds)
}

fn digits(text: &str, len: usize) -> Option<i128> {
    let all = text.len() == len && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| all)
}

/// Days since 1970-01-01 in the Gregorian calendar.
fn days(year: i128, month: i128, day: i128) -> Option<i128> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [
        31,
        28 + i128::from(leap),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let month = usize::try_from(month).ok()?.checked_sub(1)?;
    if !(1..=*lengths.get(month)?).contains(&day) {
        return None;
    }
    // Years before this one, counted from 1; 719,162 days lie before 1970.
    let years = year - 1;
    let before = years * 365 + years / 4 - years / 100 + years / 400;
    let months: i128 = lengths.iter().take(month).sum();
    (year > 0).then_some(before + months + day - 1 - 719_162)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_seconds_since_1970() {
        let seconds = |text| moment(text).map(|n| n / NANOSECONDS);
        assert_eq!(seconds("1970-01-01"), Some(0));
        assert_eq!(seconds("2000-02-29 00:00:00"), Some(951_782_400));
        assert_eq!(seconds("2024-01-31T12:34:56Z"), Some(1_706_704_496));
        assert_eq!(seconds("2024-01-31 12:34:56 UTC"), Some(1_706_704_496));
        assert_eq!(seconds("2024-01-31 14:34:56+02:00"), Some(1_706_704_496));
        assert_eq!(seconds("2024-01-31 07:04:56-0530"), Some(1_706_704_496));
        assert_eq!(seconds("Jan 31, 2024 12:34:56"), Some(1_706_704_496));
        assert_eq!(seconds("Jan  1, 1970 00:00:01.5 UTC"), Some(1));
        assert_eq!(moment("1970-01-01 00:00:00.000000001"), Some(1));
        for wrong in [
            "",
            "2024",
            "2023-02-29",
            "2024-13-01",
            "2024-01-01 25:00:00",
            "Jan 31 2024",
            "Jan 31, 2024",
            "1600000000",
            "2024-01-01 00:00:00 CET",
            "é-01-01",
        ] {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }
}
