//! Who does what: a thread that reads, threads that work, and the caller's,
//! where everything comes together. Or the caller's alone.
//!
//! Stretches go round: the reader fills one, the workers read their shards'
//! packets in it; once all have, what they found is named, one of them makes
//! what is shown of it, and the caller's thread hands that out. As many
//! stretches as there are bound the memory; the channels need no bound.

use std::any::Any;
use std::collections::VecDeque;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;

use super::order::Order;
use super::present::{Named, Portion};
use super::route::{File, Route, Work};
use super::totals::Tally;
use super::worker::{Part, Worker};
use super::{Collect, InspectError, Settings, Show, Totals};

/// All on one thread.
pub(super) fn alone<S: Show>(
    mut route: Route<impl Read>,
    settings: &Settings,
    show: &S,
    collect: &mut impl Collect<S::Item>,
) -> Result<Totals, InspectError> {
    let mut worker = Worker::new(0, 1, settings);
    let mut order = Order::default();
    let mut work = Work::default();
    let mut tally = Tally::default();
    while !work.last {
        route.next(&mut work);
        let part = worker.read(&work);
        for named in order.name(vec![part]).pieces() {
            hand_out(named.show(&work, show), collect, &mut tally)?;
        }
        collect.progress(work.end()).map_err(InspectError::Output)?;
        collect.pause().map_err(InspectError::Output)?;
    }
    Ok(Totals::new(route.finish(), vec![tally, worker.tally]))
}

fn hand_out<I: Send>(
    portion: Portion<I>,
    collect: &mut impl Collect<I>,
    tally: &mut Tally,
) -> Result<(), InspectError> {
    tally.add(&portion.tally);
    portion.deliver(collect).map_err(InspectError::Output)
}

/// What a worker is to do.
enum Task {
    Read(usize, Arc<Work>),
    Show(usize, Arc<Work>, Named),
}

/// What a worker did.
enum Done<I> {
    Read(usize, Arc<Work>, Part),
    Shown(usize, Arc<Work>, Box<Portion<I>>),
    Panicked(Box<dyn Any + Send>),
}

/// The reader, `settings.threads` workers, and the caller's thread.
pub(super) fn run<S: Show>(
    route: Route<impl Read + Send>,
    settings: &Settings,
    show: &S,
    collect: &mut impl Collect<S::Item>,
) -> Result<Totals, InspectError> {
    let threads = settings.threads;
    let (free, empty) = channel();
    // One is filled and each worker has one, while some wait.
    for _ in 0..threads + 3 {
        let _ = free.send(Work::default());
    }
    let (done, results) = channel();
    thread::scope(|scope| {
        let mut tasks = Vec::new();
        let mut workers = Vec::new();
        for number in 0..threads {
            let (task, inbox) = channel();
            tasks.push(task);
            let worker = Worker::new(number, threads, settings);
            let done = done.clone();
            workers.push(scope.spawn(move || work(worker, show, &inbox, &done)));
        }
        drop(done);
        let readers_tasks = tasks.clone();
        let reader = scope.spawn(move || read(route, &empty, &readers_tasks));
        let gathered = Gathering {
            results,
            tasks,
            free,
            order: Order::default(),
            reading: VecDeque::new(),
            read: 0,
            showing: VecDeque::new(),
            shown: 0,
            tally: Tally::default(),
            over: false,
        }
        .run(collect);
        // What the others wait for is gone now: they end.
        let file = join(reader);
        let mut tallies: Vec<Tally> = workers.into_iter().map(join).collect();
        tallies.push(gathered?);
        Ok(Totals::new(file, tallies))
    })
}

/// A thread's result, or its panic.
fn join<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// The reading thread.
fn read<R: Read>(mut route: Route<R>, empty: &Receiver<Work>, tasks: &[Sender<Task>]) -> File {
    for (number, mut work) in empty.iter().enumerate() {
        route.next(&mut work);
        let last = work.last;
        let work = Arc::new(work);
        // Nothing of it stays here: whoever has it last gives it back.
        let all: Vec<_> = tasks.iter().map(|task| (task, work.clone())).collect();
        drop(work);
        for (task, work) in all {
            let _ = task.send(Task::Read(number, work));
        }
        if last {
            break;
        }
    }
    route.finish()
}

