//! The expectation language, parsed. Every node knows its place in the text.

use std::ops::Range;

use super::number::Number;
use crate::diagnostic::Diagnostic;

pub use super::ast_filter::*;
pub use super::json_path::JsonPath;

/// Bytes of the expectation's text.
pub type Span = Range<usize>;

#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

/// One named expectation, ready to judge.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    pub name: String,
    pub text: String,
    pub statements: Vec<Spanned<Statement>>,
    /// `hint` of the scenario, for the outcome.
    pub hint: Option<String>,
    /// `points` of the scenario, for the outcome.
    pub points: Option<f64>,
    /// What is allowed but probably not meant; all of severity `Warning`.
    pub warnings: Vec<Diagnostic>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    Sequence(Sequence),
    /// `no STEP` or `no FILTER`, in a window or in the whole capture.
    No(Selection),
    /// `nothing for 200ms after server > client FIN`: no event in the window.
    Nothing(Spanned<Window>),
    /// `each SUBJECT has CONDITION`; `maybe each` allows no subject.
    Each(Box<Each>),
    /// Any comparison: `packets(F) == 2`, `tcp[0].state == "REJ"`,
    /// `stream(client > server) == "hello"`, `client.exit == 1`, joined by
    /// `and`, `or`, `not`.
    Claim(Claim),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    pub mode: Mode,
    pub unit: Unit,
    pub scope: Option<Scope>,
    /// Every step, in the order of the text, those inside groups among them.
    pub steps: Vec<Spanned<Step>>,
    /// How the steps belong together.
    pub items: Vec<Item>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Exactly,
    InOrder,
    AnyOrder,
}

/// What the steps of a block are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Events,
    /// `exactly packets`, `in order packets`, `any order packets`: every frame.
    Packets,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Index into the sequence's steps.
    Step(usize),
    Group(Group),
}

/// `( A; B | C ) x3`: one of the branches, so often.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// At least one; each is steps and groups one after the other.
    pub branches: Vec<Vec<Item>>,
    pub times: Times,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Scope {
    /// `on tcp[0]`, `on udp[1]`.
    Conversation {
        protocol: crate::savefile::Protocol,
        id: u32,
    },
    /// `on http[1]`: the events that carry the request or its responses.
    Message(u32),
    /// `(tcp.port == 12000)`.
    Filter(Spanned<Filter>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// None where the step names no ends (`no RST`).
    pub ends: Option<StepEnds>,
    pub event: EventPattern,
    pub times: Times,
    pub where_: Option<Spanned<Filter>>,
    pub within: Option<Spanned<Within>>,
    /// `after syn`, `before syn`; in `any order` only, elsewhere the text's
    /// order says it.
    pub order: Vec<Spanned<Order>>,
    /// `as reply`.
    pub name: Option<Spanned<String>>,
    /// The step says `after_stop`: packets after a stop signal satisfy it.
    pub after_stop: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StepEnds {
    pub from: Spanned<EndPattern>,
    pub to: Spanned<EndPattern>,
    /// `<>`.
    pub either_way: bool,
}

/// `client`, `nobody:12000`, `server:80`, `any`.
#[derive(Clone, Debug, PartialEq)]
pub struct EndPattern {
    pub who: Who,
    pub port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Who {
    Role(String),
    Nobody,
    Any,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EventPattern {
    Syn,
    SynAck,
    /// The handshake's ACK in event sequences; any ACK without payload in
    /// `exactly packets` and in claims.
    Ack,
    Fin,
    Rst,
    Data(Option<Content>),
    Udp(Option<Content>),
    /// Type and code names or numbers: `icmp port-unreachable`, `icmp 3/3`, `icmp`.
    Icmp(Option<IcmpPattern>),
    /// `GET /index.html`; method `HTTP` stands for any method.
    Request {
        method: String,
        target: Option<Content>,
    },
    /// `HTTP 404`, `HTTP`.
    Response {
        code: Option<u16>,
    },
    /// Named only: no event unless a step asks for it. `retransmission of syn`:
    /// of what the step of that name sent.
    Retransmission(Option<String>),
    KeepAlive,
    WindowUpdate,
}

/// What an ICMP message must be, already looked up: at least one of the two
/// protocols is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcmpPattern {
    /// As written: `port-unreachable`, `3/3`.
    pub text: String,
    /// ICMP (IPv4): type, and code where it is asked for.
    pub v4: Option<(u8, Option<u8>)>,
    /// ICMPv6.
    pub v6: Option<(u8, Option<u8>)>,
}

#[derive(Clone, Debug)]
pub enum Content {
    /// The whole of it, byte for byte.
    Exactly(Vec<u8>),
    /// `~ /regex/`, case-sensitive, on bytes.
    Matches(regex::bytes::Regex),
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Content::Exactly(a), Content::Exactly(b)) => a == b,
            (Content::Matches(a), Content::Matches(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}

/// `maybe` is 0..1; nothing written is 1..1; `x0..` has no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    pub min: u32,
    pub max: Option<u32>,
}

/// `within 50ms` of the step before, or `of reply`; `within 200ms..300ms`.
#[derive(Clone, Debug, PartialEq)]
pub struct Within {
    /// Nanoseconds: not sooner.
    pub least: i64,
    /// Nanoseconds: not later.
    pub limit: i64,
    pub of: Option<String>,
}

/// Where a step of `any order` stands to an earlier one of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub before: bool,
    pub of: String,
}

/// Packets by step or filter, in a window or in the whole capture.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    pub what: StepOrFilter,
    pub window: Option<Spanned<Window>>,
}

/// Parts of a capture, after Dwyer, Avrunin and Corbett, "Patterns in Property
/// Specifications" (1999).
#[derive(Clone, Debug, PartialEq)]
pub enum Window {
    /// `before A`: up to the first A, which must come.
    Before(Anchor),
    /// `until A`: up to the first A, or to the end.
    Until(Anchor),
    /// `after A`: behind the first A, which must come; `after A until B`:
    /// behind each A up to the next B, or to the end.
    After { from: Anchor, until: Option<Anchor> },
    /// `between A and B`: behind each A up to the next B; one such pair must come.
    Between(Anchor, Anchor),
    /// `for 200ms after A`: so long behind each A, which must come.
    For {
        /// Nanoseconds.
        span: i64,
        after: Anchor,
    },
}

impl Window {
    /// What bounds it.
    pub fn anchors(&self) -> impl Iterator<Item = &Anchor> {
        let (first, second) = match self {
            Window::Before(anchor) | Window::Until(anchor) => (anchor, None),
            Window::After { from, until } => (from, until.as_ref()),
            Window::Between(from, to) => (from, Some(to)),
            Window::For { after, .. } => (after, None),
        };
        std::iter::once(first).chain(second)
    }

    /// The steps that bound it.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.anchors().filter_map(|anchor| match anchor {
            Anchor::Step(step) => Some(&step.value),
            Anchor::Name(_) => None,
        })
    }
}

