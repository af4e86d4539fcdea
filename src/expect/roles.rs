//! Which statements ask who `client` and `server` are.

use super::ast::Expectation;
use super::lex::{self, Strings, Token};

/// The roles that a capture without a recording has.
const IMPLIED: [&str; 2] = ["client", "server"];

/// Does the expectation name `client` or `server` as the ends of packets in all
/// of the capture? Within `on tcp[0]` it is clear who they are, and `client.exit`
/// asks for a program.
pub fn names_implied_roles(expectation: &Expectation) -> bool {
    expectation.statements.iter().any(|statement| {
        let text = expectation.text.get(statement.span.clone());
        text.is_some_and(statement_names_them)
    })
}

/// Does the expectation speak of this role?
pub fn names_role(expectation: &Expectation, role: &str) -> bool {
    let mut at = 0;
    loop {
        let lexed = lex::token(&expectation.text, at, Strings::Statements);
        match lexed.token {
            Token::End => return false,
            Token::Word(word) if word == role => return true,
            _ => at = lexed.span.end,
        }
    }
}

fn statement_names_them(text: &str) -> bool {
    let mut at = 0;
    let mut before = None;
    let mut found = false;
    loop {
        let lexed = lex::token(text, at, Strings::Statements);
        match (&before, &lexed.token) {
            (_, Token::End) => return found,
            (Some(Token::Word("on")), Token::Word("tcp" | "udp" | "http")) => return false,
            (Some(Token::Symbol(".")), Token::Word(_)) => {}
            (_, Token::Word(word)) if IMPLIED.contains(word) => found = true,
            _ => {}
        }
        at = lexed.span.end;
        before = Some(lexed.token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ends_in_all_of_the_capture_ask_who_is_meant() {
        let asks = |text: &str| {
            let roles = IMPLIED.map(str::to_owned);
            names_implied_roles(&super::super::parse("x", text, &roles).unwrap())
        };
        assert!(asks("no client > any SYN"));
        assert!(asks("stream(client > server) == \"a\""));
        assert!(asks("no udp and from == server"));
        assert!(!asks("no RST"));
        assert!(!asks("client.exit == 0"));
        assert!(!asks("tcp[0].client.port == 1"));
        assert!(!asks("no data \"client\""));
        assert!(!asks("exactly on tcp[0] { client > server SYN }"));
    }
}
