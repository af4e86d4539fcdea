//! Numbers with their units, short enough for a table.

/// Bytes: `532 B`, `1.2 kB`, `34 MB`; a kilobyte is 1,000 bytes.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in UNITS {
        // What rounds up to 1000 has the next unit.
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if value < 9.95 {
        format!("{value:.1} {unit}")
    } else {
        format!("{value:.0} {unit}")
    }
}

/// A length of time, of any length: `18 ms`, `12.3 s`, `5 min 20 s`, `3 h 2 min`.
pub fn span(milliseconds: f64) -> String {
    // Times run backwards where packets are not in their order.
    if milliseconds <= -0.0005 {
        return format!("-{}", span(-milliseconds));
    }
    let seconds = milliseconds / 1000.0;
    match seconds {
        s if s < 1.0 => match milliseconds {
            ms if ms < 0.0005 => "0 s".to_owned(),
            ms if ms < 1.0 => format!("{ms:.3} ms"),
            ms if ms < 10.0 => format!("{ms:.1} ms"),
            ms => format!("{ms:.0} ms"),
        },
        s if s < 10.0 => format!("{s:.2} s"),
        s if s < 120.0 => format!("{s:.1} s"),
        s => {
            let whole = s.round() as u64;
            let (minutes, hours, days) = (whole / 60, whole / 3600, whole / 86_400);
            match (days, hours) {
                (0, 0 | 1) => format!("{minutes} min {} s", whole % 60),
                (0 | 1, _) => format!("{hours} h {} min", minutes % 60),
                _ => format!("{days} d {} h", hours % 24),
            }
        }
    }
}

/// A moment of the capture: seconds after its first packet.
pub fn moment(milliseconds: f64) -> String {
    format!("{:.3} s", milliseconds / 1000.0)
}

/// A moment of the world: `2026-11-22 17:03:22 UTC`.
pub fn date(epoch: f64) -> String {
    const DAY: i64 = 86_400;
    let seconds = epoch.floor() as i64;
    let (days, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// Days since 1970-01-01 to a date of the Gregorian calendar. Years are
/// counted from March, so that the leap day is the last one.
fn civil(days: i64) -> (i64, i64, i64) {
    /// From 0000-03-01 to 1970-01-01.
    const EPOCH: i64 = 719_468;
    /// In 400 years.
    const ERA: i64 = 146_097;
    let days = days.saturating_add(EPOCH);
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = match month {
        0..=9 => (month + 3, 0),
        _ => (month - 9, 1),
    };
    (era * 400 + year + next, month, of_month)
}

/// `97.2%`.
pub fn share(part: u64, all: u64) -> String {
    match all {
        0 => String::new(),
        all => format!("{:.1}%", part as f64 * 100.0 / all as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_two_digits_or_three() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_000), "1.0 kB");
        assert_eq!(size(18_364), "18 kB");
        assert_eq!(size(999_600), "1.0 MB");
        assert_eq!(size(1_600_000_000), "1.6 GB");
        assert_eq!(size(u64::MAX), "18447 PB");
    }

    #[test]
    fn spans_of_any_length() {
        assert_eq!(span(0.0), "0 s");
        assert_eq!(span(0.021), "0.021 ms");
        assert_eq!(span(18.4), "18 ms");
        assert_eq!(span(1_250.0), "1.25 s");
        assert_eq!(span(30_393.0), "30.4 s");
        assert_eq!(span(320_000.0), "5 min 20 s");
        assert_eq!(span(10_920_000.0), "3 h 2 min");
        assert_eq!(span(300_000_000.0), "3 d 11 h");
        assert_eq!(span(-5_000.0), "-5.00 s");
        assert!(!span(f64::MAX).is_empty() && !span(f64::NAN).is_empty());
    }

    #[test]
    fn dates_of_the_calendar() {
        assert_eq!(date(0.0), "1970-01-01 00:00:00 UTC");
        assert_eq!(date(951_782_400.0), "2000-02-29 00:00:00 UTC");
        assert_eq!(date(1_084_443_427.3), "2004-05-13 10:17:07 UTC");
        assert_eq!(date(-1.0), "1969-12-31 23:59:59 UTC");
        assert!(!date(f64::MIN).is_empty() && !date(f64::INFINITY).is_empty());
    }
}
