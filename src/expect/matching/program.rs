//! A block's items as a graph for the search: a node for each step, one for
//! each choice, groups written out as often as they repeat. What has no upper
//! bound goes round in a circle.

use crate::expect::ast::{Group, Item};

/// Index into [`Program::nodes`]; [`Program::end`] when all is done.
pub type NodeIndex = usize;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Step {
        /// Index into the sequence's steps.
        step: usize,
        next: NodeIndex,
    },
    /// One of these, the first that leads on.
    Choice(Vec<NodeIndex>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    pub start: NodeIndex,
    nodes: Vec<Node>,
    /// For each node, how many steps still come at most, the circles once.
    rest: Vec<usize>,
}

impl Program {
    pub fn new(items: &[Item]) -> Program {
        let mut program = Program {
            start: 0,
            // The end, in its place so that every index is fixed.
            nodes: vec![Node::Choice(Vec::new())],
            rest: vec![0],
        };
        program.start = program.items(items, Program::END);
        program
    }

    /// Behind the last step.
    pub const END: NodeIndex = 0;

    pub fn node(&self, index: NodeIndex) -> Option<&Node> {
        (index != Program::END)
            .then(|| self.nodes.get(index))
            .flatten()
    }

    pub fn nodes(&self) -> impl Iterator<Item = (NodeIndex, &Node)> {
        self.nodes.iter().enumerate()
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// How far from the start a node is, in steps.
    pub fn progress(&self, index: NodeIndex) -> usize {
        let rest = |index| self.rest.get(index).copied().unwrap_or_default();
        rest(self.start).saturating_sub(rest(index))
    }

    fn push(&mut self, node: Node, rest: usize) -> NodeIndex {
        self.nodes.push(node);
        self.rest.push(rest);
        self.nodes.len() - 1
    }

    fn items(&mut self, items: &[Item], next: NodeIndex) -> NodeIndex {
        items.iter().rev().fold(next, |next, item| match item {
            Item::Step(step) => {
                let rest = self.rest_of(next) + 1;
                self.push(Node::Step { step: *step, next }, rest)
            }
            Item::Group(group) => self.group(group, next),
        })
    }

    fn rest_of(&self, index: NodeIndex) -> usize {
        self.rest.get(index).copied().unwrap_or_default()
    }

    fn group(&mut self, group: &Group, behind: NodeIndex) -> NodeIndex {
        let mut next = behind;
        match group.times.max {
            None => {
                let circle = self.push(Node::Choice(Vec::new()), self.rest_of(behind));
                let once = self.branches(group, circle);
                if let Some(node) = self.nodes.get_mut(circle) {
                    *node = Node::Choice(vec![once, behind]);
                }
                next = circle;
            }
            Some(max) => {
                for _ in group.times.min..max {
                    let once = self.branches(group, next);
                    let rest = self.rest_of(once);
                    next = self.push(Node::Choice(vec![once, behind]), rest);
                }
            }
        }
        for _ in 0..group.times.min {
            next = self.branches(group, next);
        }
        next
    }

    /// The group once.
    fn branches(&mut self, group: &Group, next: NodeIndex) -> NodeIndex {
        match group.branches.as_slice() {
            [only] => self.items(only, next),
            branches => {
                let ways: Vec<NodeIndex> = branches
                    .iter()
                    .map(|branch| self.items(branch, next))
                    .collect();
                let rest = ways.iter().map(|way| self.rest_of(*way)).max();
                self.push(Node::Choice(ways), rest.unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expect::ast::Times;

    fn group(branches: Vec<Vec<Item>>, min: u32, max: Option<u32>) -> Item {
        Item::Group(Group {
            branches,
            times: Times { min, max },
        })
    }

    #[test]
    fn a_plain_block_is_a_line() {
        let program = Program::new(&[Item::Step(0), Item::Step(1)]);
        let Some(Node::Step { step: 0, next }) = program.node(program.start) else {
            panic!("{program:?}");
        };
        assert_eq!(program.progress(*next), 1);
        assert_eq!(program.progress(Program::END), 2);
        assert_eq!(program.node(Program::END), None);
    }

    #[test]
    fn groups_are_written_out() {
        let twice = Program::new(&[group(vec![vec![Item::Step(0)]], 2, Some(2))]);
        assert_eq!(twice.progress(Program::END), 2);
        let endless = Program::new(&[group(vec![vec![Item::Step(0)]], 0, None)]);
        assert!(matches!(endless.node(endless.start), Some(Node::Choice(ways)) if ways.len() == 2));
        let either = [
            group(
                vec![vec![Item::Step(0)], vec![Item::Step(1), Item::Step(2)]],
                1,
                Some(1),
            ),
            Item::Step(3),
        ];
        assert_eq!(Program::new(&either).progress(Program::END), 3);
    }
}
