//! The flags of `inspect`, and the settings that they come to.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::ValueEnum;

use super::follow::Target;
use crate::conversation::Limits;
use crate::diagnostic::Source;
use crate::expect;
use crate::expect::ast::Filter;

use super::super::at_least_one;
use super::super::load::Mistakes;

/// Show what captures hold: who spoke with whom, what went wrong, HTTP.
///
/// Reads pcap and pcapng, also compressed with gzip or zstd. Nothing is judged:
/// the exit code is 0 unless a file cannot be read (2) or is damaged (6, after
/// everything before the damage was shown).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Args {
    /// Capture files; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// Only packets that a Wireshark display filter shows, and what they belong
    /// to: conversations and transactions with one of them
    #[arg(
        short = 'Y',
        long,
        value_name = "FILTER",
        allow_hyphen_values = true,
        help_heading = "What to show"
    )]
    pub filter: Option<String>,
    /// The packets, one on a line; with --json in the document
    #[arg(long, help_heading = "What to show", groups = ["what", "table"])]
    pub packets: bool,
    /// The table of conversations, all rows
    #[arg(long, help_heading = "What to show", groups = ["what", "table"])]
    pub conversations: bool,
    /// The table of HTTP transactions, all rows
    #[arg(long, help_heading = "What to show", groups = ["what", "table"])]
    pub http: bool,
    /// The bytes of one conversation: tcp:0, udp:3
    #[arg(
        long,
        value_name = "CONVERSATION",
        help_heading = "What to show",
        group = "what",
        conflicts_with_all = ["filter", "json", "ndjson", "csv"]
    )]
    pub follow: Option<Target>,
    /// Write the bodies of HTTP messages to files in a folder, and list them
    #[arg(
        long,
        value_name = "DIR",
        help_heading = "What to show",
        group = "what",
        conflicts_with_all = ["ndjson", "csv"]
    )]
    pub extract: Option<PathBuf>,

    /// One JSON document on one line for each file (see `netlab-capture schema`)
    #[arg(long, help_heading = "How to show it", group = "how")]
    pub json: bool,
    /// One JSON object on a line for each packet, conversation or transaction,
    /// written while the capture is read
    #[arg(long, help_heading = "How to show it", group = "how")]
    pub ndjson: bool,
    /// A page that shows everything, with the capture in it: one HTML file; into
    /// a folder (DIR/), one for each capture
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "How to show it",
        group = "how",
        conflicts_with_all = ["what", "filter"]
    )]
    pub html: Option<PathBuf>,
    /// Comma-separated values, with a line of headings
    #[arg(
        long,
        help_heading = "How to show it",
        group = "how",
        requires = "what"
    )]
    pub csv: bool,
    /// Rows of each table in the summary
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20,
        help_heading = "How to show it"
    )]
    pub rows: usize,
    /// Each row of a table on one line, however wide
    #[arg(long, help_heading = "How to show it")]
    pub wide: bool,
    /// How --follow shows the bytes
    #[arg(
        long = "as",
        value_enum,
        default_value_t,
        requires = "follow",
        help_heading = "How to show it"
    )]
    pub form: Form,
    /// Only the bytes that one side sent
    #[arg(long, value_enum, requires = "follow", help_heading = "How to show it")]
    pub from: Option<From>,

    /// Threads that work: as many as there are processors, if not told. What is
    /// found does not depend on it
    #[arg(long, value_name = "N", value_parser = at_least_one, help_heading = "Limits")]
    pub threads: Option<NonZeroUsize>,
    /// Conversations that are open at a time; the longest idle is closed
    #[arg(long, value_name = "N", default_value_t = Limits::default().conversations, help_heading = "Limits")]
    pub limit_conversations: usize,
    /// Bytes of a stream that wait for one that is missing before them
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().waiting as u64, value_parser = bytes, help_heading = "Limits")]
    pub limit_waiting: u64,
    /// Close what is over, and UDP that is silent, after so long; else at the end, as Wireshark
    #[arg(long, value_name = "SECONDS", help_heading = "Limits")]
    pub limit_idle: Option<u32>,

    /// The SHA-256 of each HTTP body: in --json, and in --http as --ndjson or --csv
    #[arg(long, help_heading = "HTTP")]
    pub digest: bool,
    /// Undo the content coding (gzip, deflate, br, zstd) of extracted bodies
    #[arg(long, requires = "extract", help_heading = "HTTP")]
    pub decode: bool,
    /// Stop extracting after so many bytes: 500M, 2G
    #[arg(
        long,
        value_name = "BYTES",
        default_value = "1G",
        value_parser = bytes,
        requires = "extract",
        help_heading = "HTTP"
    )]
    pub extract_limit: u64,
}

