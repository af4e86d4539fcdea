//! TAP version 14: a test point for each case of each submission. What could not be
//! judged is skipped: `not ok` would be a verdict.

use std::io::{self, Write};

use super::{grade_of, reason};
use crate::grade::{Grade, Graded};
use crate::render::tap::escaped;

/// Writes one stream for the whole class.
pub fn write(class: &[Graded<'_>], output: &mut impl Write) -> io::Result<()> {
    let total: usize = class.iter().map(|graded| graded.cases().count()).sum();
    writeln!(output, "TAP version 14")?;
    writeln!(output, "1..{total}")?;
    let mut number = 0;
    for graded in class {
        for (case, result) in graded.cases() {
            number += 1;
            let name = format!(
                "{}: {}",
                escaped(&graded.submission.name),
                escaped(&case.name)
            );
            match grade_of(result) {
                Grade::Pass => writeln!(output, "ok {number} - {name}")?,
                Grade::Inconclusive => writeln!(
                    output,
                    "ok {number} - {name} # SKIP {}",
                    escaped(&reason(result))
                )?,
                Grade::Fail => {
                    writeln!(output, "not ok {number} - {name}")?;
                    writeln!(output, "  ---\n  message: |\n    {}\n  ...", reason(result))?;
                }
            }
        }
    }
    Ok(())
}
