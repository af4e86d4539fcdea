//! The ladder: a lane for each role, an arrow for each packet, time downwards.
//! Where the lanes find no room it becomes a list.

use std::collections::BTreeMap;
use std::ops::Range;

use super::label::{Label, label};
use super::lanes::{self, Lanes, lanes};
use super::line::{Line, Tone};
use super::screen::{Screen, thousands};
use crate::render::text::width;
use crate::report::{Packet, Report, answer};
use crate::savefile::Protocol;

/// Of a long capture the ladder shows this many packets of the beginning ...
const HEAD: usize = 40;
/// ... and this many of the end,
const TAIL: usize = 20;
/// and this many around the packet where expectation and wire part.
const AROUND: usize = 4;

/// Lanes closer than this are no ladder.
const MIN_SPACING: usize = 18;
/// A ladder wider than this is tiresome to read.
const MAX_WIDTH: usize = 100;
/// What an arrow needs beside its words: `─ … ─▶` and the lane itself.
const ARROW: usize = 7;

/// The columns of the divergence mark.
const MARK: usize = 2;

/// A packet, ready to draw.
struct Row<'a> {
    packet: &'a Packet<'a>,
    label: Label,
    time: String,
    number: String,
    /// `tcp[0]`, where there is more than one conversation.
    tag: String,
    from: Option<usize>,
    to: Option<usize>,
    /// What was expected here, of each expectation that parts from the wire.
    expected: Vec<String>,
}

/// Draws the report's packets; nothing where it has none.
pub fn ladder(screen: &mut Screen, report: &Report) {
    let Some(packets) = report.packets.as_ref().filter(|p| !p.is_empty()) else {
        return;
    };
    let marks = divergences(report);
    let packets = &packets.excerpt(marks.keys().copied());
    let lanes = lanes(report, packets);
    let heads = heads(report);
    let ranges = shown(packets, &marks);
    let row = |index: usize| {
        let packet = packets.get(index)?;
        Some(row(report, packet, &lanes, index, &marks, &heads))
    };
    let parts: Vec<Vec<Row<'_>>> = ranges
        .iter()
        .map(|range| range.clone().filter_map(row).collect())
        .collect();
    let grid = Grid::of(screen, &lanes, &parts);
    if let Some(grid) = &grid {
        grid.header(screen, &lanes);
    }
    let columns = Columns::of(&parts);
    let mut before = 0;
    for (range, rows) in ranges.iter().zip(&parts) {
        gap(screen, grid.as_ref(), between(packets, before, range.start));
        before = range.end;
        for row in rows {
            match &grid {
                Some(grid) => grid.draw(screen, row),
                None => list(screen, &columns, row),
            }
            for expected in &row.expected {
                let text = format!("{} {expected}", screen.symbols.fail);
                note(screen, grid.as_ref(), &text, Tone::Bad);
            }
        }
    }
    gap(
        screen,
        grid.as_ref(),
        between(packets, before, packets.len()),
    );
    screen.blank();
}

/// How many packets the capture has from the place `from` to the place `to`,
/// those counted that the report leaves out.
fn between(packets: &[Packet], from: usize, to: usize) -> usize {
    let number = |at: Option<usize>| Some(packets.get(at?)?.frame.number);
    // Behind the last one shown, and before the next one.
    let shown = number(from.checked_sub(1)).unwrap_or(0);
    let end = match number(Some(to)) {
        Some(next) => next.saturating_sub(1),
        None => number(to.checked_sub(1)).unwrap_or(0),
    };
    usize::try_from(end.saturating_sub(shown)).unwrap_or(usize::MAX)
}

/// By frame number what was expected there.
fn divergences(report: &Report) -> BTreeMap<u64, Vec<String>> {
    let mut marks: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for expectation in &report.expectations {
        let Some(detail) = &expectation.detail else {
            continue;
        };
        if let Some(number) = detail.diverges_at {
            let words = match &detail.expected {
                Some(expected) => format!("expected {expected}"),
                None => detail.message.clone(),
            };
            let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
            let here = marks.entry(number).or_default();
            if !here.contains(&words) {
                here.push(words);
            }
        }
    }
    marks
}

