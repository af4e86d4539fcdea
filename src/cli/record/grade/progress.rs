//! How far grading has come, on standard error, where a terminal shows it.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use crate::cli::output;

/// Between two drawings.
const PACE: Duration = Duration::from_millis(200);

/// A line that is drawn over itself.
pub struct Progress {
    total: usize,
    done: usize,
    begun: Instant,
    drawn: Option<Instant>,
    shown: bool,
}

impl Progress {
    pub fn new(total: usize) -> Progress {
        Progress {
            total,
            done: 0,
            begun: Instant::now(),
            drawn: None,
            shown: io::stderr().is_terminal(),
        }
    }

    /// One more case is over.
    pub fn advance(&mut self) {
        self.done += 1;
        if self.shown && self.drawn.is_none_or(|last| last.elapsed() >= PACE) {
            self.drawn = Some(Instant::now());
            let line = line(self.done, self.total, self.begun.elapsed());
            output::complain(&format!("\r\x1b[K{line}"));
        }
    }

    /// Makes room for something else.
    pub fn wipe(&mut self) {
        if self.drawn.take().is_some() {
            output::complain("\r\x1b[K");
        }
    }
}

/// `120 of 1500 cases · 21 a second · 1 min 5 s left`.
fn line(done: usize, total: usize, elapsed: Duration) -> String {
    let rate = done as f64 / elapsed.as_secs_f64().max(1e-3);
    let left = ((total.saturating_sub(done)) as f64 / rate.max(1e-3)).ceil();
    let (minutes, seconds) = ((left / 60.0).floor(), left % 60.0);
    let left = match minutes {
        0.0 => format!("{seconds} s"),
        minutes => format!("{minutes} min {seconds} s"),
    };
    format!("{done} of {total} cases · {rate:.1} a second · {left} left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_the_pace() {
        let text = line(100, 1500, Duration::from_secs(10));
        assert_eq!(text, "100 of 1500 cases · 10.0 a second · 2 min 20 s left");
        assert!(line(5, 5, Duration::ZERO).ends_with("0 s left"));
    }
}
