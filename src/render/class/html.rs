//! The class as a page with a table, and a page for each submission. All is in the
//! markup, so that they are read without scripts, printed and mailed; the table's
//! script only sorts and searches.
//!
//! A submission's page has no engine: that, with the captures of what did not pass,
//! is in one further page beside it (`packets`), so that three hundred students do
//! not take three hundred times its megabyte, and one who failed five cases takes
//! it once.

use std::fmt::{self, Display, Formatter, Write};
use std::path::Path;

use super::{grade_of, is_visible, mark, out_of, reason, word};
use crate::grade::{CaseResult, Check, Class, ClassCase, Grade, Graded, Visibility, points};
use crate::render::html::{escaped, escaped_lines, policy};

const STYLE: &str = concat!(
    include_str!("../html/page/base.css"),
    include_str!("../html/page/class.css"),
);
const SCRIPT: &str = concat!("\n", include_str!("../html/page/class.js"));

/// Beside a submission's page: its captures.
pub const PACKETS: &str = "packets.html";
/// From a submission's page to the class's.
const CLASS: &str = "../../class.html";

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

/// The way from a page to a folder, as an address that ends in `/`. Both paths are
/// absolute.
pub fn way(page: &Path, folder: &Path) -> String {
    let from: Vec<_> = page
        .parent()
        .into_iter()
        .flat_map(Path::components)
        .collect();
    let to: Vec<_> = folder.components().collect();
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut way = "../".repeat(from.len() - shared);
    for part in to.iter().skip(shared) {
        way.push_str(&address(&part.as_os_str().to_string_lossy()));
        way.push('/');
    }
    way
}

/// The beginning of a page, up to its content.
fn head(title: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        policy(STYLE, SCRIPT, false)
    )
}

/// A mark for the eye and the word for everybody.
fn told(grade: Grade) -> String {
    let (mark, word) = (mark(grade), word(grade));
    format!("<span aria-hidden=\"true\">{mark}</span> {word}")
}

fn count(number: usize, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    }
}

/// How many of so many came to what.
#[derive(Clone, Copy, Default)]
struct Tally {
    pass: usize,
    fail: usize,
    inconclusive: usize,
}

impl Tally {
    fn of(grades: impl Iterator<Item = Grade>) -> Tally {
        grades.fold(Tally::default(), |mut tally, grade| {
            match grade {
                Grade::Pass => tally.pass += 1,
                Grade::Fail => tally.fail += 1,
                Grade::Inconclusive => tally.inconclusive += 1,
            }
            tally
        })
    }
}

impl Display for Tally {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{} pass · {} fail", self.pass, self.fail)?;
        match self.inconclusive {
            0 => Ok(()),
            open => write!(out, " · {open} inconclusive"),
        }
    }
}

