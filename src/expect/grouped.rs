//! What belongs together, group by group: the packets of each conversation, the
//! events of each, the bytes that each packet brought.

/// The members of so many groups, in one list.
#[derive(Debug, Default)]
pub struct Grouped<T> {
    /// Where each group begins, and where the last one ends.
    starts: Vec<usize>,
    members: Vec<T>,
}

impl<T: Clone + Default> Grouped<T> {
    /// Each member with its group, below `groups`; what has another is left out.
    /// Members of one group keep their order. They are counted, then put in their
    /// places: sorting would take longer.
    pub fn new<I>(groups: usize, members: impl Fn() -> I) -> Grouped<T>
    where
        I: Iterator<Item = (usize, T)>,
    {
        // One place further than it belongs: the second round moves each start to
        // the next group's.
        let mut starts = vec![0; groups + 2];
        for (group, _) in members() {
            if let Some(count) = starts.get_mut(group.saturating_add(2)) {
                *count += 1;
            }
        }
        let mut before = 0;
        for start in &mut starts {
            before += *start;
            *start = before;
        }
        let mut placed = vec![T::default(); before];
        for (group, member) in members() {
            if group >= groups {
                continue;
            }
            let Some(next) = starts.get_mut(group + 1) else {
                continue;
            };
            if let Some(place) = placed.get_mut(*next) {
                *place = member;
            }
            *next += 1;
        }
        Grouped {
            starts,
            members: placed,
        }
    }
}

impl<T> Grouped<T> {
    pub fn of(&self, group: usize) -> &[T] {
        let start = self.starts.get(group).copied().unwrap_or_default();
        let end = self.starts.get(group.saturating_add(1)).copied();
        let range = start..end.unwrap_or_default();
        self.members.get(range).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_with_their_group_and_keep_their_order() {
        let members = [(2, 'a'), (0, 'b'), (2, 'c'), (3, 'd'), (9, 'e'), (2, 'f')];
        let grouped = Grouped::new(4, || members.into_iter());
        let all: Vec<String> = (0..6).map(|g| grouped.of(g).iter().collect()).collect();
        assert_eq!(all, ["b", "", "acf", "d", "", ""]);
        assert_eq!(Grouped::<char>::default().of(0), []);
    }
}
