//! A place that stretches pass one at a time, in their order.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How often a thread looks whether it is its turn before it goes to sleep: a
/// few microseconds, as being woken takes longer.
const LOOKS: u32 = 100;

/// What is behind it is changed by one stretch after the other.
pub(super) struct Gate<T> {
    /// The number of the stretch that passes next.
    turn: AtomicUsize,
    behind: Mutex<T>,
    /// Threads that sleep; changes only with `behind` locked.
    sleeping: AtomicUsize,
    moved: Condvar,
}

/// A stretch at a gate. What is found behind the gate is its own until then.
pub(super) struct Pass<'a, T> {
    gate: &'a Gate<T>,
    behind: MutexGuard<'a, T>,
}

impl<T> Gate<T> {
    pub fn new(behind: T) -> Gate<T> {
        Gate {
            turn: AtomicUsize::new(0),
            behind: Mutex::new(behind),
            sleeping: AtomicUsize::new(0),
            moved: Condvar::new(),
        }
    }

    /// Waits until it is the turn of the stretch with this number. None: `stop`
    /// was set, and the gate woken.
    pub fn enter(&self, number: usize, stop: &AtomicBool) -> Option<Pass<'_, T>> {
        let is_due = || self.turn.load(Ordering::Acquire) == number;
        for _ in 0..LOOKS {
            if is_due() {
                break;
            }
            std::hint::spin_loop();
        }
        let mut behind = lock(&self.behind);
        while !is_due() && !stop.load(Ordering::Acquire) {
            self.sleeping.fetch_add(1, Ordering::Relaxed);
            behind = self
                .moved
                .wait(behind)
                .unwrap_or_else(PoisonError::into_inner);
            self.sleeping.fetch_sub(1, Ordering::Relaxed);
        }
        let pass = Pass { gate: self, behind };
        (!stop.load(Ordering::Acquire)).then_some(pass)
    }

    /// What is behind it, once nobody passes any more.
    pub fn into_inner(self) -> T {
        self.behind
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets everybody look at `stop`.
    pub fn wake(&self) {
        // Who has looked before it was set is asleep by then.
        drop(lock(&self.behind));
        self.moved.notify_all();
    }
}

impl<T> Pass<'_, T> {
    /// It is the next stretch's turn.
    pub fn leave(self) {
        self.gate.turn.fetch_add(1, Ordering::Release);
        let wake = self.gate.sleeping.load(Ordering::Relaxed) > 0;
        drop(self.behind);
        if wake {
            self.gate.moved.notify_all();
        }
    }
}

impl<T> Deref for Pass<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.behind
    }
}

impl<T> DerefMut for Pass<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.behind
    }
}

/// A panic elsewhere is on its way to the caller: all threads stop, whatever
/// they find here.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_passes_in_order() {
        let gate = Gate::new(Vec::new());
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= 1000 {
                            break;
                        }
                        let mut pass = gate.enter(number, &stop).unwrap();
                        pass.push(number);
                        pass.leave();
                    }
                });
            }
        });
        assert_eq!(*lock(&gate.behind), (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn who_waits_in_vain_is_let_go() {
        let gate = Gate::new(());
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| gate.enter(1, &stop).is_none());
            while gate.sleeping.load(Ordering::Relaxed) == 0 {
                std::thread::yield_now();
            }
            stop.store(true, Ordering::Release);
            gate.wake();
            assert!(waits.join().unwrap());
        });
    }
}
