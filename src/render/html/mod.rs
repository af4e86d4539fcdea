//! The page: one HTML file that shows runs with their captures, the tool's own
//! reading half in it (README.md in this folder says how it is made).
//!
//! Whatever comes from a packet, a program or a file name goes into the page as
//! JSON in a block that no browser runs; the page's script shows it as text.
//! The policy in the page names the script and the style by their digests and
//! allows nothing else, and nothing from outside.

use std::io::{self, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::text::{visible, visible_lines};
use crate::report::{Report, Rest};
use crate::savefile::Recording;

const PAGE: &str = include_str!("page/page.html");

const STYLE: &str = concat!(include_str!("page/base.css"), include_str!("page/page.css"),);

/// One module, in the order of its parts.
const SCRIPT: &str = concat!(
    "\n",
    include_str!("page/dom.js"),
    include_str!("page/engine.js"),
    include_str!("page/state.js"),
    include_str!("page/top.js"),
    include_str!("page/ladder.js"),
    include_str!("page/list.js"),
    include_str!("page/filter.js"),
    include_str!("page/detail.js"),
    include_str!("page/streams.js"),
    include_str!("page/main.js"),
);

/// The reading half as a WebAssembly module, packed: `./lab wasm` makes it.
const ENGINE: &[u8] = include_bytes!("engine.wasm.gz");

/// What a page shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Page<'a> {
    /// The first is shown, the others can be chosen. None: the page waits for a
    /// capture to be opened.
    pub runs: &'a [Run<'a>],
    /// The page that this one belongs to.
    pub home: Option<Home<'a>>,
}

/// A report with its capture.
#[derive(Clone, Copy, Debug, Default)]
pub struct Run<'a> {
    /// What it is called where there are several.
    pub label: &'a str,
    pub report: Option<&'a Report>,
    /// The capture's file name.
    pub name: &'a str,
    /// The capture file, whole.
    pub capture: Option<&'a [u8]>,
    /// What was recorded beside the capture, where it is not in it.
    pub recording: Option<&'a Recording>,
}

/// Another page beside this one.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Home<'a> {
    /// Relative to this page.
    pub address: &'a str,
    pub title: &'a str,
}

#[derive(Serialize)]
struct Data<'a> {
    runs: Vec<RunData<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    home: Option<Home<'a>>,
    engine: String,
}

#[derive(Serialize)]
struct RunData<'a> {
    label: &'a str,
    /// Packets, conversations and messages are read from the capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Rest<'a>>,
    name: &'a str,
    /// gzip in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    capture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recording: Option<&'a Recording>,
}

/// Writes the page.
///
/// # Errors
/// Of the writer.
pub fn write(page: &Page<'_>, out: &mut impl Write) -> io::Result<()> {
    let runs = page.runs.iter().map(|run| {
        Ok(RunData {
            label: run.label,
            report: run.report.map(Report::rest),
            name: run.name,
            capture: run.capture.map(packed).transpose()?,
            recording: run.recording,
        })
    });
    let data = Data {
        runs: runs.collect::<io::Result<_>>()?,
        home: page.home,
        engine: BASE64_STANDARD.encode(ENGINE),
    };
    let first = page.runs.first().and_then(|run| run.report);
    let title = match (page.home, first) {
        (Some(home), _) => home.title,
        (None, Some(report)) => title(report),
        (None, None) => "netlab-capture",
    };
    let data = in_script(&serde_json::to_string(&data)?);
    let mut rest = PAGE;
    while let Some((before, found)) = rest.split_once("{{") {
        out.write_all(before.as_bytes())?;
        let (name, after) = found.split_once("}}").unwrap_or((found, ""));
        match name {
            "policy" => out.write_all(policy(STYLE, SCRIPT, true).as_bytes())?,
            "title" => out.write_all(escaped(title).as_bytes())?,
            "style" => out.write_all(STYLE.as_bytes())?,
            "script" => out.write_all(SCRIPT.as_bytes())?,
            _ => out.write_all(data.as_bytes())?,
        }
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

fn title(report: &Report) -> &str {
    let scenario = report.scenario.as_ref();
    scenario
        .and_then(|scenario| scenario.title.as_deref())
        .unwrap_or_else(|| report.name())
}

/// gzip in base64.
fn packed(bytes: &[u8]) -> io::Result<String> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(bytes)?;
    Ok(BASE64_STANDARD.encode(gzip.finish()?))
}

/// Only this script and this style, and the engine where one runs; no address at
/// all.
pub(super) fn policy(style: &str, script: &str, engine: bool) -> String {
    let digest = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; script-src 'sha256-{}'{}; \
         style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(script),
        if engine { " 'wasm-unsafe-eval'" } else { "" },
        digest(style),
    )
}

/// JSON that may stand in a script element: no `<` can end it or open a comment
/// (HTML, 4.12.1.3), and the separators of lines that JSON allows are escaped.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// A text of others on one line, as HTML.
pub(super) fn escaped(text: &str) -> String {
    markup(&visible(text))
}

/// As [`escaped`], of a text whose lines stay.
pub(super) fn escaped_lines(text: &str) -> String {
    markup(&visible_lines(text))
}

/// Never more than text, in an element and in a quoted attribute.
fn markup(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ErrorCode;

    fn page(name: &str) -> String {
        let report = Report::error(name, ErrorCode::Usage, name);
        let mut out = Vec::new();
        let run = Run {
            label: name,
            report: Some(&report),
            name,
            capture: Some(b"\0</script>"),
            recording: None,
        };
        let page = Page {
            runs: &[run],
            home: None,
        };
        write(&page, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_place_is_filled() {
        let html = page("a");
        assert!(html.contains("sha256-"));
        for place in ["policy", "title", "style", "script", "data"] {
            assert!(!html.contains(&format!("{{{{{place}}}}}")), "{place}");
        }
    }

    #[test]
    fn hostile_names_stay_text() {
        let html = page("</script><script>alert(1)</script>{{script}}\u{202e}");
        assert_eq!(html.matches("</script>").count(), 2, "data and script");
        assert!(html.contains("&lt;/script&gt;"));
        assert!(!html.contains("<script>alert"));
        assert!(!html.contains('\u{202e}') || html.contains("\\u003c"));
    }

    #[test]
    fn the_policy_allows_nothing_from_outside() {
        let policy = policy(STYLE, SCRIPT, true);
        assert!(policy.starts_with("default-src 'none'"));
        for word in ["unsafe-inline", "http", "*", "data:", "'self'"] {
            assert!(!policy.contains(word), "{word}");
        }
    }

    #[test]
    fn the_module_is_small() {
        assert!(ENGINE.len() < 1_000_000, "{}", ENGINE.len());
    }
}
