//! Sequence-number arithmetic (RFC 9293, section 3.4): numbers wrap at 2^32,
//! streams do not.

/// How far `to` lies behind `from`; negative where it lies before.
pub(super) fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from).cast_signed()
}

/// Does `a` come before `b`?
pub(super) fn before(a: u32, b: u32) -> bool {
    distance(a, b) > 0
}

/// Turns the 32-bit numbers of one direction into positions that never wrap.
/// Position 0 is the SYN (or stands for one that was not captured), so the
/// first byte of the stream has position 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Positions {
    /// The sequence number whose position is `anchor`.
    seq: u32,
    anchor: i64,
}

impl Positions {
    /// `isn` gets position 0.
    pub(super) fn new(isn: u32) -> Positions {
        Positions {
            seq: isn,
            anchor: 0,
        }
    }

    /// The position of `seq`: that of all numbers equal to it modulo 2^32
    /// which lies nearest to the highest one seen. Negative before position 0.
    pub(super) fn of(&self, seq: u32) -> i64 {
        self.anchor + i64::from(distance(self.seq, seq))
    }

    /// The highest position seen.
    pub(super) fn highest(&self) -> i64 {
        self.anchor
    }

    /// Remembers that `seq` was seen; only numbers ahead of all others count.
    pub(super) fn saw(&mut self, seq: u32) {
        let position = self.of(seq);
        if position > self.anchor {
            *self = Positions {
                seq,
                anchor: position,
            };
        }
    }

    /// From now on `seq` has the given position.
    pub(super) fn restart(&mut self, seq: u32, position: i64) {
        *self = Positions {
            seq,
            anchor: position,
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn order_wraps() {
        assert!(before(u32::MAX, 0));
        assert!(before(u32::MAX - 10, 5));
        assert!(!before(0, u32::MAX));
        assert!(!before(7, 7));
        assert_eq!(distance(u32::MAX, 1), 2);
        assert_eq!(distance(1, u32::MAX), -2);
    }

    #[test]
    fn a_number_before_the_first_has_a_negative_position() {
        let positions = Positions::new(100);
        assert_eq!(positions.of(101), 1);
        assert_eq!(positions.of(99), -1);
    }

    proptest! {
        #[test]
        fn the_distance_is_what_was_added(from: u32, d: i32) {
            let to = from.wrapping_add(d.cast_unsigned());
            prop_assert_eq!(distance(from, to), d);
            if d != i32::MIN {
                prop_assert_eq!(before(from, to), d > 0);
                prop_assert_eq!(before(to, from), d < 0);
            }
        }

        /// A stream of many gigabytes, seen in steps of less than 2 GiB.
        #[test]
        fn positions_grow_past_every_wrap(isn: u32, steps in prop::collection::vec(0u32..0x7fff_ffff, 1..40)) {
            let mut positions = Positions::new(isn);
            let mut seq = isn;
            let mut expected = 0i64;
            for step in steps {
                seq = seq.wrapping_add(step);
                expected += i64::from(step);
                prop_assert_eq!(positions.of(seq), expected);
                positions.saw(seq);
                // An old number stays behind and does not pull the rest back.
                let old = step.min(1000);
                positions.saw(seq.wrapping_sub(old));
                prop_assert_eq!(positions.of(seq), expected);
            }
        }
    }
}
