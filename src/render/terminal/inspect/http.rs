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
    match response.map(|response| &response.body) {
        Some(body) if body.complete => {}
        // Its bytes came, and where it ends cannot be told.
        Some(body) if body.trouble.is_some() && !body.cut => words += " (body against the rules)",
        Some(_) => words += " (body incomplete)",
        None => {}
    }
    match http.unread.map(|unread| unread.len) {
        Some(Some(len)) => words += &format!(" ({} came, no response)", units::size(len)),
        Some(None) => words += " (its answer cannot be told)",
        None => {}
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Body, HttpResponse, Unread};

    #[test]
    fn what_is_wrong_with_a_response_stands_beside_its_request() {
        let unread = |len| HttpTransaction {
            unread: Some(Unread { len, trouble: "" }),
            ..Default::default()
        };
        let came = "request not seen (36 B came, no response)";
        assert_eq!(request(&unread(Some(36))), came);
        let unclear = "request not seen (its answer cannot be told)";
        assert_eq!(request(&unread(None)), unclear);
        let body = |cut| HttpTransaction {
            response: Some(HttpResponse {
                body: Body {
                    trouble: Some("some".into()),
                    cut,
                    ..Body::default()
                },
                ..HttpResponse::default()
            }),
            ..Default::default()
        };
        let told = [true, false].map(|cut| request(&body(cut)));
        assert_eq!(told[0], "request not seen (body incomplete)");
        assert_eq!(told[1], "request not seen (body against the rules)");
    }
}