/// A working thread.
fn work<S: Show>(
    mut worker: Worker,
    show: &S,
    inbox: &Receiver<Task>,
    done: &Sender<Done<S::Item>>,
) -> Tally {
    for task in inbox {
        let result = catch_unwind(AssertUnwindSafe(|| match task {
            Task::Read(number, work) => {
                let part = worker.read(&work);
                Done::Read(number, work, part)
            }
            Task::Show(number, work, named) => {
                let portion = named.show(&work, show);
                Done::Shown(number, work, Box::new(portion))
            }
        }));
        let (result, goes_on) = match result {
            Ok(result) => (result, true),
            // The caller's thread must not wait for what never comes.
            Err(panic) => (Done::Panicked(panic), false),
        };
        if done.send(result).is_err() || !goes_on {
            break;
        }
    }
    worker.tally
}

/// The caller's thread.
struct Gathering<I> {
    results: Receiver<Done<I>>,
    tasks: Vec<Sender<Task>>,
    free: Sender<Work>,
    order: Order,
    /// The stretches that are being read, and what was found in each by now.
    reading: VecDeque<Vec<Part>>,
    /// The number of the first of them.
    read: usize,
    /// The pieces that are being shown; each, once it is.
    showing: VecDeque<Option<(Arc<Work>, Portion<I>)>>,
    /// The number of the first of them.
    shown: usize,
    /// Of what was shown.
    tally: Tally,
    /// The last stretch was read.
    over: bool,
}

impl<I: Send> Gathering<I> {
    fn run(mut self, collect: &mut impl Collect<I>) -> Result<Tally, InspectError> {
        while !(self.over && self.showing.is_empty()) {
            let result = match self.results.try_recv() {
                Err(TryRecvError::Empty) => {
                    collect.pause().map_err(InspectError::Output)?;
                    self.results.recv().ok()
                }
                result => result.ok(),
            };
            match result {
                Some(Done::Read(number, work, part)) => {
                    self.read(number, work, part);
                }
                Some(Done::Shown(number, work, portion)) => {
                    self.shown(number, work, *portion, collect)?;
                }
                Some(Done::Panicked(panic)) => resume_unwind(panic),
                None => break,
            }
        }
        Ok(self.tally)
    }

    /// A worker has read its packets of a stretch.
    fn read(&mut self, number: usize, work: Arc<Work>, part: Part) {
        // Every worker goes through the stretches in their order, so the first
        // one is complete before the others are.
        let at = number - self.read;
        if self.reading.len() <= at {
            self.reading.resize_with(at + 1, Vec::new);
        }
        let Some(parts) = self.reading.get_mut(at) else {
            return;
        };
        parts.push(part);
        if parts.len() < self.tasks.len() {
            return;
        }
        let parts = self.reading.pop_front().unwrap_or_default();
        self.read += 1;
        self.over = work.last;
        for named in self.order.name(parts).pieces() {
            let number = self.shown + self.showing.len();
            self.showing.push_back(None);
            if let Some(worker) = self.tasks.get(number % self.tasks.len()) {
                let _ = worker.send(Task::Show(number, work.clone(), named));
            }
        }
        self.recycle(work);
    }

    /// A worker has shown a piece: hands out all that are due.
    fn shown(
        &mut self,
        number: usize,
        work: Arc<Work>,
        portion: Portion<I>,
        collect: &mut impl Collect<I>,
    ) -> Result<(), InspectError> {
        if let Some(place) = self.showing.get_mut(number - self.shown) {
            *place = Some((work, portion));
        }
        while let Some(Some(_)) = self.showing.front() {
            let Some(Some((work, portion))) = self.showing.pop_front() else {
                break;
            };
            self.shown += 1;
            hand_out(portion, collect, &mut self.tally)?;
            collect.progress(work.end()).map_err(InspectError::Output)?;
            self.recycle(work);
        }
        Ok(())
    }

    /// Gives a stretch back to the reader, if nobody else needs it.
    fn recycle(&self, work: Arc<Work>) {
        if let Some(work) = Arc::into_inner(work) {
            let _ = self.free.send(work);
        }
    }
}
