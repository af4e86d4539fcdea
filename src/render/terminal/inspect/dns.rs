//! The table of DNS queries.

use super::super::line::Tone;
use super::super::screen::{Screen, count};
use super::conversations::tag;
use super::table::{Cell, Table, left, right};
use super::{Extent, heading, rest, units};
use crate::report::{Dns, Lookup, Report, Summary, and_more};

pub fn section(screen: &mut Screen, report: &Report, summary: &Summary, extent: &Extent) {
    if summary.lookups == 0 {
        return;
    }
    let number = count(summary.lookups, "query", "queries");
    heading(screen, "DNS", Some(number));
    let shown = table(screen, report, extent);
    rest(screen, summary.lookups, shown, "The first", "--json");
    screen.blank();
}

/// Writes the first queries. Says how many.
pub fn table(screen: &mut Screen, report: &Report, extent: &Extent) -> usize {
    let mut table = Table::new(vec![
        right("at"),
        right("took"),
        left("answer"),
        left("in"),
        left("query"),
    ]);
    let mut shown = 0;
    for lookup in report.lookups.iter().take(extent.rows()) {
        table.row(row(screen, lookup));
        shown += 1;
    }
    let room = extent.room(screen);
    table.show(screen, 2, room);
    shown
}

fn row(screen: &Screen, lookup: &Lookup) -> Vec<Cell> {
    let dns = &lookup.dns;
    let (answer, tone) = match (&dns.rcode, dns.rcode_number) {
        (Some(name), Some(0)) => (screen.clean(name), Tone::Good),
        (Some(name), _) => (screen.clean(name), Tone::Bad),
        (None, _) if dns.given_up => ("?".to_owned(), Tone::Dim),
        (None, _) if dns.multicast => ("multicast".to_owned(), Tone::Dim),
        (None, _) => ("none".to_owned(), Tone::Notice),
    };
    vec![
        Cell::dim(lookup.start_ms.map(units::moment).unwrap_or_default()),
        Cell::plain(dns.time_ms.map(units::span).unwrap_or_default()),
        Cell::new(answer, tone),
        Cell::dim(tag(lookup.protocol, lookup.stream)),
        Cell::plain(screen.clean(&question(dns, screen.symbols.arrow))),
    ]
}

/// `A example.org → 192.0.2.1, 192.0.2.2`
fn question(dns: &Dns, arrow: &str) -> String {
    let mut words: Vec<&str> = dns
        .kind
        .iter()
        .chain(&dns.name)
        .map(String::as_str)
        .collect();
    if words.is_empty() {
        // One whose name cannot be read was seen all the same.
        words.push(match dns.query_frame.is_some() {
            true => "a query",
            false if dns.given_up => "query not known",
            false => "query not seen",
        });
    }
    let mut text = words.join(" ");
    if let Some(more) = and_more(dns.more_questions.len()) {
        text += &format!(" {more}");
    }
    if dns.truncated {
        text += " (answer truncated)";
    }
    let answers: Vec<&str> = dns
        .answers
        .iter()
        .map(|record| record.data.as_str())
        .collect();
    if !answers.is_empty() {
        text += &format!(" {arrow} {}", answers.join(", "));
    }
    if dns.messages_more > 0 {
        let messages = dns.messages_more + 1;
        text += &format!(" (the first of {messages} messages)");
    }
    if let Some(trouble) = &dns.trouble {
        text += &format!(" ({trouble})");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_says_that_it_is_cut_is_told_so() {
        let dns = Dns {
            name: Some("a.example".to_owned()),
            truncated: true,
            ..Dns::default()
        };
        assert_eq!(question(&dns, "->"), "a.example (answer truncated)");
    }

    #[test]
    fn further_questions_and_messages_are_counted() {
        let dns = Dns {
            name: Some("a.example".to_owned()),
            more_questions: vec![Default::default(); 2],
            messages_more: 2,
            ..Dns::default()
        };
        let told = "a.example and 2 more (the first of 3 messages)";
        assert_eq!(question(&dns, "->"), told);
    }

    #[test]
    fn a_query_whose_name_cannot_be_read_was_seen() {
        let mut dns = Dns {
            query_frame: Some(3),
            trouble: Some("a name is cut off".to_owned()),
            ..Dns::default()
        };
        assert_eq!(question(&dns, "->"), "a query (a name is cut off)");
        dns.query_frame = None;
        assert_eq!(question(&dns, "->"), "query not seen (a name is cut off)");
    }
}