/// The page of the class. `students` is where the folder of submissions is, as an
/// address relative to the page, ending in `/`.
pub fn class(class: &Class, all: &[Graded<'_>], students: &str) -> String {
    let title = escaped(class.title.as_deref().unwrap_or(&class.suite));
    let mut page = head(&title);
    let earned: f64 = all.iter().map(Graded::score).sum();
    let _ = write!(
        page,
        "<header>\n<h1>{title}</h1>\n<p class=\"facts\">{}: {} · {} of {} points on average</p>\n</header>\n<main>\n\
         <form class=\"tools\" id=\"find\" autocomplete=\"off\" hidden>\
         <label>Name <input type=\"search\" id=\"name\" spellcheck=\"false\"></label> \
         <label>Verdict <select id=\"grade\"><option value=\"\">all</option>",
        count(all.len(), "submission"),
        Tally::of(all.iter().map(Graded::grade)),
        points(earned / all.len().max(1) as f64),
        points(class.points()),
    );
    for grade in [Grade::Pass, Grade::Fail, Grade::Inconclusive] {
        let _ = write!(page, "<option>{}</option>", word(grade));
    }
    page.push_str(
        "</select></label> <span class=\"facts\" id=\"shown\" role=\"status\"></span></form>\n\
         <div id=\"results\" tabindex=\"0\" role=\"region\" aria-label=\"Results\">\n\
         <table id=\"class\">\n<thead><tr><th scope=\"col\">Submission</th><th scope=\"col\">Verdict</th><th scope=\"col\">Points</th>",
    );
    for case in &class.cases {
        let _ = write!(
            page,
            "<th scope=\"col\">{}{}</th>",
            escaped(&case.name),
            hidden(case)
        );
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for graded in all {
        row(&mut page, graded, students);
    }
    page.push_str("</tbody>\n");
    closing(&mut page, class, all);
    let _ = write!(
        page,
        "</table>\n</div>\n</main>\n<script type=\"module\">{SCRIPT}</script>\n</body>\n</html>\n"
    );
    page
}

/// What students do not see is marked, for who forwards a page.
fn hidden(case: &ClassCase) -> &'static str {
    match case.visibility {
        Visibility::Visible => "",
        Visibility::Hidden => "<small>hidden from students</small>",
        Visibility::AfterDueDate => "<small>hidden until the due date</small>",
        Visibility::AfterPublished => "<small>hidden until published</small>",
    }
}

fn row(page: &mut String, graded: &Graded<'_>, students: &str) {
    let grade = graded.grade();
    let report = format!("{students}{}/report.html", address(&graded.submission.key));
    let _ = write!(
        page,
        "<tr data-grade=\"{}\"><th scope=\"row\"><a href=\"{report}\">{}</a></th>\
         <td class=\"{0}\" data-sort=\"{}\">{}</td><td data-sort=\"{}\">{}/{}",
        word(grade),
        escaped(&graded.submission.name),
        order(grade),
        told(grade),
        graded.score(),
        points(graded.score()),
        points(graded.class.points()),
    );
    let pending = graded.pending();
    if pending > 0.0 {
        let _ = write!(page, "<small>{} more are open</small>", points(pending));
    }
    page.push_str("</td>");
    for (index, (case, result)) in graded.cases().enumerate() {
        let grade = grade_of(result);
        // What is not known comes before the least.
        let score = result.and_then(|result| result.score).unwrap_or(-1.0);
        let shown = format!("{} {}", told(grade), out_of(case, result));
        let _ = write!(page, "<td class=\"{}\" data-sort=\"{score}\">", word(grade));
        let _ = match grade {
            Grade::Pass => write!(page, "{shown}</td>"),
            _ => write!(
                page,
                "<details><summary>{shown}</summary><p>{}{}</p></details></td>",
                escaped(&reason(result)),
                match is_visible(case) {
                    true => format!(" <a href=\"{report}#case-{}\">More</a>", index + 1),
                    false => String::new(),
                }
            ),
        };
    }
    page.push_str("</tr>\n");
}

/// Those who need help first.
fn order(grade: Grade) -> u8 {
    match grade {
        Grade::Fail => 0,
        Grade::Inconclusive => 1,
        Grade::Pass => 2,
    }
}

/// What each case came to, over all.
fn closing(page: &mut String, class: &Class, all: &[Graded<'_>]) {
    let _ = write!(
        page,
        "<tfoot><tr><th scope=\"row\">All</th><td>{}</td><td></td>",
        Tally::of(all.iter().map(Graded::grade))
    );
    for index in 0..class.cases.len() {
        let grades = all
            .iter()
            .filter_map(|graded| graded.results.get(index))
            .map(|result| grade_of(result.as_ref()));
        let _ = write!(page, "<td>{}</td>", Tally::of(grades));
    }
    page.push_str("</tr></tfoot>\n");
}

/// The page of one submission, for the student. `packets` are the cases, by their
/// place in the class, whose captures are in [`PACKETS`], in the order there.
pub fn submission(graded: &Graded<'_>, packets: &[usize]) -> String {
    let title = graded.class.title.as_deref().unwrap_or(&graded.class.suite);
    let name = escaped(&graded.submission.name);
    let title = escaped(title);
    let mut page = head(&format!("{name}: {title}"));
    let _ = write!(
        page,
        "<nav aria-label=\"Pages\"><a href=\"{CLASS}\">All submissions</a>"
    );
    if !packets.is_empty() {
        let _ = write!(page, "<a href=\"{PACKETS}\">Packets</a>");
    }
    let _ = write!(
        page,
        "</nav>\n<header>\n<h1>{name}</h1>\n<p class=\"facts\">{title}</p>\n"
    );
    let cases = || graded.cases().enumerate();
    let shown = || cases().filter(|(_, (case, _))| is_visible(case));
    let _ = match cases().count() - shown().count() {
        0 => writeln!(
            page,
            "<p><strong>{}</strong></p>",
            escaped(&super::text::total(graded))
        ),
        hidden => writeln!(
            page,
            "<p>{} not shown here.</p>",
            match hidden {
                1 => "1 more scenario is".to_owned(),
                n => format!("{n} more scenarios are"),
            }
        ),
    };
    page.push_str("</header>\n<main>\n<table>\n<thead><tr><th scope=\"col\">Scenario</th><th scope=\"col\">Verdict</th><th scope=\"col\">Points</th></tr></thead>\n<tbody>\n");
    for (index, (case, result)) in shown() {
        let grade = grade_of(result);
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\"><a href=\"#case-{}\">{}</a></th><td><span class=\"verdict {}\">{}</span></td><td>{}</td></tr>",
            index + 1,
            escaped(&case.name),
            word(grade),
            told(grade),
            out_of(case, result)
        );
    }
    page.push_str("</tbody>\n</table>\n");
    for (index, (case, result)) in shown() {
        let run = packets.iter().position(|with| *with == index);
        self::case(&mut page, index, case, result, run);
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn case(
    page: &mut String,
    index: usize,
    case: &ClassCase,
    result: Option<&CaseResult>,
    run: Option<usize>,
) {
    let grade = grade_of(result);
    let _ = write!(
        page,
        "<section class=\"case\" id=\"case-{0}\" aria-labelledby=\"title-{0}\">\n\
         <h2 id=\"title-{0}\">{1}</h2>\n<p><span class=\"verdict {2}\">{3}</span> {4} points</p>\n",
        index + 1,
        escaped(&case.name),
        word(grade),
        told(grade),
        out_of(case, result)
    );
    if grade != Grade::Pass {
        let _ = writeln!(page, "<p>{}</p>", escaped(&reason(result)));
    }
    if let (Grade::Fail, Some(hint)) = (grade, &case.hint) {
        let _ = writeln!(
            page,
            "<p class=\"lines\"><strong>Hint.</strong> {}</p>",
            escaped_lines(hint)
        );
    }
    let Some(result) = result else {
        page.push_str("</section>\n");
        return;
    };
    checks(page, &result.checks);
    if let Some(run) = run {
        let _ = writeln!(
            page,
            "<p><a href=\"{PACKETS}#run={}\">Look at the packets</a></p>",
            run + 1
        );
    }
    if !result.text.is_empty() {
        let _ = writeln!(
            page,
            "<details{}><summary>What the run showed</summary><pre tabindex=\"0\">{}</pre></details>",
            if grade == Grade::Pass { "" } else { " open" },
            escaped_lines(&result.text)
        );
    }
    page.push_str("</section>\n");
}

/// Each expectation that the student may see, and what is wrong with it.
fn checks(page: &mut String, checks: &[Check]) {
    let mut shown = checks
        .iter()
        .filter(|check| check.visibility == Visibility::Visible)
        .peekable();
    if shown.peek().is_none() {
        return;
    }
    page.push_str("<ul class=\"checks\">\n");
    for check in shown {
        let _ = write!(
            page,
            "<li><span class=\"mark {0}\" aria-hidden=\"true\">{1}</span>{2} <span class=\"facts\">{0}</span>",
            word(check.grade),
            mark(check.grade),
            escaped(&check.name)
        );
        if check.grade != Grade::Pass && !check.message.is_empty() {
            let _ = write!(page, "<p>{}</p>", escaped(&check.message));
        }
        page.push_str("</li>\n");
    }
    page.push_str("</ul>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_leads_elsewhere() {
        assert_eq!(address("Émile x"), "%C3%89mile%20x");
        assert_eq!(address("../a?b#c"), "..%2Fa%3Fb%23c");
    }

    #[test]
    fn the_way_from_a_page_to_a_folder() {
        for (page, folder, wanted) in [
            ("/a/class.html", "/a", ""),
            ("/a/class.html", "/a/my grades", "my%20grades/"),
            ("/a/b/class.html", "/a/c/d", "../c/d/"),
            ("/class.html", "/a", "a/"),
        ] {
            assert_eq!(way(Path::new(page), Path::new(folder)), wanted, "{page}");
        }
    }
}
