//! `netlab-capture fields`: what display filters can ask for.

use serde::Serialize;

use super::{Exit, output};
use crate::diagnostic::nearest;
use crate::expect::fields::{self, Field};

/// List the fields that display filters know: name, type and meaning.
///
/// They are spelled and typed as in Wireshark. Filters are described in
/// docs/filters.md.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only the field of this name and those below it: `tcp.flags`; or all that
    /// begin so; or all of which a part begins so: `syn`.
    #[arg(value_name = "PREFIX")]
    prefix: Option<String>,
    /// Write one JSON document on one line for each field.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line {
    name: &'static str,
    r#type: &'static str,
    meaning: &'static str,
    /// Names that may stand for values in comparisons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<Named>,
}

#[derive(Serialize)]
struct Named {
    name: &'static str,
    value: u32,
}

pub fn main(args: &Args) -> Exit {
    let prefix = args.prefix.as_deref().unwrap_or_default();
    let fields = chosen(prefix);
    if fields.is_empty() {
        output::tell(&unknown(prefix));
        return Exit::Usage;
    }
    output::print(&match args.json {
        true => json(&fields),
        false => output::in_charset(&table(&fields)).into_owned(),
    })
}

/// The field and those below it; else all whose names begin so; else those of which
/// a part is called so.
fn chosen(prefix: &str) -> Vec<&'static Field> {
    let below = |field: &&Field| {
        let rest = field.name.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let chosen: Vec<&Field> = fields::all().filter(below).collect();
    if !chosen.is_empty() {
        return chosen;
    }
    let begins = |field: &&Field| field.name.starts_with(prefix);
    let chosen: Vec<&Field> = fields::all().filter(begins).collect();
    if !chosen.is_empty() {
        return chosen;
    }
    let inside = format!(".{}", prefix.to_lowercase());
    fields::all()
        .filter(|field| field.name.contains(&inside))
        .collect()
}

fn unknown(prefix: &str) -> String {
    let shown = prefix.escape_debug();
    match nearest(&prefix.to_lowercase(), fields::all().map(|f| f.name)) {
        Some(meant) => format!("no field begins with \"{shown}\"; did you mean \"{meant}\"?"),
        None => format!("no field begins with \"{shown}\"; `netlab-capture fields` lists all"),
    }
}

fn json(fields: &[&'static Field]) -> String {
    let line = |field: &&'static Field| Line {
        name: field.name,
        r#type: field.kind.words(),
        meaning: field.meaning,
        values: field
            .names
            .iter()
            .map(|(name, value)| Named {
                name,
                value: *value,
            })
            .collect(),
    };
    fields
        .iter()
        .filter_map(|field| serde_json::to_string(&line(field)).ok())
        .map(|json| json + "\n")
        .collect()
}

/// Name, type and meaning in columns, an empty line between protocols. Of a
/// field alone, the names of its values too.
fn table(fields: &[&'static Field]) -> String {
    let width = |text: fn(&Field) -> &str| fields.iter().map(|f| text(f).len()).max().unwrap_or(0);
    let (name, kind) = (width(|f| f.name), width(|f| f.kind.words()));
    let mut text = String::new();
    let mut protocol = None;
    for field in fields {
        let own = field.name.split('.').next();
        if protocol.is_some() && protocol != own {
            text.push('\n');
        }
        protocol = own;
        text += &format!(
            "{:name$}  {:kind$}  {}\n",
            field.name,
            field.kind.words(),
            field.meaning
        );
    }
    if let [field] = fields {
        for (name, value) in field.names {
            text += &format!("  {value} \"{name}\"\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_narrows_by_names_then_by_letters() {
        let names = |prefix| chosen(prefix).iter().map(|f| f.name).collect::<Vec<_>>();
        assert!(names("tcp.flags").contains(&"tcp.flags"));
        assert!(names("tcp.flags").contains(&"tcp.flags.syn"));
        assert!(!names("tcp.seq").contains(&"tcp.seq_raw"));
        assert!(names("tcp.opt").contains(&"tcp.option_kind"));
        assert_eq!(names("tcp.checksum.status"), ["tcp.checksum.status"]);
        assert_eq!(names("").len(), fields::all().count());
        assert!(names("syn").contains(&"tcp.flags.syn"));
        assert!(names("flags.SYN").contains(&"tcp.flags.syn"));
        assert!(unknown("tcp.flag.syn").contains("did you mean \"tcp.flags.syn\"?"));
        assert!(unknown("x\n").contains("\\n"));
    }

    #[test]
    fn rows_stand_alone_and_json_is_a_line_for_each() {
        let status = chosen("tcp.checksum.status");
        assert!(table(&status).contains("\n  1 \"Good\"\n"));
        let all = chosen("");
        for line in table(&all).lines().filter(|line| !line.is_empty()) {
            assert!(
                line.split("  ").filter(|part| !part.is_empty()).count() >= 3,
                "{line}"
            );
        }
        assert_eq!(json(&all).lines().count(), all.len());
    }
}
