//! The open conversations: found by key, counted, and known by how long they
//! were idle. Every step takes the same time, however many there are.

use hashbrown::HashTable;

use super::key::{Hash, Key};

/// A place in the table.
pub(super) type Slot = u32;

/// No slot.
const NONE: Slot = Slot::MAX;

/// Which of the lists a conversation stands in, the longest idle first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// TCP, and more is due.
    Open,
    /// TCP, and nothing more is due.
    Over,
    /// UDP: nobody can tell whether more is due.
    Udp,
}

#[derive(Clone, Copy, Debug)]
struct Ends {
    first: Slot,
    last: Slot,
}

/// A conversation's neighbours in its list. Apart from the conversations, so
/// that moving one in its list touches no other's memory.
#[derive(Clone, Copy, Debug)]
struct Link {
    before: Slot,
    behind: Slot,
    list: List,
}

#[derive(Debug)]
struct Entry<T> {
    key: Key,
    value: Box<T>,
}

#[derive(Debug)]
pub(super) struct Table<T> {
    hash: Hash,
    /// The slot of the conversation that a packet with a key belongs to.
    slots: HashTable<Slot>,
    entries: Vec<Option<Entry<T>>>,
    links: Vec<Link>,
    free: Vec<Slot>,
    /// What was found last: packets of a conversation often follow each other.
    latest: Slot,
    lists: [Ends; 3],
}

impl<T> Table<T> {
    pub(super) fn new() -> Table<T> {
        Table {
            hash: Hash::new(),
            slots: HashTable::new(),
            entries: Vec::new(),
            links: Vec::new(),
            free: Vec::new(),
            latest: NONE,
            lists: [Ends {
                first: NONE,
                last: NONE,
            }; 3],
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    pub(super) fn find(&mut self, key: &Key) -> Option<Slot> {
        let entries = &self.entries;
        let same = |slot: &Slot| {
            entries
                .get(*slot as usize)
                .and_then(Option::as_ref)
                .is_some_and(|entry| entry.key == *key)
        };
        if !same(&self.latest) {
            self.latest = *self.slots.find(self.hash.of(key), same)?;
        }
        Some(self.latest)
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        let entry = self.entries.get_mut(slot as usize)?.as_mut()?;
        Some(&mut entry.value)
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&T> {
        let entry = self.entries.get(slot as usize)?.as_ref()?;
        Some(&entry.value)
    }

    /// Adds a conversation with a key that no other has now.
    pub(super) fn insert(&mut self, key: Key, list: List, value: T) -> Slot {
        let entry = Some(Entry {
            key,
            value: Box::new(value),
        });
        let link = Link {
            before: NONE,
            behind: NONE,
            list,
        };
        let slot = match self.free.pop() {
            Some(slot) => {
                if let Some(place) = self.entries.get_mut(slot as usize) {
                    *place = entry;
                }
                if let Some(place) = self.links.get_mut(slot as usize) {
                    *place = link;
                }
                slot
            }
            None => {
                self.entries.push(entry);
                self.links.push(link);
                (self.entries.len() - 1) as Slot
            }
        };
        let (entries, hash) = (&self.entries, self.hash);
        self.slots.insert_unique(hash.of(&key), slot, |slot| {
            entries
                .get(*slot as usize)
                .and_then(Option::as_ref)
                .map_or(0, |entry| hash.of(&entry.key))
        });
        self.append(slot, list);
        slot
    }

    pub(super) fn remove(&mut self, slot: Slot) -> Option<(Key, T)> {
        let entry = self.entries.get_mut(slot as usize)?.take()?;
        self.unlink(slot);
        let found = self
            .slots
            .find_entry(self.hash.of(&entry.key), |other| *other == slot);
        if let Ok(found) = found {
            found.remove();
        }
        self.free.push(slot);
        Some((entry.key, *entry.value))
    }

    /// A packet came: from now on no other of its list was idle for less long.
    pub(super) fn touch(&mut self, slot: Slot, list: List) {
        let Some(link) = self.links.get(slot as usize) else {
            return;
        };
        if link.list == list && link.behind == NONE {
            return;
        }
        self.unlink(slot);
        self.append(slot, list);
    }

    /// Of a list, the one that was idle for the longest time.
    pub(super) fn idlest(&self, list: List) -> Option<Slot> {
        let first = self.lists.get(list as usize)?.first;
        (first != NONE).then_some(first)
    }

    /// All that are open, in no order that means anything.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Slot, &T)> {
        let entries = (0..).zip(&self.entries);
        entries.filter_map(|(slot, entry)| Some((slot, &*entry.as_ref()?.value)))
    }

    fn append(&mut self, slot: Slot, list: List) {
        let Some(ends) = self.lists.get_mut(list as usize) else {
            return;
        };
        let before = std::mem::replace(&mut ends.last, slot);
        if before == NONE {
            ends.first = slot;
        } else if let Some(link) = self.links.get_mut(before as usize) {
            link.behind = slot;
        }
        if let Some(link) = self.links.get_mut(slot as usize) {
            *link = Link {
                before,
                behind: NONE,
                list,
            };
        }
    }

    fn unlink(&mut self, slot: Slot) {
        let Some(link) = self.links.get(slot as usize).copied() else {
            return;
        };
        let Some(ends) = self.lists.get_mut(link.list as usize) else {
            return;
        };
        if link.before == NONE {
            ends.first = link.behind;
        } else if let Some(before) = self.links.get_mut(link.before as usize) {
            before.behind = link.behind;
        }
        if link.behind == NONE {
            ends.last = link.before;
        } else if let Some(behind) = self.links.get_mut(link.behind as usize) {
            behind.before = link.before;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::savefile::Protocol;

    fn key(port: u16) -> Key {
        let end = |port| std::net::SocketAddr::from(([127, 0, 0, 1], port));
        Key::new(Protocol::Udp, end(port), end(1)).0
    }

    #[derive(Clone, Copy, Debug)]
    enum Act {
        Touch(u16, bool),
        RemoveIdlest(bool),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            3 => (2u16..30, any::<bool>()).prop_map(|(port, over)| Act::Touch(port, over)),
            1 => any::<bool>().prop_map(Act::RemoveIdlest),
        ]
    }

    proptest! {
        /// The table does what two plain lists do.
        #[test]
        fn it_is_two_lists_in_the_order_of_the_last_touch(acts in prop::collection::vec(act(), 0..200)) {
            let mut table = Table::new();
            let mut model: [Vec<u16>; 2] = Default::default();
            let list = |over| if over { List::Over } else { List::Open };
            for act in acts {
                match act {
                    Act::Touch(port, over) => {
                        let known = model.iter().any(|l| l.contains(&port));
                        let slot = table.find(&key(port));
                        prop_assert_eq!(slot.is_some(), known);
                        match slot {
                            Some(slot) => table.touch(slot, list(over)),
                            None => { table.insert(key(port), list(over), port); }
                        }
                        model.iter_mut().for_each(|l| l.retain(|p| *p != port));
                        model[usize::from(over)].push(port);
                    }
                    Act::RemoveIdlest(over) => {
                        let expected = &mut model[usize::from(over)];
                        let removed = table.idlest(list(over)).and_then(|slot| table.remove(slot));
                        let first = (!expected.is_empty()).then(|| expected.remove(0));
                        prop_assert_eq!(removed.map(|(_, port)| port), first);
                    }
                }
                prop_assert_eq!(table.len(), model[0].len() + model[1].len());
            }
        }
    }
}
