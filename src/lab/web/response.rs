//! Status lines and response heads.

/// The answers that this server gives, RFC 9110 section 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    BadRequest,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    UriTooLong,
    FieldsTooLarge,
    NotImplemented,
    VersionNotSupported,
}

impl Status {
    /// Code and reason phrase.
    pub(super) fn line(self) -> &'static str {
        match self {
            Status::Ok => "200 OK",
            Status::BadRequest => "400 Bad Request",
            Status::Forbidden => "403 Forbidden",
            Status::NotFound => "404 Not Found",
            Status::MethodNotAllowed => "405 Method Not Allowed",
            Status::RequestTimeout => "408 Request Timeout",
            Status::UriTooLong => "414 URI Too Long",
            Status::FieldsTooLarge => "431 Request Header Fields Too Large",
            Status::NotImplemented => "501 Not Implemented",
            Status::VersionNotSupported => "505 HTTP Version Not Supported",
        }
    }

    fn explanation(self) -> &'static str {
        match self {
            Status::Ok => "Here it is.",
            Status::BadRequest => "The request is not valid HTTP.",
            Status::Forbidden => "The server may not read this file.",
            Status::NotFound => "There is no such file on this server.",
            Status::MethodNotAllowed => "Only GET and HEAD are allowed here.",
            Status::RequestTimeout => "The request was not complete in time.",
            Status::UriTooLong => "The request target is too long.",
            Status::FieldsTooLarge => "The header fields are too many or too long.",
            Status::NotImplemented => "The server does not know this method.",
            Status::VersionNotSupported => "The server speaks HTTP/1.0 and HTTP/1.1.",
        }
    }

    /// The page that goes with an error. Nothing of the request is in it.
    pub(super) fn page(self) -> String {
        let line = self.line();
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{line}</title>\n\
             <h1>{line}</h1>\n<p>{}</p>\n</html>\n",
            self.explanation()
        )
    }
}

/// What the `Connection` field says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// The connection stays open, as HTTP/1.1 has it without a word.
    Open,
    /// It stays open, and an HTTP/1.0 client is told so.
    OpenForOld,
    Close,
}

/// A response head, with the empty line that ends it.
pub(super) fn head(status: Status, content_type: &str, length: u64, after: After) -> String {
    let allow = match status {
        Status::MethodNotAllowed => "Allow: GET, HEAD\r\n",
        _ => "",
    };
    let connection = match after {
        After::Open => "",
        After::OpenForOld => "Connection: keep-alive\r\n",
        After::Close => "Connection: close\r\n",
    };
    format!(
        "HTTP/1.1 {}\r\nServer: netlab-capture/{}\r\nContent-Type: {content_type}\r\n\
         Content-Length: {length}\r\n{allow}{connection}\r\n",
        status.line(),
        env!("CARGO_PKG_VERSION"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_complete_and_parses() {
        let text = head(Status::MethodNotAllowed, "text/html", 12, After::Close);
        let mut fields = [httparse::EMPTY_HEADER; 8];
        let mut response = httparse::Response::new(&mut fields);
        let end = response.parse(text.as_bytes()).unwrap().unwrap();
        assert_eq!(end, text.len());
        assert_eq!(response.code, Some(405));
        assert_eq!(response.reason, Some("Method Not Allowed"));
        let field = |name: &str| {
            response
                .headers
                .iter()
                .find(|field| field.name == name)
                .map(|field| field.value)
        };
        assert_eq!(field("Allow"), Some(&b"GET, HEAD"[..]));
        assert_eq!(field("Content-Length"), Some(&b"12"[..]));
        assert_eq!(field("Connection"), Some(&b"close"[..]));
    }

    #[test]
    fn only_405_names_the_methods_and_an_open_connection_is_not_mentioned() {
        let text = head(Status::Ok, "text/html", 0, After::Open);
        assert!(
            !text.contains("Allow") && !text.contains("Connection"),
            "{text}"
        );
        assert!(text.ends_with("\r\n\r\n"), "{text}");
    }
}
