//! Who does what: each thread takes the next stretch of the file and does
//! everything for it, from the reading to the handing out.
//!
//! What depends on the stretches before waits for them at a gate: the reading,
//! the fragments, each shard, the numbers of the conversations, the handing
//! out. The rest, and different gates, go on side by side. So nothing but what
//! is behind a gate goes from one thread to another, no thread waits while
//! there is something to do, and memory holds one stretch for each thread.

use std::io::{self, Read};
use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::gate::{Gate, Pass, lock};
use super::order::Order;
use super::present::Portion;
use super::route::Route;
use super::shard::{Part, Shard};
use super::stretch::{SHARDS, Stretch};
use super::totals::Tally;
use super::{Collect, Settings, Show, Totals};
use crate::decode::Defragmenter;
use crate::savefile::Reader;

/// `settings.threads` threads, the caller's among them.
pub(super) fn run<S: Show, C: Collect<S::Item> + Send>(
    reader: Reader<impl Read + Send>,
    settings: &Settings,
    show: &S,
    collect: &mut C,
) -> io::Result<Totals> {
    let line = Line {
        packets: settings.packets,
        route: Mutex::new(Route::new(reader)),
        fragments: Gate::new(Defragmenter::default()),
        shards: (0..SHARDS)
            .map(|number| Gate::new(Shard::new(number, settings)))
            .collect(),
        order: Gate::new(Order::default()),
        collect: Gate::new(collect),
        stop: AtomicBool::new(false),
    };
    let tallies = thread::scope(|scope| {
        let others: Vec<_> = (1..settings.threads)
            .map(|_| scope.spawn(|| line.work(show)))
            .collect();
        let own = line.work(show);
        let others = others
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        std::iter::once(own)
            .chain(others)
            .collect::<io::Result<Vec<Tally>>>()
    })?;
    let route = line.route.into_inner();
    let file = route.unwrap_or_else(|poisoned| poisoned.into_inner());
    let mut totals = Totals::new(file.finish(), tallies);
    totals.tally.bitten.datagrams = line.fragments.into_inner().counts().crowded;
    Ok(totals)
}

/// What the threads share.
struct Line<'a, R: Read, C> {
    /// Packets are to be shown.
    packets: bool,
    route: Mutex<Route<R>>,
    fragments: Gate<Defragmenter>,
    shards: Vec<Gate<Shard>>,
    order: Gate<Order>,
    collect: Gate<&'a mut C>,
    /// Nothing more is to be done: something failed.
    stop: AtomicBool,
}

/// Where a thread ends early.
enum End {
    /// Another one has set `stop`.
    Stopped,
    Failed(io::Error),
}

impl<R: Read, C> Line<'_, R, C> {
    /// One thread's part. Returns what it counted.
    fn work<S: Show>(&self, show: &S) -> io::Result<Tally>
    where
        C: Collect<S::Item>,
    {
        let _alarm = Alarm(self);
        let mut tally = Tally::default();
        match self.stretches(show, &mut tally) {
            Ok(()) | Err(End::Stopped) => Ok(tally),
            Err(End::Failed(error)) => {
                self.stop();
                Err(error)
            }
        }
    }

    fn stretches<S: Show>(&self, show: &S, tally: &mut Tally) -> Result<(), End>
    where
        C: Collect<S::Item>,
    {
        let mut stretch = Stretch::new(self.packets);
        let mut part = Part::default();
        let mut portion = Portion::default();
        while !self.stop.load(Ordering::Acquire) && lock(&self.route).next(&mut stretch) {
            self.read(&mut stretch, &mut part, tally)?;
            portion.fill(&stretch, &mut part, show, tally);
            self.hand_out(stretch.number, &stretch, &mut portion, show)?;
        }
        // What was over at the end.
        part.restart(0);
        let behind = lock(&self.route).behind(&mut stretch);
        loop {
            let mut order = pass(&self.order, behind, &self.stop)?;
            let Some((number, closed)) = order.rest() else {
                return Ok(());
            };
            drop(order);
            part.closed = closed;
            portion.fill(&stretch, &mut part, show, tally);
            self.hand_out(behind + number, &stretch, &mut portion, show)?;
        }
    }

    /// Finds what is in a stretch.
    fn read(&self, stretch: &mut Stretch, part: &mut Part, tally: &mut Tally) -> Result<(), End> {
        stretch.decode();
        let mut fragments = pass(&self.fragments, stretch.number, &self.stop)?;
        stretch.complete(&mut fragments);
        fragments.leave();
        stretch.deal((!self.packets).then_some(&mut *tally));
        part.restart(if self.packets { stretch.batch.len() } else { 0 });
        for shard in &self.shards {
            let mut shard = pass(shard, stretch.number, &self.stop)?;
            shard.read(stretch, part, tally);
            if stretch.last {
                tally.bitten.add(shard.close(part));
            }
            shard.leave();
        }
        let mut order = pass(&self.order, stretch.number, &self.stop)?;
        order.name(part);
        if stretch.last {
            order.close(part);
        }
        order.leave();
        Ok(())
    }

    fn hand_out<S: Show>(
        &self,
        number: usize,
        stretch: &Stretch,
        portion: &mut Portion<S::Item>,
        show: &S,
    ) -> Result<(), End>
    where
        C: Collect<S::Item>,
    {
        let mut collect = pass(&self.collect, number, &self.stop)?;
        portion
            .deliver(stretch, show, &mut **collect)
            .and_then(|()| collect.pause())
            .map_err(End::Failed)?;
        collect.leave();
        Ok(())
    }

    fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.fragments.wake();
        self.order.wake();
        self.collect.wake();
        for shard in &self.shards {
            shard.wake();
        }
    }
}

fn pass<'a, T>(gate: &'a Gate<T>, number: usize, stop: &AtomicBool) -> Result<Pass<'a, T>, End> {
    gate.enter(number, stop).ok_or(End::Stopped)
}

/// Stops the others where a thread panics: they must not wait for what never
/// comes.
struct Alarm<'a, 'b, R: Read, C>(&'a Line<'b, R, C>);

impl<R: Read, C> Drop for Alarm<'_, '_, R, C> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}
