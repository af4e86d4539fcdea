//! A message's content as it comes, up to the end that its head tells.

use super::chunked::{Chunked, Progress};
use super::content::Content;
use super::found::Held;
use super::length::Length;
use super::{Bodies, Body, Framing, Headers};

/// A body that is being read.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    rest: Rest,
    content: Content,
    framing: Framing,
    missing: u64,
    trailers: Headers,
    trouble: Option<String>,
    /// The trouble is against the rules, and no mere want of bytes.
    wrong: bool,
}

/// What is still to come.
#[derive(Clone, Debug)]
enum Rest {
    /// Nothing: the body is complete.
    Nothing,
    /// It cannot be told: a fault, or a gap.
    Unknown,
    Bytes {
        told: u64,
        left: u64,
    },
    Chunks(Chunked),
    UntilClose,
}

impl Reading {
    pub(super) fn new(length: Length, bodies: Bodies) -> Reading {
        let (rest, framing) = match length {
            Length::None => (Rest::Nothing, Framing::None),
            Length::Bytes(0) => (Rest::Nothing, Framing::ContentLength),
            Length::Bytes(len) => (
                Rest::Bytes {
                    told: len,
                    left: len,
                },
                Framing::ContentLength,
            ),
            Length::Chunked => (Rest::Chunks(Chunked::default()), Framing::Chunked),
            Length::UntilClose => (Rest::UntilClose, Framing::UntilClose),
            Length::Wrong(_) => (Rest::Unknown, Framing::None),
        };
        Reading {
            rest,
            content: Content::new(bodies),
            framing,
            missing: 0,
            trailers: Headers::default(),
            trouble: match length {
                Length::Wrong(why) => Some(why.to_owned()),
                _ => None,
            },
            wrong: matches!(length, Length::Wrong(_)),
        }
    }

