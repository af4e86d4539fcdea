//! Where a scenario file's text may be put in order, and where not a space may
//! change.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ExpectationText;

/// A scenario file with its white space in order: nothing at the ends of lines,
/// which are line feeds, one empty line at most between others, and the statements
/// of multi-line strings as `statements` lays them out. Other strings keep what
/// they have: a program may read it. None where the text is no TOML.
pub fn layout(
    text: &str,
    expectations: &[ExpectationText],
    statements: &dyn Fn(&str) -> String,
) -> Option<String> {
    let document = DeTable::parse(text).ok()?;
    let mut strings: Vec<Range<usize>> = Vec::new();
    in_table(document.get_ref(), &mut |span| {
        if text.get(span.clone()).is_some_and(|t| t.contains('\n')) {
            strings.push(span);
        }
    });
    strings.sort_by_key(|span| span.start);
    let mut out = String::new();
    let mut at = 0;
    for span in strings {
        put_in_order(&mut out, text.get(at..span.start)?, at == 0);
        out.push_str(&string(
            text.get(span.clone())?,
            &span,
            expectations,
            statements,
        ));
        at = span.end;
    }
    put_in_order(&mut out, text.get(at..)?, at == 0);
    let end = out.trim_end_matches('\n').len();
    out.truncate(end);
    out.push('\n');
    Some(out)
}

/// A string over several lines: formatted, if it holds statements as they are: in a
/// literal string nothing is escaped, in another what has no backslash.
fn string(
    written: &str,
    span: &Range<usize>,
    expectations: &[ExpectationText],
    statements: &dyn Fn(&str) -> String,
) -> String {
    let is_text =
        |e: &&ExpectationText| e.offsets.first().is_some_and(|first| span.contains(first));
    if !expectations.iter().any(|e| is_text(&e)) {
        return written.to_owned();
    }
    let written = written.replace("\r\n", "\n");
    let plain = ["'''", "\"\"\""].into_iter().find_map(|quotes| {
        let rest = written.strip_prefix(quotes)?.strip_prefix('\n')?;
        let inner = rest.strip_suffix(quotes)?;
        (quotes == "'''" || !inner.contains('\\')).then_some((quotes, inner))
    });
    match plain {
        Some((quotes, inner)) => format!("{quotes}\n{}{quotes}", statements(inner)),
        None => written,
    }
}

/// Appends text that lies outside of all strings over several lines.
fn put_in_order(out: &mut String, part: &str, is_first: bool) {
    let mut lines = part.split('\n').peekable();
    let mut is_start = is_first;
    let mut goes_on = !is_first;
    while let Some(line) = lines.next() {
        let is_last = lines.peek().is_none();
        // Before the next string a space may be needed.
        let line = if is_last { line } else { line.trim_end() };
        let is_blank = line.is_empty() && !goes_on && !is_last;
        if is_blank && (is_start || out.ends_with("\n\n")) {
            continue;
        }
        out.push_str(line);
        if !is_last {
            out.push('\n');
        }
        is_start = false;
        goes_on = false;
    }
}

fn in_table(table: &DeTable<'_>, each: &mut dyn FnMut(Range<usize>)) {
    for value in table.values() {
        in_value(value, each);
    }
}

fn in_value(value: &Spanned<DeValue<'_>>, each: &mut dyn FnMut(Range<usize>)) {
    match value.get_ref() {
        DeValue::String(_) => each(value.span()),
        DeValue::Array(array) => {
            for value in array.iter() {
                in_value(value, each);
            }
        }
        DeValue::Table(table) => in_table(table, each),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;
    use crate::scenario::{builtin, catalogue, read};

    fn formatted(text: &str) -> String {
        let source = Source {
            name: "x.toml".to_owned(),
            text: text.to_owned(),
        };
        let (scenario, _) = read(source);
        layout(text, &scenario.expectations, &|t| t.to_uppercase()).unwrap()
    }

    #[test]
    fn white_space_is_put_in_order_outside_of_strings() {
        let text = "\n\n# a comment  \ntitle = \"a\"\t\n\n\n\nanswer = '''\n  keep  \n\n\n  this  \n'''  # why  \n\n\n[program.client]\nrun = 'x'\n\n[expect]\n\"a\" = '''\nno udp\n'''\n\n\n";
        assert_eq!(
            formatted(text),
            "# a comment\ntitle = \"a\"\n\nanswer = '''\n  keep  \n\n\n  this  \n'''  # why\n\n[program.client]\nrun = 'x'\n\n[expect]\n\"a\" = '''\nNO UDP\n'''\n"
        );
    }

    #[test]
    fn statements_are_formatted_in_both_kinds_of_strings() {
        let text = "[expect]\n\"a\" = \"\"\"\nno udp\n\"\"\"\n\"b\" = \"\"\"\nno client > server data \"\\\\n\"\n\"\"\"\n";
        let formatted = formatted(text);
        assert!(formatted.contains("\"\"\"\nNO UDP\n\"\"\""), "{formatted}");
        assert!(formatted.contains("no client > server data"), "{formatted}");
    }

    #[test]
    fn the_catalogue_keeps_its_content() {
        for name in catalogue() {
            let source = builtin(name).unwrap();
            let (before, _) = read(source.clone());
            let text = layout(&source.text, &before.expectations, &str::to_owned).unwrap();
            assert_eq!(text, source.text, "{name}");
        }
    }

    #[test]
    fn what_is_no_toml_has_no_layout() {
        assert_eq!(layout("a = ", &[], &str::to_owned), None);
    }
}
