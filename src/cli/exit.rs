//! The exit codes: a promise to scripts.

use std::process::ExitCode;

use crate::report::{ErrorCode, Report, Verdict};
use crate::savefile::SavefileError;

/// Why the tool ends as it does. Of several, [`Exit::worst`] wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Every expectation passed, the implied ones too.
    Passed = 0,
    /// An expectation failed.
    Failed = 1,
    /// Usage, or a scenario or expectation file that cannot be understood.
    Usage = 2,
    /// No namespace, no permission, disk full.
    Environment = 3,
    /// Our own failure to launch or supervise.
    Internal = 4,
    /// Evidence may be missing.
    Inconclusive = 5,
    /// A damaged capture: read up to the damage.
    Damaged = 6,
}

impl Exit {
    /// Worst first: 2, 3, 4, 6, 1, 5, 0.
    fn rank(self) -> u8 {
        match self {
            Exit::Usage => 6,
            Exit::Environment => 5,
            Exit::Internal => 4,
            Exit::Damaged => 3,
            Exit::Failed => 2,
            Exit::Inconclusive => 1,
            Exit::Passed => 0,
        }
    }

    /// What one report comes to.
    pub fn of(report: &Report) -> Exit {
        let verdict = match report.verdict {
            Some(Verdict::Fail) => Exit::Failed,
            Some(Verdict::Inconclusive) => Exit::Inconclusive,
            // Its error says more.
            Some(Verdict::Error | Verdict::Pass) | None => Exit::Passed,
        };
        let error = report.error.as_ref().map(|error| Exit::from(error.code));
        verdict.worst(error.unwrap_or(Exit::Passed))
    }

    #[must_use]
    pub fn worst(self, other: Exit) -> Exit {
        if other.rank() > self.rank() {
            other
        } else {
            self
        }
    }
}

impl From<ErrorCode> for Exit {
    fn from(code: ErrorCode) -> Exit {
        match code {
            ErrorCode::Usage => Exit::Usage,
            ErrorCode::Environment => Exit::Environment,
            ErrorCode::Internal => Exit::Internal,
            ErrorCode::DamagedCapture => Exit::Damaged,
        }
    }
}

/// What it means that nothing of a capture file can be read.
pub fn code_of(error: &SavefileError) -> ErrorCode {
    match error {
        SavefileError::Damaged { .. } => ErrorCode::DamagedCapture,
        _ => ErrorCode::Usage,
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(code: ErrorCode, verdict: Option<Verdict>) -> Report {
        let mut report = Report::error("x", code, "");
        if let Some(verdict) = verdict {
            report.verdict = Some(verdict);
            report.error = None;
        }
        report
    }

    #[test]
    fn each_verdict_and_error_has_its_code() {
        let error = |code| Exit::of(&report(code, None)) as u8;
        assert_eq!(error(ErrorCode::Usage), 2);
        assert_eq!(error(ErrorCode::Environment), 3);
        assert_eq!(error(ErrorCode::Internal), 4);
        assert_eq!(error(ErrorCode::DamagedCapture), 6);
        let verdict = |verdict| Exit::of(&report(ErrorCode::Usage, Some(verdict))) as u8;
        assert_eq!(verdict(Verdict::Pass), 0);
        assert_eq!(verdict(Verdict::Fail), 1);
        assert_eq!(verdict(Verdict::Inconclusive), 5);
    }

    #[test]
    fn the_worst_of_several_wins() {
        use Exit::*;
        let ordered = [
            Usage,
            Environment,
            Internal,
            Damaged,
            Failed,
            Inconclusive,
            Passed,
        ];
        for (index, worse) in ordered.iter().enumerate() {
            for better in &ordered[index..] {
                assert_eq!(worse.worst(*better), *worse);
                assert_eq!(better.worst(*worse), *worse);
            }
        }
    }
}