const EXAMPLES: &str = "\
Examples:
  netlab-capture inspect x.pcapng
  netlab-capture inspect x.pcapng -Y 'http.response.code >= 400' --http
  netlab-capture inspect x.pcapng --packets -Y tcp.analysis.retransmission
  netlab-capture inspect x.pcapng --json | jq .summary.findings
  netlab-capture inspect *.pcap.gz --conversations --csv > conversations.csv
  netlab-capture inspect x.pcapng --follow tcp:0
  netlab-capture inspect x.pcapng --follow tcp:0 --from server --as raw > answer
  netlab-capture inspect x.pcapng --extract bodies --decode
  tcpdump -w - | netlab-capture inspect - --ndjson";

/// How a followed stream is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// As text, both sides marked, control characters made visible
    #[default]
    Text,
    /// As a hex dump
    Hex,
    /// The bytes as they are, for a pipe
    Raw,
}

/// Whose bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum From {
    Client,
    Server,
}

/// What is written of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Summary,
    Packets,
    Conversations,
    Http,
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Terminal,
    Json,
    Lines,
    Csv,
}

impl Args {
    pub fn what(&self) -> What {
        match self {
            Args { packets: true, .. } => What::Packets,
            Args {
                conversations: true,
                ..
            } => What::Conversations,
            Args { http: true, .. } => What::Http,
            // A line for each of what, if not of the packets?
            Args { ndjson: true, .. } => What::Packets,
            _ => What::Summary,
        }
    }

    pub fn how(&self) -> How {
        match self {
            Args { json: true, .. } => How::Json,
            Args { ndjson: true, .. } => How::Lines,
            Args { csv: true, .. } => How::Csv,
            _ => How::Terminal,
        }
    }

    /// Is output written while the capture is read?
    pub fn streams(&self) -> bool {
        let at_the_end = self.what() == What::Summary || self.how() == How::Json;
        !at_the_end || self.extract.is_some()
    }

    pub fn limits(&self) -> Limits {
        Limits {
            conversations: self.limit_conversations,
            waiting: usize::try_from(self.limit_waiting).unwrap_or(usize::MAX),
            linger: self.limit_idle.map(|s| i64::from(s) * 1_000_000_000),
            ..Limits::default()
        }
    }

    pub fn threads(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        // More find nothing to do.
        self.threads.map_or_else(all, NonZeroUsize::get).min(16)
    }

    /// Does anything that is written show the digests of bodies?
    pub fn shows_digests(&self) -> bool {
        let rows = self.http && matches!(self.how(), How::Lines | How::Csv);
        (rows || self.json) && self.extract.is_none()
    }

    /// The display filter, read; with what is allowed in it but probably not
    /// meant. A blank one shows all, as Wireshark has it.
    pub fn filter(&self) -> Result<(Option<Filter>, Option<Mistakes>), Mistakes> {
        let Some(text) = self.filter.as_ref().filter(|text| !text.trim().is_empty()) else {
            return Ok((None, None));
        };
        let (filter, diagnostics) = expect::parse_filter(text, &[]);
        let mistakes = Mistakes {
            source: Source {
                name: "-Y".to_owned(),
                text: text.clone(),
            },
            diagnostics,
        };
        match filter {
            Some(filter) => Ok((Some(filter), Some(mistakes))),
            None => Err(mistakes),
        }
    }
}

/// A number of bytes: `1000`, `500M`, `2G`.
fn bytes(text: &str) -> Result<u64, String> {
    crate::scenario::parse_bytes(text).map_err(|wrong| wrong.message)
}
