//! What single packets said: the numbers of fields that differ from packet to
//! packet. A packet is asked for one when it is first needed, and not again, by
//! whichever statement.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::fields::{Field, FieldValue, Reading};
use std::ops::ControlFlow;

/// So many fields are remembered, of which each takes 8 bytes for a packet; of
/// more, every packet is asked each time.
const MOST: usize = 32;

/// The columns of a capture's packets, one for each field that was asked for.
#[derive(Debug)]
pub struct Columns {
    packets: usize,
    columns: Mutex<HashMap<(&'static str, Reading), Arc<Column>>>,
}

/// One field's number in each packet.
#[derive(Debug)]
pub struct Column(Vec<AtomicU64>);

/// What a packet says of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It does not have it.
    Nothing,
    /// It has it once.
    Number(u64),
    /// It has it several times, or no such number.
    More,
}

// How a column writes it down. A number is put behind these.
const NOT_ASKED: u64 = 0;
const NOTHING: u64 = 1;
const MORE: u64 = 2;
const FIRST_NUMBER: u64 = 3;

impl Columns {
    /// For so many packets.
    pub fn new(packets: usize) -> Columns {
        Columns {
            packets,
            columns: Mutex::default(),
        }
    }

    /// The column of a field; None where there are enough.
    pub fn of(&self, field: &'static Field, reading: Reading) -> Option<Arc<Column>> {
        let mut columns = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(column) = columns.get(&(field.name, reading)) {
            return Some(column.clone());
        }
        if columns.len() >= MOST {
            return None;
        }
        let unasked = std::iter::repeat_with(|| AtomicU64::new(NOT_ASKED));
        let column = Arc::new(Column(unasked.take(self.packets).collect()));
        columns.insert((field.name, reading), column.clone());
        Some(column)
    }
}

impl Column {
    /// What the packet said; None where it was not asked before.
    pub fn told(&self, packet: usize) -> Option<Told> {
        // No order is needed: whoever asks is told the same.
        match self.0.get(packet)?.load(Ordering::Relaxed) {
            NOT_ASKED => None,
            NOTHING => Some(Told::Nothing),
            MORE => Some(Told::More),
            number => Some(Told::Number(number - FIRST_NUMBER)),
        }
    }

    pub fn write(&self, packet: usize, told: Told) {
        if let Some(place) = self.0.get(packet) {
            place.store(told.written(), Ordering::Relaxed);
        }
    }
}

impl Told {
    /// What a field's values come to.
    pub fn of(visit: impl FnOnce(&mut dyn FnMut(FieldValue<'_>) -> ControlFlow<()>)) -> Told {
        let mut told = Told::Nothing;
        visit(&mut |value| {
            told = match (told, value) {
                (Told::Nothing, FieldValue::Number(number)) => {
                    u64::try_from(number).map_or(Told::More, Told::Number)
                }
                _ => Told::More,
            };
            match told {
                Told::More => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        });
        told
    }

    fn written(self) -> u64 {
        match self {
            Told::Nothing => NOTHING,
            Told::More => MORE,
            Told::Number(number) => number.checked_add(FIRST_NUMBER).unwrap_or(MORE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expect::fields;

    fn numbers(numbers: &[i128]) -> Told {
        Told::of(|each| {
            let mut values = numbers.iter().map(|n| FieldValue::Number(*n));
            let _ = values.try_for_each(each);
        })
    }

    #[test]
    fn only_one_number_is_a_number() {
        assert_eq!(numbers(&[]), Told::Nothing);
        assert_eq!(numbers(&[0]), Told::Number(0));
        assert_eq!(numbers(&[-1]), Told::More);
        assert_eq!(numbers(&[1, 1]), Told::More);
        assert_eq!(numbers(&[1 << 64]), Told::More);
    }

    #[test]
    fn what_a_packet_said_is_kept() {
        let columns = Columns::new(2);
        let field = fields::lookup("tcp.len").unwrap();
        let column = columns.of(field, Reading::Own).unwrap();
        for told in [Told::Nothing, Told::More, Told::Number(0), Told::Number(7)] {
            let column = Columns::new(1).of(field, Reading::Own).unwrap();
            assert_eq!(column.told(0), None);
            column.write(0, told);
            assert_eq!(column.told(0), Some(told));
        }
        // Too great to be written down: the packet itself is asked.
        column.write(0, Told::Number(u64::MAX));
        assert_eq!(column.told(0), Some(Told::More));
        assert!(Arc::ptr_eq(
            &column,
            &columns.of(field, Reading::Own).unwrap()
        ));
    }

    #[test]
    fn no_more_fields_are_remembered_than_there_is_memory_for() {
        let columns = Columns::new(1);
        let kept = fields::all().filter(|f| columns.of(f, Reading::Filter).is_some());
        assert_eq!(kept.count(), MOST);
    }
}
