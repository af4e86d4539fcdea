//! The same for each of a list, on several threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Below so many packets times items, a thread costs more than it saves.
const WORTH_A_THREAD: usize = 200_000;

/// What `to` makes of each item, in the order of the items. `packets`: how much
/// each of them has to look through.
pub fn map<I: Sync, O: Send>(items: &[I], packets: usize, to: impl Fn(&I) -> O + Sync) -> Vec<O> {
    let work = items.len().saturating_mul(packets) / WORTH_A_THREAD;
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let threads = processors.min(items.len()).min(work).max(1);
    on(threads, items, to)
}

fn on<I: Sync, O: Send>(threads: usize, items: &[I], to: impl Fn(&I) -> O + Sync) -> Vec<O> {
    if threads <= 1 {
        return items.iter().map(to).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut made = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            match items.get(index) {
                Some(item) => made.push((index, to(item))),
                None => return made,
            }
        }
    };
    let mut made = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut made = work();
        for other in others {
            made.extend(
                other
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            );
        }
        made
    });
    made.sort_by_key(|(index, _)| *index);
    made.into_iter().map(|(_, made)| made).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_items_on_any_number_of_threads() {
        let items: Vec<usize> = (0..1000).collect();
        let doubled: Vec<usize> = items.iter().map(|n| n * 2).collect();
        for threads in 1..5 {
            assert_eq!(on(threads, &items, |n| n * 2), doubled);
        }
        assert_eq!(on(3, &[], |n: &usize| *n), [0usize; 0]);
    }
}
