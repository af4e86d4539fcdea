//! The class as a page with a table, and a page for each submission. One file each,
//! without scripts and without anything from elsewhere.

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};

use super::{is_visible, out_of, reason, word};
use crate::grade::{Class, Grade, Graded, points};
use crate::render::text::visible;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#222;background:#fff}\
table{border-collapse:collapse;width:100%}th,td{padding:.3rem .6rem;text-align:right;border-bottom:1px solid #ddd}\
th:first-child,td:first-child{text-align:left}thead th{position:sticky;top:0;background:#fff}\
.pass{color:#176f2c}.fail{color:#b3261e}.inconclusive{color:#8a5a00}\
pre{overflow-x:auto;background:#f6f6f6;padding:1rem;font:13px/1.35 ui-monospace,monospace}\
@media(prefers-color-scheme:dark){body,thead th{background:#161616;color:#ddd}pre{background:#222}th,td{border-color:#444}\
.pass{color:#7ed491}.fail{color:#ff8a80}.inconclusive{color:#ffc46b}}";

/// Text of others, as text.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn shown(text: &str) -> String {
    escaped(&visible(text))
}

/// A path of one component in an address.
fn address(key: &str) -> String {
    let mut out = String::new();
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => out.push(byte.into()),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

fn head(title: &str) -> String {
    // Nothing but our own style, should text ever become more than text.
    let digest = BASE64.encode(Sha256::digest(STYLE));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{digest}'\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n"
    )
}

/// The page of the class.
pub fn class<'a>(class: &Class, all: impl Iterator<Item = Graded<'a>>) -> String {
    let title = shown(class.title.as_deref().unwrap_or(&class.suite));
    let mut page = head(&title);
    page.push_str(
        "<table>\n<thead><tr><th scope=\"col\">Submission</th><th scope=\"col\">Score</th>",
    );
    for case in &class.cases {
        let _ = write!(page, "<th scope=\"col\">{}</th>", shown(&case.name));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for graded in all {
        let _ = write!(
            page,
            "<tr><th scope=\"row\"><a href=\"students/{}/report.html\">{}</a></th><td class=\"{}\">{}/{}</td>",
            address(&graded.submission.key),
            shown(&graded.submission.name),
            word(graded.grade()),
            points(graded.score()),
            points(class.points())
        );
        for (case, result) in graded.cases() {
            let grade = super::grade_of(result);
            let _ = write!(
                page,
                "<td class=\"{0}\" title=\"{1}\">{2} <span>{0}</span></td>",
                word(grade),
                escaped(&reason(result)),
                out_of(case, result)
            );
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n");
    page
}

/// The page of one submission, for the student.
pub fn submission(graded: &Graded<'_>) -> String {
    let title = graded.class.title.as_deref().unwrap_or(&graded.class.suite);
    let mut page = head(&shown(title));
    let _ = writeln!(page, "<p>{}</p>", shown(&graded.submission.name));
    let mut hidden = 0;
    for (case, result) in graded.cases() {
        if !is_visible(case) {
            hidden += 1;
            continue;
        }
        let grade = super::grade_of(result);
        let _ = writeln!(
            page,
            "<h2>{} <small class=\"{2}\">{1} points, {2}</small></h2>",
            shown(&case.name),
            out_of(case, result),
            word(grade)
        );
        if grade != Grade::Pass {
            let _ = writeln!(page, "<p>{}</p>", escaped(&reason(result)));
        }
        if let (Grade::Fail, Some(hint)) = (grade, &case.hint) {
            let _ = writeln!(page, "<p>Hint: {}</p>", shown(hint));
        }
        if let Some(result) = result {
            let _ = writeln!(page, "<pre>{}</pre>", escaped(&result.text));
        }
    }
    match hidden {
        0 => {
            let _ = writeln!(
                page,
                "<p><strong>{}</strong></p>",
                escaped(&super::text::total(graded))
            );
        }
        hidden => {
            let _ = writeln!(page, "<p>{hidden} more are not shown.</p>");
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_becomes_a_tag() {
        assert_eq!(
            shown("<script>\"'&\x1b"),
            "&lt;script&gt;&quot;&#39;&amp;\\x1b"
        );
        assert_eq!(address("Émile x"), "%C3%89mile%20x");
    }
}
