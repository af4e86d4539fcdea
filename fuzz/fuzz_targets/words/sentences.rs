//! Whole texts of the languages: statements by the grammar of the document, and
//! comparisons of every field with values of its type. Seeds and changes alone
//! come to most of them seldom.

use std::sync::LazyLock;

use netlab_capture::expect::fields::{self, Field, Kind};

use super::Dice;

#[path = "../../../tests/cli/grammar.rs"]
mod grammar;

use grammar::{Grammar, Writer};

static GRAMMAR: LazyLock<Grammar> =
    LazyLock::new(|| Grammar::read(include_str!("../../../docs/expectations.md")));

static FIELDS: LazyLock<Vec<&Field>> = LazyLock::new(|| fields::all().collect());

/// The names of all fields.
pub fn names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|field| field.name)
}

/// A statement, or several.
pub fn statement(dice: &mut Dice) -> String {
    let production = if dice.roll(4) == 0 {
        "text"
    } else {
        "statement"
    };
    let seed = dice.roll(usize::MAX) as u64;
    let instead = |production: &str, random: usize| {
        let mut dice = Dice::new(random as u32);
        match production {
            "filter" | "test" if dice.roll(2) == 0 => Some(filter(&mut dice)),
            "field" => Some(pick(&mut dice).name.to_owned()),
            _ => None,
        }
    };
    let mut writer = Writer::new(&GRAMMAR, seed, instead);
    writer.text(production).unwrap_or_default()
}

/// A comparison of some field.
pub fn filter(dice: &mut Dice) -> String {
    let field = pick(dice);
    let (name, one, other) = (field.name, value(field, dice), value(field, dice));
    let again = pick(dice).name;
    let sign = dice.pick(&[
        "==", "!=", "===", "!==", "<", "<=", ">", ">=", "eq", "~=", "&", "contains", "matches",
        "any_ne", "all_eq",
    ]);
    match dice.roll(24) {
        0 => name.to_owned(),
        1 => format!("not {name}"),
        2 => format!("{name} {sign} {name}"),
        3 => format!("all {name} {sign} {one}"),
        4 => format!("any {name} {sign} {one}"),
        5 => format!("{name} in {{{one}, {other}}}"),
        6 => format!("{name} not in {{{one}..{other}}}"),
        7 => format!("{name} in {{{one} .. {name}}}"),
        8 => format!("count({name}) {sign} {}", dice.roll(4)),
        9 => format!("len({name}) {sign} {}", dice.roll(4)),
        10 => format!("string({name}) {sign} string({again})"),
        11 => format!("max({name}, {one}) {sign} min({name}, {other})"),
        12 => format!("{name}[{}:{}] {sign} {one}", dice.roll(4), dice.roll(4)),
        13 => format!("{name}[-{}] {sign} {name}[{}-]", dice.roll(4), dice.roll(4)),
        14 => format!("{name}#{} {sign} {one}", dice.roll(4)),
        15 => format!("{name} + {one} {sign} {other}"),
        16 => format!("{name} % {one} {sign} abs({again} - {other})"),
        17 => format!("{one} {sign} {name}"),
        18 => format!("{name} {sign} {again}"),
        19 => format!("upper({name}) {sign} lower({name})"),
        20 => format!("{one} {sign} {name} {sign} {other}"),
        21 => format!("@{name} {sign} {one}"),
        _ => format!("{name} {sign} {one}"),
    }
}

fn pick(dice: &mut Dice) -> &'static Field {
    let at = dice.roll(FIELDS.len());
    FIELDS.get(at).copied().expect("there are fields")
}

/// Something that a field may be compared with, mostly.
fn value(field: &Field, dice: &mut Dice) -> String {
    if !field.names.is_empty() && dice.roll(2) == 0 {
        let at = dice.roll(field.names.len());
        return format!("{:?}", field.names[at].0);
    }
    let some: &[&str] = match field.kind {
        Kind::Unsigned(_) | Kind::Signed(_) => super::NUMBERS,
        Kind::Bool => &["0", "1", "True", "False", "2"],
        Kind::Time => &["0", "0.05", "1", "-1.5", "10ms"],
        Kind::Moment => &[
            "\"2024-01-31 12:34:56.5\"",
            "\"Jan 31, 2024 12:34:56\"",
            "\"1970-01-01T00:00:00Z\"",
            "\"1969-12-31 23:59\"",
            "\"2024-01-31\"",
            "\"2262-05-01 00:00:00 +0100\"",
            "\"Feb 29, 2023 24:00:00\"",
            "\"2024-1-1 1:1:1.1\"",
        ],
        Kind::Ipv4 => &["127.0.0.1", "10.0.0.0/8", "0.0.0.0/0"],
        Kind::Ipv6 => &["::1", "fe80::/10", "::/0"],
        Kind::Ether => &["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "00:00:00"],
        Kind::Text => &["\"GET\"", "\"a\"", "\"\"", "\"/\"", "r\"\\w\"", "'1'"],
        Kind::Protocol | Kind::Label | Kind::Bytes => {
            &["00", "47:45:54", "\"e\"", "\"\"", "'G'", "0x47", "\"a|b\""]
        }
    };
    dice.pick(some).to_owned()
}