/// An event that bounds a window.
#[derive(Clone, Debug, PartialEq)]
pub enum Anchor {
    /// The event that a step of an earlier block of this expectation took.
    Name(Spanned<String>),
    /// Every event that fits.
    Step(Box<Spanned<Step>>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum StepOrFilter {
    Step(Box<Spanned<Step>>),
    Filter(Spanned<Filter>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Each {
    pub maybe: bool,
    pub subject: Spanned<Subject>,
    pub condition: Spanned<Condition>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// `each udp`, `each server > client data`: packets by filter or step.
    Packets(Box<Selection>),
    /// `each tcp[]`, `each udp[]`, `each http[]`.
    All(Collection),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collection {
    Tcp,
    Udp,
    Http,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// On packets: a filter.
    Filter(Filter),
    /// On conversations and messages: a claim whose bare names are the
    /// subject's own fields (`state == "SF"`).
    Claim(Claim),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    And(Box<Claim>, Box<Claim>),
    Or(Box<Claim>, Box<Claim>),
    Not(Box<Claim>),
    Compare {
        left: Spanned<Value>,
        op: Spanned<Op>,
        right: Spanned<Value>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Contains,
    /// `~ /regex/` (steps and claims) and `matches` (filters, case ignored).
    Matches,
}

/// A value of a claim, evaluated on the whole trace.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Number(Number),
    /// Nanoseconds: `50ms`.
    Duration(i64),
    Bool(bool),
    Text(Vec<u8>),
    Regex(Regex),
    /// `packets(FILTER)` or `packets(STEP)`, with or without a window.
    Packets(Box<Selection>),
    /// `stream(client > server)`.
    Stream(Box<StepEnds>),
    /// `upper(V)`, `lower(V)`, `len(V)`, `sha256(V)`.
    Call {
        function: Function,
        argument: Box<Spanned<Value>>,
    },
    /// `json(V, "$.items[0].name")`: a part of a JSON text.
    Json {
        text: Box<Spanned<Value>>,
        path: JsonPath,
    },
    /// `file("www/x.html")`: its bytes, read when the scenario was loaded.
    File(String),
    /// `tcp[0].state`, `http[0].response.body`: collection, index, path.
    Member {
        collection: Collection,
        index: u32,
        path: Vec<String>,
    },
    /// `client.exit`, `client.stdout`.
    Program {
        role: String,
        path: Vec<String>,
    },
    /// `state` inside `each tcp[] has …`.
    Own(Vec<String>),
}

#[derive(Clone, Debug)]
pub struct Regex {
    pub compiled: regex::bytes::Regex,
    /// As its author wrote it: Perl's, which a filter takes, is compiled as ours.
    pub written: Vec<u8>,
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.compiled.as_str() == other.compiled.as_str()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Upper,
    Lower,
    /// Without ASCII white space at its beginning and its end.
    Trim,
    Len,
    /// The digest in small hexadecimal letters.
    Sha256,
}
