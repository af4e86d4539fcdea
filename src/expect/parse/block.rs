//! Blocks: steps and groups of steps between braces.

use super::super::ast::{Group, Item, Mode, Span, Spanned, Step, Times};
use super::super::codes;
use super::super::lex::Token;
use super::{Parsed, Parser, Reported};

/// So many steps a block may have with its repetitions written out.
const MAX_STEPS: u64 = 4096;

/// What stands between the braces of a block.
#[derive(Default)]
pub(super) struct Block {
    /// In the order of the text.
    pub(super) steps: Vec<Spanned<Step>>,
    pub(super) items: Vec<Item>,
    pub(super) any_wrong: bool,
}

impl Block {
    /// Every step may be left out, and none gives a name to what later statements
    /// speak of.
    pub(super) fn demands_nothing(&self) -> bool {
        let names_any = self.steps.iter().any(|step| step.value.name.is_some());
        !self.steps.is_empty() && !self.any_wrong && !names_any && self.may_be_empty(&self.items)
    }

    fn may_be_empty(&self, items: &[Item]) -> bool {
        items.iter().all(|item| match item {
            Item::Step(step) => self
                .steps
                .get(*step)
                .is_some_and(|step| step.value.times.min == 0),
            Item::Group(group) => {
                group.times.min == 0 || group.branches.iter().any(|b| self.may_be_empty(b))
            }
        })
    }
}

/// What ends a list of steps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// `}`
    Block,
    /// `|` or `)`
    Branch,
}

impl Parser<'_> {
    /// The steps of a block and its `}`.
    pub(super) fn block(&mut self, mode: Mode, opened: Span) -> Parsed<Block> {
        let mut block = Block::default();
        block.items = self.items(mode, End::Block, opened.clone(), &mut block)?;
        self.take();
        if written_out(&block.items) > MAX_STEPS {
            self.error(
                codes::BAD_COUNT,
                opened,
                "the block is too long with its groups written out",
                "begins here",
                Some(format!(
                    "groups may repeat up to {MAX_STEPS} steps in all; `x0..` has no end and costs nothing"
                )),
            );
        }
        Ok(block)
    }

    /// `}`, or what ends a branch of a group.
    pub(super) fn at_block_end(&self) -> bool {
        self.at_symbol("}") || (self.groups > 0 && (self.at_symbol(")") || self.at_symbol("|")))
    }

    /// Steps and groups up to what ends them, which is not taken.
    fn items(
        &mut self,
        mode: Mode,
        end: End,
        opened: Span,
        block: &mut Block,
    ) -> Parsed<Vec<Item>> {
        let mut items = Vec::new();
        loop {
            self.skip_separators();
            let at_end = match end {
                End::Block => self.at_symbol("}"),
                End::Branch => self.at_symbol(")") || self.at_symbol("|"),
            };
            if at_end {
                return Ok(items);
            }
            if self.has_enough() {
                return Err(Reported);
            }
            if self.peek() == Token::End || (end == End::Branch && self.at_symbol("}")) {
                let closing = match end {
                    End::Block => "}",
                    End::Branch => ")",
                };
                return Err(self.unclosed(opened, closing, " behind the last step"));
            }
            match self.item(mode, block) {
                Ok(item) => {
                    items.push(item);
                    self.expect_separator("step");
                }
                Err(Reported) => {
                    block.any_wrong = true;
                    self.parentheses = self.groups;
                    self.resynchronise();
                }
            }
        }
    }

    fn item(&mut self, mode: Mode, block: &mut Block) -> Parsed<Item> {
        let maybe = self.at_word("maybe");
        let grouped = self.at_symbol("(") || (maybe && self.peek_second() == Token::Symbol("("));
        if grouped {
            return self.group(mode, maybe, block).map(Item::Group);
        }
        let start = self.peek_span().start;
        let has_earlier = !block.steps.is_empty() || block.any_wrong;
        let step = self.step(mode, has_earlier)?;
        block.steps.push(Spanned {
            value: step,
            span: start..self.taken,
        });
        Ok(Item::Step(block.steps.len() - 1))
    }

    /// `( A; B | C ) x3`.
    fn group(&mut self, mode: Mode, maybe: bool, block: &mut Block) -> Parsed<Group> {
        let start = self.peek_span().start;
        if maybe {
            self.take();
        }
        self.deeper()?;
        let opened = self.open("(", "")?;
        self.groups += 1;
        let branches = self.branches(mode, opened.clone(), block);
        self.groups -= 1;
        self.shallower();
        let branches = branches?;
        self.take();
        self.parentheses = self.parentheses.saturating_sub(1);
        let group = opened.start..self.taken;
        let times = self.group_times(maybe, start)?;
        if branches.iter().all(Vec::is_empty) && !block.any_wrong {
            self.error(
                codes::EMPTY,
                group,
                "a group without a step demands nothing",
                "no step in here",
                Some("write a step between the brackets, or leave them out".to_owned()),
            );
        } else if mode == Mode::AnyOrder {
            self.error(
                codes::MODIFIER,
                group,
                "a group stands in `exactly` or `in order`",
                "its steps have an order",
                Some(
                    "in `any order`, say `after NAME` behind a step to put it behind another"
                        .to_owned(),
                ),
            );
        }
        Ok(Group { branches, times })
    }

    /// The branches up to the `)`, which is not taken.
    fn branches(&mut self, mode: Mode, opened: Span, block: &mut Block) -> Parsed<Vec<Vec<Item>>> {
        let mut branches = Vec::new();
        loop {
            let branch = self.items(mode, End::Branch, opened.clone(), block)?;
            branches.push(branch);
            if !self.symbol("|") {
                return Ok(branches);
            }
        }
    }

    /// How often, behind a group.
    fn group_times(&mut self, maybe: bool, start: usize) -> Parsed<Times> {
        let counted = match self.peek() {
            Token::Word(word) if super::step::is_count(word) => Some(self.times()?),
            _ => None,
        };
        if maybe && counted.is_some() {
            self.error(
                codes::REPEATED,
                start..self.taken,
                "how often is said twice",
                "`maybe` and a count",
                Some("`maybe` means `x0..1`; keep one".to_owned()),
            );
        }
        if let Token::Word(word @ ("where" | "within" | "as" | "after_stop")) = self.peek() {
            let span = self.peek_span();
            self.error(
                codes::MODIFIER,
                span,
                format!("`{word}` has no meaning behind a group"),
                "belongs to a step",
                Some("write it behind a step of the group".to_owned()),
            );
            return Err(Reported);
        }
        Ok(counted.unwrap_or(if maybe { Times::MAYBE } else { Times::ONCE }))
    }
}

/// How many steps there are with each repetition written out.
fn written_out(items: &[Item]) -> u64 {
    fn of_item(item: &Item) -> u64 {
        match item {
            Item::Step(_) => 1,
            Item::Group(group) => {
                let copies = group.times.max.unwrap_or(group.times.min.saturating_add(1));
                let once = group.branches.iter().map(|b| written_out(b));
                once.fold(1, u64::saturating_add)
                    .saturating_mul(copies.into())
            }
        }
    }
    items.iter().map(of_item).fold(0, u64::saturating_add)
}
