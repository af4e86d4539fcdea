//! Questions and answers as JSON: what the page and the engine say to each other.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::tree::{self, Node};
use super::{Capture, Mistake, complete, row, series, statement, stream};
use crate::savefile::Recording;

/// Bytes of a stream that one answer holds at most: 1 MiB.
const STREAM: usize = 1 << 20;

/// And chunks of it.
const CHUNKS: usize = 500;

/// Rows that one answer holds at most.
const ROWS: usize = 4096;

/// What a page may ask. The first word is `ask`; packets are named by their
/// `frame.number`, conversations by their index.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
enum Question {
    /// Opens the capture whose bytes come with the question; the recording is
    /// that of the file beside it. Answer: its report.
    Open {
        name: String,
        recording: Option<Box<Recording>>,
    },
    /// Answer: a row for each packet that there is.
    Rows { packets: Vec<usize> },
    /// Answer: the numbers of the packets that the filter shows, or mistakes.
    Filter { text: String },
    /// Answer: fields that the word at the caret (in UTF-8 bytes) may become.
    Complete { text: String, caret: usize },
    /// Answer: the layers of a packet and its bytes in hex.
    Packet { packet: usize },
    /// Answer: the bytes of a conversation.
    Stream { conversation: usize },
    /// Answer: the points of a TCP connection.
    Series { conversation: usize },
    /// Answer: what a statement comes to.
    Judge { text: String },
    /// Answer: a statement that the packet fulfils.
    Statement { packet: usize },
}

/// Where questions are answered. Holds the capture that is open.
#[derive(Default)]
pub struct Desk {
    capture: Option<Capture>,
}

impl Desk {
    /// Answers a question with one JSON document: what was asked for under
    /// `answer`, or what is wrong under `error`. `data` are the bytes that come
    /// with the question.
    pub fn answer(&mut self, question: &str, data: &[u8]) -> String {
        let answer = match serde_json::from_str(question) {
            Ok(question) => self.reply(question, data),
            Err(error) => Err(format!("the question is not understood: {error}")),
        };
        match answer {
            Ok(answer) => format!("{{\"answer\":{answer}}}"),
            Err(error) => json!({ "error": error }).to_string(),
        }
    }

    fn reply(&mut self, question: Question, data: &[u8]) -> Result<String, String> {
        match question {
            Question::Open { name, recording } => {
                let recording = recording.map(|recording| *recording);
                let capture =
                    Capture::open(data, &name, recording).map_err(|error| error.to_string())?;
                let report = written(&capture.report());
                self.capture = Some(capture);
                report
            }
            Question::Complete { text, caret } => {
                let (start, candidates) = complete(&text, caret);
                Ok(json!({ "start": start, "candidates": candidates }).to_string())
            }
            other => match &self.capture {
                Some(capture) => about(capture, other),
                None => Err("no capture is open".to_owned()),
            },
        }
    }
}

fn about(capture: &Capture, question: Question) -> Result<String, String> {
    let trace = &capture.trace;
    match question {
        Question::Rows { packets } => {
            let rows = packets.iter().take(ROWS);
            let rows = rows.filter_map(|number| row(trace, number.checked_sub(1)?));
            written(&rows.collect::<Vec<_>>())
        }
        Question::Filter { text } => written(&match capture.filter(&text) {
            Ok(packets) => Filtered::Packets(packets),
            Err(mistakes) => Filtered::Mistakes(mistakes),
        }),
        Question::Packet { packet } => {
            let index = packet.checked_sub(1).unwrap_or(usize::MAX);
            let Some(decoded) = trace.packets.get(index) else {
                return Err(format!("there is no packet {packet}"));
            };
            written(&Packet {
                layers: tree::tree(trace, index),
                hex: hex(decoded.data(trace.frame(index))),
                reassembled: decoded.reassembled().is_some(),
            })
        }
        Question::Stream { conversation } => written(&stream(trace, conversation, STREAM, CHUNKS)),
        Question::Series { conversation } => written(&series(trace, conversation)),
        Question::Judge { text } => written(&capture.judge(&text)),
        Question::Statement { packet } => {
            let index = packet.checked_sub(1).unwrap_or(usize::MAX);
            written(&statement(trace, index))
        }
        Question::Open { .. } | Question::Complete { .. } => {
            Err("this is asked of no capture".to_owned())
        }
    }
}

/// What a display filter comes to.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Filtered {
    Packets(Vec<u32>),
    Mistakes(Vec<Mistake>),
}

/// One packet in full.
#[derive(Serialize)]
struct Packet {
    layers: Vec<Node>,
    /// Two digits for each byte.
    hex: String,
    /// The bytes are those of a datagram that came in several frames.
    reassembled: bool,
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    let pairs = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)]);
    pairs.collect()
}

/// Straight to text: an answer may be long, and pages wait for it.
fn written(answer: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(answer).map_err(|error| error.to_string())
}