/// By frame number the HTTP start lines that are complete there.
fn heads(report: &Report) -> BTreeMap<u64, Vec<String>> {
    let mut heads: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for message in &report.messages {
        if let Some(request) = &message.http.request {
            let line = format!("{} {}", request.method, request.uri);
            heads.entry(request.frame).or_default().push(line);
        }
        for response in message.http.interim.iter().chain(&message.http.response) {
            let line = answer(response.code, &response.phrase);
            heads.entry(response.frame).or_default().push(line);
        }
    }
    heads
}

/// The packets to show, as ascending ranges of indices.
fn shown(packets: &[Packet], marks: &BTreeMap<u64, Vec<String>>) -> Vec<Range<usize>> {
    let all = packets.len();
    if all <= HEAD + TAIL + AROUND {
        return std::iter::once(0..all).collect();
    }
    let mut ranges: Vec<Range<usize>> = Vec::new();
    ranges.push(0..HEAD);
    let marked = packets
        .iter()
        .enumerate()
        .filter(|(_, p)| marks.contains_key(&p.frame.number));
    ranges.extend(
        marked
            .take(AROUND)
            .map(|(i, _)| i.saturating_sub(AROUND)..(i + AROUND).min(all)),
    );
    ranges.push(all - TAIL..all);
    ranges.sort_by_key(|r| r.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

fn row<'a>(
    report: &Report,
    packet: &'a Packet<'a>,
    lanes: &Lanes,
    index: usize,
    marks: &BTreeMap<u64, Vec<String>>,
    heads: &BTreeMap<u64, Vec<String>>,
) -> Row<'a> {
    let number = packet.frame.number;
    let (from, to) = lanes.of.get(index).copied().unwrap_or_default();
    let expected = marks.get(&number).cloned().unwrap_or_default();
    let mut label = label(packet, heads.get(&number).map_or(&[], Vec::as_slice));
    if !expected.is_empty() {
        label.tone = Tone::Bad;
    }
    Row {
        packet,
        label,
        time: packet
            .frame
            .time_relative
            .map_or_else(String::new, |t| format!("{:.3}", t.nearest() * 1e3)),
        number: number.to_string(),
        tag: tag(report, packet),
        from,
        to,
        expected,
    }
}

fn tag(report: &Report, packet: &Packet) -> String {
    let conversation = packet
        .conversation
        .filter(|_| report.conversations.len() > 1);
    match conversation.and_then(|c| report.conversations.get(c)) {
        Some(c) => match c.protocol {
            Protocol::Tcp => format!("tcp[{}]", c.id),
            Protocol::Udp => format!("udp[{}]", c.id),
        },
        None => String::new(),
    }
}

/// The columns of time and number.
struct Columns {
    time: usize,
    number: usize,
}