    /// Nothing more belongs to it, as far as is known.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.rest, Rest::Nothing | Rest::Unknown)
    }

    pub(super) fn is_complete(&self) -> bool {
        matches!(self.rest, Rest::Nothing) && self.missing == 0
    }

    /// Is its framing beyond repair, so that what follows cannot be told?
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.rest, Rest::Unknown) && self.framing == Framing::Chunked
    }

    /// Takes room for so many more bytes, where they are to be kept.
    pub(super) fn make_room(&mut self, more: usize, held: &mut Held, most: usize) {
        self.content.make_room(more, held, most);
    }

    /// Gives back what is not used.
    pub(super) fn leave_room(&mut self, held: &mut Held) {
        self.content.leave_room(held);
    }

    /// Takes bytes behind which the body goes on for certain; false: they may
    /// not be such.
    pub(super) fn midst(&mut self, bytes: &[u8]) -> bool {
        match &mut self.rest {
            Rest::Bytes { left, .. } if *left > bytes.len() as u64 => {
                *left -= bytes.len() as u64;
            }
            Rest::UntilClose => {}
            _ => return false,
        }
        self.content.take(bytes);
        true
    }

    /// Takes what belongs to the body; returns how many bytes that are.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        match &mut self.rest {
            Rest::Nothing | Rest::Unknown => 0,
            Rest::Bytes { left, .. } => {
                let len = usize::try_from(*left).map_or(bytes.len(), |l| l.min(bytes.len()));
                self.content.take(bytes.get(..len).unwrap_or(bytes));
                *left -= len as u64;
                if *left == 0 {
                    self.rest = Rest::Nothing;
                }
                len
            }
            Rest::Chunks(chunks) => match chunks.take(bytes, &mut self.content) {
                Progress::More => bytes.len(),
                Progress::Done(len, trailers) => {
                    self.trailers = trailers;
                    self.rest = Rest::Nothing;
                    len
                }
                Progress::Wrong(len, why) => {
                    self.trouble = Some(why.to_owned());
                    self.wrong = true;
                    self.rest = Rest::Unknown;
                    len
                }
            },
            Rest::UntilClose => {
                self.content.take(bytes);
                bytes.len()
            }
        }
    }

    /// `missing` bytes were not captured. Where the body's end lies among
    /// them, it is over. Returns whether bytes behind it are among them too.
    pub(super) fn miss(&mut self, missing: u64) -> bool {
        match &mut self.rest {
            Rest::Nothing | Rest::Unknown => {}
            Rest::Bytes { left, .. } => {
                let lost = missing.min(*left);
                *left -= lost;
                self.missing += lost;
                if *left == 0 {
                    self.rest = Rest::Nothing;
                }
                return lost < missing;
            }
            Rest::Chunks(chunks) => {
                if chunks.miss(missing) {
                    self.missing += missing;
                } else {
                    self.missing += chunks.left();
                    if self.missing == 0 {
                        let why = "where a chunk begins was not captured";
                        self.trouble = Some(why.to_owned());
                    }
                    self.rest = Rest::Unknown;
                }
            }
            Rest::UntilClose => self.missing += missing,
        }
        false
    }

    /// The stream ends here.
    pub(super) fn end(&mut self) {
        match &self.rest {
            Rest::Nothing | Rest::Unknown => {}
            Rest::Bytes { told, left } => {
                self.trouble = Some(format!(
                    "Content-Length says {told} bytes, but the stream ends after {}",
                    told - left
                ));
                self.rest = Rest::Unknown;
            }
            Rest::Chunks(_) => {
                if self.missing == 0 {
                    self.trouble = Some("the stream ends before the last chunk".to_owned());
                }
                self.rest = Rest::Unknown;
            }
            Rest::UntilClose => self.rest = Rest::Nothing,
        }
    }

    /// Bytes follow that begin no other message: the length was told wrong.
    pub(super) fn has_more_behind(&mut self, len: u64) {
        if self.trouble.is_none() && self.missing == 0 {
            self.wrong = true;
            self.trouble = Some(format!(
                "{len} more bytes follow the end that the head tells"
            ));
        }
    }

    /// As [`Reading::finish`], while more may come.
    pub(super) fn so_far(&self, start: usize, end: usize) -> Body {
        self.clone().finish(start, end)
    }

    /// The body, as far as seen; its range lies from `start` to `end`.
    pub(super) fn finish(self, start: usize, end: usize) -> Body {
        let complete = self.is_complete();
        let missing = self.missing;
        let trouble = self.trouble.or_else(|| {
            (missing > 0).then(|| format!("{missing} bytes of the body were not captured"))
        });
        let mut body = Body {
            complete,
            missing,
            range: start..end,
            framing: self.framing,
            trailers: self.trailers,
            cut: trouble.is_some() && !self.wrong,
            trouble,
            ..Body::default()
        };
        self.content.finish(&mut body);
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(length: Length, of: impl FnOnce(&mut Reading)) -> Body {
        let mut reading = Reading::new(length, Bodies::Count);
        of(&mut reading);
        reading.finish(0, 0)
    }

    #[test]
    fn what_is_not_there_breaks_no_rule() {
        let gap = body(Length::Bytes(5), |body| {
            body.take(b"ab");
            body.miss(3);
        });
        let ends = body(Length::Bytes(5), |body| {
            body.take(b"ab");
            body.end();
        });
        let chunk = body(Length::Chunked, |body| {
            body.take(b"5\r\nab");
            body.end();
        });
        for body in [gap, ends, chunk] {
            assert!(body.cut && body.trouble.is_some(), "{body:?}");
        }
        let wrong = body(Length::Chunked, |body| {
            body.take(b"x\r\n");
        });
        let more = body(Length::Bytes(1), |body| {
            body.take(b"a");
            body.has_more_behind(2);
        });
        for body in [wrong, more] {
            assert!(!body.cut && body.trouble.is_some(), "{body:?}");
        }
        assert!(!body(Length::None, |_| ()).cut);
    }
}
