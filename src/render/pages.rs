//! The pages that explain codes: cut out of the document that holds them all,
//! for a reader at a terminal.

use crate::diagnostic::Code;

/// Columns of the prose.
const WIDTH: usize = 80;

/// The page of a code: its section of the document, without Markdown. None where
/// the document has no such section.
pub fn page(document: &str, code: &Code) -> Option<String> {
    let heading = format!("\n## {}: ", code.code);
    let start = document.find(&heading)? + 1;
    let section = document.get(start..)?;
    let end = section.find("\n## ").unwrap_or(section.len());
    let mut out = String::new();
    let mut is_code = false;
    for line in section.get(..end)?.trim_end().lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        } else if is_code {
            out.push_str(format!("    {line}").trim_end());
            out.push('\n');
        } else {
            let line = line.trim_start_matches('#').trim_start();
            for line in super::text::wrap(line, WIDTH) {
                out.push_str(line.trim_end());
                out.push('\n');
            }
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_cut_out_and_its_fences_are_gone() {
        let code = |code| Code {
            code,
            title: "",
            explanation: "",
            example: None,
            fix: None,
        };
        let document = "# All\n\n## E001: a\n\nWords.\n\n```text\n  x\n\n```\n\n## E002: b\n";
        assert_eq!(
            page(document, &code("E001")).as_deref(),
            Some("E001: a\n\nWords.\n\n      x\n\n")
        );
        assert_eq!(page(document, &code("E002")).as_deref(), Some("E002: b\n"));
        assert_eq!(page(document, &code("E003")), None);
    }
}
