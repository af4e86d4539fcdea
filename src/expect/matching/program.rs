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
    /// For each node, how many steps lie before it with the repetitions written
    /// out, the circles once: branches begin at the same place.
    progress: Vec<usize>,
}

impl Program {
    pub fn new(items: &[Item]) -> Program {
        let mut program = Program {
            start: 0,
            // The end, in its place so that every index is fixed.
            nodes: vec![Node::Choice(Vec::new())],
            progress: vec![len(items)],
        };
        program.start = program.items(items, 0, Program::END);
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
        self.progress.get(index).copied().unwrap_or_default()
    }

    fn push(&mut self, node: Node, progress: usize) -> NodeIndex {
        self.nodes.push(node);
        self.progress.push(progress);
        self.nodes.len() - 1
    }

    /// Items that begin at `at` and lead to `next`; the last first, because a node
    /// knows the next one.
    fn items(&mut self, items: &[Item], at: usize, next: NodeIndex) -> NodeIndex {
        let mut end = at + len(items);
        let mut next = next;
        for item in items.iter().rev() {
            end -= item_len(item);
            next = match item {
                Item::Step(step) => self.push(Node::Step { step: *step, next }, end),
                Item::Group(group) => self.group(group, end, next),
            };
        }
        next
    }

    fn group(&mut self, group: &Group, at: usize, behind: NodeIndex) -> NodeIndex {
        let once = once_len(group);
        let place = |copy: u32| at + once * copy as usize;
        let mut next = behind;
        match group.times.max {
            None => {
                let at = place(group.times.min);
                let circle = self.push(Node::Choice(Vec::new()), at);
                let again = self.branches(group, at, circle);
                if let Some(node) = self.nodes.get_mut(circle) {
                    *node = Node::Choice(vec![again, behind]);
                }
                next = circle;
            }
            Some(max) => {
                for copy in (group.times.min..max).rev() {
                    let again = self.branches(group, place(copy), next);
                    next = self.push(Node::Choice(vec![again, behind]), place(copy));
                }
            }
        }
        for copy in (0..group.times.min).rev() {
            next = self.branches(group, place(copy), next);
        }
        next
    }

    /// The group once.
    fn branches(&mut self, group: &Group, at: usize, next: NodeIndex) -> NodeIndex {
        match group.branches.as_slice() {
            [only] => self.items(only, at, next),
            branches => {
                let ways = branches
                    .iter()
                    .map(|branch| self.items(branch, at, next))
                    .collect();
                self.push(Node::Choice(ways), at)
            }
        }
    }
}

/// So many steps there are one after the other.
fn len(items: &[Item]) -> usize {
    items.iter().map(item_len).sum()
}

fn item_len(item: &Item) -> usize {
    match item {
        Item::Step(_) => 1,
        Item::Group(group) => {
            let copies = group.times.max.unwrap_or(group.times.min.saturating_add(1));
            once_len(group).saturating_mul(copies as usize)
        }
    }
}

fn once_len(group: &Group) -> usize {
    let branches = group.branches.iter().map(|branch| len(branch));
    branches.max().unwrap_or_default()
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

    #[test]
    fn what_comes_behind_a_group_is_further_than_the_group() {
        for max in [Some(1), None] {
            let program = Program::new(&[group(vec![vec![Item::Step(0)]], 0, max), Item::Step(1)]);
            let place = |wanted| {
                let found = program
                    .nodes()
                    .find(|(_, node)| matches!(node, Node::Step { step, .. } if *step == wanted));
                program.progress(found.unwrap().0)
            };
            assert!(place(0) < place(1), "{program:?}");
        }
    }

    #[test]
    fn branches_begin_at_the_same_place() {
        let program = Program::new(&[group(
            vec![vec![Item::Step(0)], vec![Item::Step(1), Item::Step(2)]],
            1,
            Some(1),
        )]);
        let first = program
            .nodes()
            .filter(|(_, node)| matches!(node, Node::Step { step, .. } if *step < 2));
        assert!(
            first
                .map(|(index, _)| program.progress(index))
                .all(|place| place == 0)
        );
    }
}
