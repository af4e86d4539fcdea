//! `inspect --follow tcp:0`: the bytes of one conversation.

use std::io::{IsTerminal, Read};
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::str::FromStr;

use super::args::{Args, Form, From};
use super::input;
use crate::cli::output::{self, Stdout};
use crate::cli::{Exit, code_of};
use crate::conversation::{Direction, Limits};
use crate::render::follow::{self, Follow};
use crate::render::text;
use crate::report::{Endpoint, Side};
use crate::savefile::{CaptureInfo, Protocol, Reader, SavefileError};
use crate::trace::{self, Followed, Numbers};

/// A conversation, by its number: `tcp:0`, or as expectations write it,
/// `tcp[0]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    protocol: Protocol,
    id: u32,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Target, String> {
        let wrong = || format!("`{text}` is no conversation: write tcp:0 or udp:3");
        let bracketed = text.strip_suffix(']').and_then(|t| t.split_once('['));
        let (protocol, id) = text.split_once(':').or(bracketed).ok_or_else(wrong)?;
        Ok(Target {
            protocol: match protocol {
                "tcp" => Protocol::Tcp,
                "udp" => Protocol::Udp,
                _ => return Err(wrong()),
            },
            id: id.parse().map_err(|_| wrong())?,
        })
    }
}

impl Target {
    fn name(&self) -> &'static str {
        match self.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        }
    }
}

pub fn main(args: &Args, target: Target) -> Exit {
    if args.form == Form::Raw && std::io::stdout().is_terminal() {
        output::tell(
            "--as raw writes bytes as they are, which a terminal may act on: send them to a \
             file or a program (> FILE, | PROGRAM)",
        );
        return Exit::Usage;
    }
    let [file] = args.files.as_slice() else {
        output::tell("--follow takes one file");
        return Exit::Usage;
    };
    let input = match input::open(file, true) {
        Ok(input) => input,
        Err(error) => return unreadable(&error),
    };
    Shown::new(args, target).run(input.reader)
}

/// What is shown, and what is told beside it.
struct Shown {
    target: Target,
    follow: Follow,
    from: Option<Side>,
    out: Stdout,
    buffer: Vec<u8>,
    /// What is shown is text, for a locale without UTF-8.
    ascii: bool,
    /// Stream bytes of each side that were never captured.
    missing: [u64; 2],
}

impl Shown {
    fn new(args: &Args, target: Target) -> Shown {
        let from = args.from.map(|side| match side {
            From::Client => Side::Client,
            From::Server => Side::Server,
        });
        let follow = Follow::new(follow::Options {
            form: match args.form {
                Form::Text => follow::Form::Text,
                Form::Hex => follow::Form::Hex,
                Form::Raw => follow::Form::Raw,
            },
            from,
            color: output::color(),
        });
        Shown {
            target,
            follow,
            from,
            out: Stdout::default(),
            buffer: Vec::new(),
            ascii: args.form != Form::Raw && !output::unicode(),
            missing: [0; 2],
        }
    }

    fn run(mut self, reader: Reader<impl Read>) -> Exit {
        let Target { protocol, id } = self.target;
        let limits = Limits::default();
        let read = trace::follow(reader, limits, (protocol, id), &mut |followed| {
            self.take(followed);
            self.write()
        });
        self.follow.finish(&mut self.buffer);
        let _ = self.write();
        match read {
            Err(error) => unreadable(&error),
            Ok((capture, numbers)) => self.close(&capture, numbers),
        }
    }

    fn write(&mut self) -> ControlFlow<()> {
        if self.ascii {
            self.buffer = text::ascii(&String::from_utf8_lossy(&self.buffer)).into_bytes();
        }
        self.out.write_out(&mut self.buffer)
    }

    fn take(&mut self, followed: Followed) {
        let out = &mut self.buffer;
        match followed {
            Followed::Begins { client, server } => {
                let Target { protocol, id } = self.target;
                self.follow
                    .head(protocol, id, &endpoint(client), &endpoint(server), out);
            }
            Followed::Bytes { way, bytes } => self.follow.bytes(sender(way), &bytes, out),
            Followed::Gap { way, missing } => {
                let side = sender(way);
                if self.from.is_none_or(|only| only == side) {
                    let [client, server] = &mut self.missing;
                    *match side {
                        Side::Client => client,
                        Side::Server => server,
                    } += missing;
                }
                self.follow.gap(side, missing, out);
            }
            Followed::Restart { way } => self.follow.restart(sender(way), out),
            Followed::Datagram { way, payload } => {
                self.follow.bytes(sender(way), &payload, out);
                self.follow.boundary(out);
            }
        }
    }

    /// What the bytes do not tell.
    fn close(self, capture: &CaptureInfo, numbers: Numbers) -> Exit {
        let name = self.target.name();
        let id = self.target.id;
        let mut exit = self.out.exit();
        for (side, missing) in ["client", "server"].iter().zip(self.missing) {
            if missing > 0 {
                output::tell(&format!(
                    "{name}:{id} lacks {missing} bytes of the {side}, which were never captured"
                ));
            }
        }
        if let Some(damage) = &capture.damage {
            output::tell(&format!(
                "{} is damaged at byte {}: {}. Everything before it was read",
                capture.file, damage.offset, damage.reason
            ));
            exit = exit.worst(Exit::Damaged);
        }
        let all = numbers.of(self.target.protocol);
        // Where reading was broken off, the conversation was there.
        if all <= id && !self.out.is_broken() {
            let has = match all {
                0 => format!("it has no {} conversation", name.to_uppercase()),
                1 => format!("it has only {name}:0"),
                all => format!("it has {name}:0 to {name}:{}", all - 1),
            };
            output::tell(&format!("{} has no {name}:{id}: {has}", capture.file));
            exit = exit.worst(Exit::Usage);
        }
        exit
    }
}

fn unreadable(error: &SavefileError) -> Exit {
    let message = error.to_string();
    output::tell(output::without_number(&message));
    code_of(error).into()
}

/// To the server means by the client.
fn sender(way: Direction) -> Side {
    match way {
        Direction::ToServer => Side::Client,
        Direction::ToClient => Side::Server,
    }
}

fn endpoint(socket: SocketAddr) -> Endpoint {
    Endpoint {
        address: socket.ip(),
        port: socket.port().into(),
        role: None,
    }
}