impl Columns {
    fn of(parts: &[Vec<Row<'_>>]) -> Columns {
        let rows = || parts.iter().flatten();
        Columns {
            time: rows().map(|r| r.time.len()).max().unwrap_or(0),
            number: rows().map(|r| r.number.len()).max().unwrap_or(0),
        }
    }

    /// The first column behind them.
    fn end(&self) -> usize {
        let time = if self.time == 0 { 0 } else { self.time + 2 };
        MARK + time + self.number + 2
    }

    fn put(&self, line: &mut Line, screen: &Screen, time: &str, number: &str, mark: bool) {
        if mark {
            line.put(0, screen.symbols.fail, Tone::Bad);
        }
        let time_end = MARK + self.time;
        line.put(time_end.saturating_sub(time.len()), time, Tone::Dim);
        let number_end = self.end() - 2;
        line.put(number_end.saturating_sub(number.len()), number, Tone::Plain);
    }
}

/// Where the lanes stand.
struct Grid {
    columns: Columns,
    /// The column of each lane.
    lanes: Vec<usize>,
}

impl Grid {
    /// None where there is no room for the lanes, or nothing to draw between.
    fn of(screen: &Screen, lanes: &Lanes, parts: &[Vec<Row<'_>>]) -> Option<Grid> {
        let columns = Columns::of(parts);
        let between = lanes.lanes.len().checked_sub(1).filter(|&n| n > 0)?;
        let rows = || parts.iter().flatten();
        let tag = rows().map(|r| width(&r.tag)).max().filter(|&w| w > 0);
        let right = 1 + tag.map_or(0, |w| w + 2);
        let room = screen.width.checked_sub(columns.end() + right)? / between;
        let words = rows()
            .filter_map(|row| {
                let distance = row.from?.abs_diff(row.to?).max(1);
                Some((row.label.width(screen) + ARROW).div_ceil(distance))
            })
            .max()
            .unwrap_or(0);
        let header = lanes
            .lanes
            .iter()
            .map(|l| width(&l.place).max(width(&l.name)))
            .max()
            .map_or(0, |w| header_spacing(between, w));
        let longest = (MAX_WIDTH / between).max(header);
        let wanted = words.max(header).min(longest).max(MIN_SPACING);
        let spacing = wanted.min(room);
        let first = columns.end();
        let lane = |index| first + index * spacing;
        (spacing >= MIN_SPACING).then(|| Grid {
            lanes: (0..=between).map(lane).collect(),
            columns,
        })
    }

    fn first(&self) -> usize {
        self.lanes.first().copied().unwrap_or(0)
    }

    fn last(&self) -> usize {
        self.lanes.last().copied().unwrap_or(0)
    }

    /// Names, and below them addresses and ports.
    fn header(&self, screen: &mut Screen, lanes: &Lanes) {
        let spacing = self.last().saturating_sub(self.first()) / (self.lanes.len() - 1).max(1);
        let room = header_room(self.lanes.len() - 1, spacing);
        let mut names = Line::default();
        let unit = if self.columns.time == 0 { "" } else { "ms" };
        self.columns.put(&mut names, screen, unit, "", false);
        let mut places = Line::default();
        for (index, (lane, &column)) in lanes.lanes.iter().zip(&self.lanes).enumerate() {
            let name = screen.cut(&screen.clean(&lane.name), room);
            let place = [&lane.place, &lane.short_place]
                .into_iter()
                .find(|place| width(place) <= room)
                .map_or("", String::as_str);
            self.centred(&mut names, index, column, &name, Tone::Title);
            self.centred(&mut places, index, column, place, Tone::Dim);
        }
        screen.line(&names);
        if places.end() > 0 {
            screen.line(&places);
        }
    }

    /// The outer lanes' texts grow inwards.
    fn centred(&self, line: &mut Line, index: usize, column: usize, text: &str, tone: Tone) {
        let start = match index {
            0 => column,
            i if i + 1 == self.lanes.len() => (column + 1).saturating_sub(width(text)),
            _ => column.saturating_sub(width(text) / 2),
        };
        line.put(start, text, tone);
    }

    fn draw(&self, screen: &mut Screen, row: &Row<'_>) {
        let mut line = Line::default();
        let marked = !row.expected.is_empty();
        self.columns
            .put(&mut line, screen, &row.time, &row.number, marked);
        self.rails(&mut line, screen.symbols.lane);
        let at = |lane: Option<usize>| lane.and_then(|l| self.lanes.get(l).copied());
        match (at(row.from), at(row.to)) {
            (Some(from), Some(to)) if from != to => self.arrow(&mut line, screen, row, from, to),
            (Some(lane), Some(_)) => self.turn(&mut line, screen, row, lane),
            (lane, other) => {
                let start = lane.or(other).unwrap_or_else(|| self.first());
                self.turn(&mut line, screen, row, start);
            }
        }
        if !row.tag.is_empty() {
            line.put(self.last() + 3, &row.tag, Tone::Dim);
        }
        screen.line(&line);
    }

    fn rails(&self, line: &mut Line, symbol: &str) {
        for &column in &self.lanes {
            line.put(column, symbol, Tone::Dim);
        }
    }

    fn arrow(&self, line: &mut Line, screen: &Screen, row: &Row<'_>, from: usize, to: usize) {
        let symbols = screen.symbols;
        let (left, right) = (from.min(to), from.max(to));
        let tone = match row.label.tone {
            Tone::Bad => Tone::Bad,
            _ => Tone::Dim,
        };
        for column in left + 1..right {
            let symbol = if self.lanes.contains(&column) {
                symbols.crossing
            } else {
                symbols.bar
            };
            line.put(column, symbol, tone);
        }
        let words = row.label.fit(screen, (right - left).saturating_sub(ARROW));
        let words = format!(" {words} ");
        if from < to {
            line.put(right - 1, symbols.right, tone);
            line.put(left + 2, &words, row.label.tone);
        } else {
            line.put(left + 1, symbols.left, tone);
            let start = right.saturating_sub(1 + width(&words));
            line.put(start, &words, row.label.tone);
        }
    }

    /// A packet without a way to draw: to its own sender, or of unknown ends.
    fn turn(&self, line: &mut Line, screen: &Screen, row: &Row<'_>, lane: usize) {
        let symbols = screen.symbols;
        let is_last = lane == self.last() && self.lanes.len() > 1;
        let room = match is_last {
            true => lane.saturating_sub(self.first()),
            false => self.last().saturating_sub(lane),
        };
        let words = row.label.fit(screen, room.saturating_sub(7));
        let sign = if row.from.is_some() && row.from == row.to {
            symbols.turn
        } else {
            symbols.dot
        };
        if is_last {
            let text = format!(" {words} {sign}");
            line.put(lane.saturating_sub(width(&text) + 1), &text, row.label.tone);
        } else {
            line.put(lane + 2, &format!("{sign} {words} "), row.label.tone);
        }
    }
}

/// The columns that a header text may take: of two lanes each has half of the
/// space between them; of more, the outer ones have two thirds, and those in the
/// middle a third on each side.
fn header_room(between: usize, spacing: usize) -> usize {
    match between {
        0 | 1 => spacing.saturating_sub(1) / 2,
        _ => (2 * spacing / 3).saturating_sub(1),
    }
}

/// The space between lanes whose header texts take `columns`.
fn header_spacing(between: usize, columns: usize) -> usize {
    match between {
        0 | 1 => 2 * columns + 3,
        _ => (3 * (columns + 1)).div_ceil(2) + 1,
    }
}

/// A line about the packets around it.
fn note(screen: &mut Screen, grid: Option<&Grid>, text: &str, tone: Tone) {
    let mut line = Line::default();
    let mut start = MARK;
    if let Some(grid) = grid {
        grid.rails(&mut line, screen.symbols.lane);
        start = grid.first() + 2;
    }
    let text = screen.cut(&screen.clean(text), screen.width.saturating_sub(start + 1));
    line.put(start, &format!("{text} "), tone);
    screen.line(&line);
}

fn gap(screen: &mut Screen, grid: Option<&Grid>, packets: usize) {
    if packets == 0 {
        return;
    }
    let mut line = Line::default();
    let mut start = MARK;
    if let Some(grid) = grid {
        grid.rails(&mut line, screen.symbols.gap);
        start = grid.first() + 2;
    } else {
        line.put(0, screen.symbols.gap, Tone::Dim);
    }
    let text = format!("{} packets not shown here", thousands(packets as u64));
    let text = screen.cut(&text, screen.width.saturating_sub(start + 1));
    line.put(start, &format!("{text} "), Tone::Dim);
    screen.line(&line);
}

/// One packet without lanes: one line where it has room, else two.
fn list(screen: &mut Screen, columns: &Columns, row: &Row<'_>) {
    const COMFORTABLE: usize = 70;
    let mut line = Line::default();
    let marked = !row.expected.is_empty();
    columns.put(&mut line, screen, &row.time, &row.number, marked);
    let start = columns.end();
    let (from, to) = lanes::ends(row.packet);
    let ends: Vec<String> = [from, to].iter().filter_map(|e| e.long_name()).collect();
    let arrow = format!(" {} ", screen.symbols.arrow);
    let ends = screen.clean(&ends.join(&arrow));
    let ends = match row.tag.is_empty() {
        true => ends,
        false => format!("{} {ends}", row.tag),
    };
    let room = screen.width.saturating_sub(start);
    line.put(start, &screen.cut(&ends, room), Tone::Plain);
    if screen.width >= COMFORTABLE && !ends.is_empty() {
        let start = start + width(&ends) + 2;
        let words = row.label.fit(screen, screen.width.saturating_sub(start));
        line.put(start, &words, row.label.tone);
        screen.line(&line);
        return;
    }
    screen.line(&line);
    let mut second = Line::default();
    let words = row.label.fit(screen, room);
    second.put(start, &words, row.label.tone);
    screen.line(&second);
}
