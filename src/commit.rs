//! The way to the store: what many submit becomes few durable commits.
//!
//! One at a time writes. While a batch is being made durable the next gathers in the queue, so batches grow with the load
//! and a lone write never waits for company. Whoever submits gets an answer only after the commit.

mod queue;
mod writer;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use storage::commands::{Applied, Command};
use storage::ids::TenantId;
use storage::{Error, Result, Store};
use tokio::runtime::RuntimeFlavor;
use tokio::sync::oneshot;

use queue::Submission;
use writer::Writer;

/// Commits are told of at most this often: who follows the log does better with some of them at once than with each alone.
const GATHER: Duration = Duration::from_millis(5);

/// Upper bounds of the histograms: seconds of a commit,
const COMMIT_SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// and commands in it.
const COMMIT_COMMANDS: [f64; 8] = [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16_384.0];

/// What each command of a submission did, or why it was refused.
pub type Answers = Vec<Result<Applied>>;

/// Through it everything is written.
#[derive(Clone)]
pub struct Handle(Arc<Open>);

/// How long commits took, and how much each held.
#[derive(Clone)]
pub struct Measured {
    seconds: Histogram,
    commands: Histogram,
}

/// The writer, for as long as somebody can bring anything.
struct Open(Arc<Writer>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.queue.close();
    }
}

/// Tells that some log has grown.
#[derive(Default)]
pub struct Tail {
    growth: Mutex<Growth>,
    moved: Condvar,
}

#[derive(Default)]
struct Growth {
    moves: u64,
    closed: bool,
}

/// Starts the thread that writes what nobody else does. It ends when the last handle is dropped, with everything submitted before written.
pub fn start(store: Arc<Store>) -> std::io::Result<(Handle, JoinHandle<()>)> {
    let writer = Arc::new(Writer::new(store));
    let handle = Handle(Arc::new(Open(Arc::clone(&writer))));
    let thread =
        std::thread::Builder::new().name("commit".to_owned()).spawn(move || writer.write_until_closed())?;
    Ok((handle, thread))
}

impl Handle {
    /// Submits a few small commands as one unit and waits until they are durable.
    ///
    /// # Errors
    /// `Busy` if the queue is full, `Poisoned` if the store failed: nothing was acknowledged, try again.
    pub async fn submit(&self, commands: Vec<Command>) -> Result<Answers> {
        let (answer, answered) = oneshot::channel();
        let writer = self.writer();
        writer.queue.push(Submission { commands, answer })?;
        match tokio::runtime::Handle::current().runtime_flavor() {
            // To change threads twice takes a third as long as to write.
            RuntimeFlavor::MultiThread => writer.write_if_nobody_does(),
            _ => writer.queue.call(),
        }
        answered.await.map_err(|_| stopped())?
    }

    /// Submits a chunk of an import, of about so many bytes, from a thread of its own, waiting for room; the answer
    /// comes later.
    ///
    /// # Errors
    /// `Poisoned` if the writer has stopped.
    pub fn submit_soon(
        &self,
        tenant: TenantId,
        commands: Vec<Command>,
        bytes: usize,
    ) -> Result<oneshot::Receiver<Result<Answers>>> {
        let (answer, answered) = oneshot::channel();
        self.writer().queue.push_chunk(tenant, Submission { commands, answer }, bytes)?;
        Ok(answered)
    }

    /// Submits a few commands from a thread of its own and waits until they are durable.
    ///
    /// # Errors
    /// `Poisoned` if the store failed or the writer has stopped.
    pub fn submit_blocking(&self, commands: Vec<Command>) -> Result<Answers> {
        let (answer, answered) = oneshot::channel();
        self.writer().queue.push_blocking(Submission { commands, answer })?;
        answered.blocking_recv().map_err(|_| stopped())?
    }

    /// How long commits took, and how much each held.
    #[must_use]
    pub fn measured(&self) -> &Measured {
        &self.writer().measured
    }

    /// Tells that some log has grown.
    #[must_use]
    pub fn tail(&self) -> &Arc<Tail> {
        &self.writer().tail
    }

    fn writer(&self) -> &Writer {
        &self.0.0
    }
}

impl Default for Measured {
    fn default() -> Measured {
        Measured { seconds: Histogram::new(COMMIT_SECONDS), commands: Histogram::new(COMMIT_COMMANDS) }
    }
}

impl Measured {
    /// Adds both to what is told of the node.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Time to carry out a batch and make it durable";
        registry.register_with_unit("commit_duration", help, Unit::Seconds, self.seconds.clone());
        let help = "Commands that became durable together";
        let unit = Unit::Other("commands".to_owned());
        registry.register_with_unit("commit_batch", help, unit, self.commands.clone());
    }

    fn took(&self, time: Duration, commands: usize) {
        self.seconds.observe(time.as_secs_f64());
        self.commands.observe(commands as f64);
    }
}

impl Tail {
    /// Waits until some log has grown since `moves`, or `timeout` has passed; says how often they grew. Who comes back at
    /// once, since the log grows all the time, waits a moment longer.
    #[must_use]
    pub fn wait(&self, moves: u64, timeout: Duration) -> u64 {
        let gathered_at = Instant::now() + GATHER;
        let growth = self.growth();
        let waited =
            self.moved.wait_timeout_while(growth, timeout, |growth| growth.moves == moves && !growth.closed);
        let growth = waited.unwrap_or_else(PoisonError::into_inner).0;
        if growth.closed {
            return growth.moves;
        }
        drop(growth);
        std::thread::sleep(gathered_at.saturating_duration_since(Instant::now()));
        self.moves()
    }

    /// How often the logs grew.
    #[must_use]
    pub fn moves(&self) -> u64 {
        self.growth().moves
    }

    /// Wakes everybody who waits, for the last time.
    pub fn close(&self) {
        self.growth().closed = true;
        self.moved.notify_all();
    }

    /// Whether the node is stopping.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.growth().closed
    }

    /// Wakes everybody who waits, as when a log has grown.
    pub(crate) fn publish(&self) {
        let mut tail = self.growth();
        tail.moves += 1;
        drop(tail);
        self.moved.notify_all();
    }

    fn growth(&self) -> MutexGuard<'_, Growth> {
        self.growth.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stopped() -> Error {
    Error::Poisoned { cause: "the node is stopping".to_owned() }
}

#[cfg(test)]
mod tests;
