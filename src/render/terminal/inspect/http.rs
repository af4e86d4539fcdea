//! The table of HTTP transactions.

use super::super::line::Tone;
use super::super::screen::{Screen, thousands};
use super::table::{Cell, Table, left, right};
use super::{Extent, heading, rest, units};
use crate::report::{HttpTransaction, Message, Report, Summary};

pub fn section(screen: &mut Screen, report: &Report, summary: &Summary, extent: &Extent) {
    if summary.transactions == 0 {
        return;
    }
    let number = thousands(summary.transactions);
    let words = match summary.transactions {
        1 => "transaction",
        _ => "transactions",
    };
    heading(screen, "HTTP", Some(format!("{number} {words}")));
    let shown = table(screen, report, extent);
    rest(screen, summary.transactions, shown, "The first", "--http");
    screen.blank();
}

/// Writes the first transactions. Says how many.
pub fn table(screen: &mut Screen, report: &Report, extent: &Extent) -> usize {
    let mut table = Table::new(vec![
        right("at"),
        right("took"),
        right("status"),
        right("size"),
        left("in"),
        left("request"),
    ]);
    let mut shown = 0;
    for message in report.messages.iter().take(extent.rows()) {
        table.row(row(screen, message));
        shown += 1;
    }
    let room = extent.room(screen);
    table.show(screen, 2, room);
    shown
}

fn row(screen: &Screen, message: &Message) -> Vec<Cell> {
    let http = &message.http;
    let response = http.response.as_ref();
    let (status, tone) = match response {
        // HTTP/0.9 has none.
        Some(response) if response.code == 0 => ("no code".to_owned(), Tone::Plain),
        Some(response) => (response.code.to_string(), tone(response.code)),
        None if http.response_lost && http.unread.is_some() => ("?".to_owned(), Tone::Notice),
        None if http.response_lost => ("lost".to_owned(), Tone::Notice),
        None if http.given_up => ("?".to_owned(), Tone::Dim),
        None => ("none".to_owned(), Tone::Notice),
    };
    let size = response.map_or_else(String::new, |r| units::size(r.body.len));
    vec![
        Cell::dim(message.start_ms.map(units::moment).unwrap_or_default()),
        Cell::plain(http.time_ms.map(units::span).unwrap_or_default()),
        Cell::new(status, tone),
        Cell::plain(size),
        Cell::dim(format!("tcp[{}]", message.stream)),
        Cell::plain(screen.clean(&request(http))),
    ]
}

fn tone(code: u16) -> Tone {
    match code {
        500.. => Tone::Bad,
        400..=499 => Tone::Notice,
        200..=299 => Tone::Good,
        _ => Tone::Plain,
    }
}

/// Method and target, with the host before it, as one types it into a browser;
/// and what is wrong with the bodies, or came in place of an answer.
fn request(http: &HttpTransaction) -> String {
    let mut words = match &http.request {
        None if http.given_up => "an earlier request".to_owned(),
        None => "request not seen".to_owned(),
        Some(request) => {
            let host = request.header("host").unwrap_or_default();
            let host = if request.uri.starts_with('/') {
                host
            } else {
                ""
            };
            format!("{} {host}{}", request.method, request.uri)
        }
    };
    let response = http.response.as_ref().filter(|_| !http.given_up);
    if response.is_some_and(|r| !r.body.complete) {
        words += " (body incomplete)";
    }
    match http.unread.map(|unread| unread.len) {
        Some(Some(len)) => words += &format!(" ({} came, no response)", units::size(len)),
        Some(None) => words += " (its answer cannot be told)",
        None => {}
    }
    words
}
