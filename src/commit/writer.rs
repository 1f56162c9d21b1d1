//! Whoever has the turn is the writer: the thread that is there for it, or a request that found nobody at it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use storage::commands::Command;
use storage::{Committed, Error, Result, Store};

use super::queue::{Queue, Submission};
use super::{Measured, Tail};
use crate::node;

/// Between two looks at whether the store failed, and two attempts to reopen it.
const REOPEN_EVERY: Duration = Duration::from_millis(250);
/// The database takes in so often what came while it did that, before writers have to wait for the rest: it is less each time.
const TAKEN_IN_AT_A_TIME: usize = 2;
/// Without news whoever takes in looks again after this.
const IDLE: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    store: Arc<Store>,
    pub(super) queue: Queue,
    pub(super) tail: Arc<Tail>,
    pub(super) measured: Measured,
    turn: Mutex<()>,
    is_untold: AtomicBool,
    /// Tells that the journal is filling.
    filling: Tail,
}

/// Closes when it is dropped, however that comes: who waits for it is waited for.
struct Closes<'a>(&'a Tail);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Writer {
    pub(super) fn new(store: Arc<Store>) -> Writer {
        let (queue, tail, measured, turn, is_untold, filling) = Default::default();
        Writer { store, queue, tail, measured, turn, is_untold, filling }
    }

    /// Writes what is left over, until nothing more can come; and opens the store anew if it failed.
    pub(super) fn write_until_closed(&self) {
        std::thread::scope(|scope| {
            let taking = std::thread::Builder::new().name("take-in".to_owned());
            if let Err(error) = taking.spawn_scoped(scope, || self.take_in_until_closed()) {
                tracing::error!(%error, "no thread for what the journal holds: now and then writes take longer");
            }
            let _closes = Closes(&self.filling);
            self.write_all();
        });
    }

    fn write_all(&self) {
        while self.queue.wait(REOPEN_EVERY, self.store.is_filling()) {
            let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            self.write(self.next_batch());
            drop(turn);
            self.tell();
            // A read can fail, too, and then nobody gets as far as submitting anything.
            if let Some(cause) = self.store.failure() {
                self.reopen(&cause);
            }
        }
    }

    fn take_in_until_closed(&self) {
        let mut seen = 0;
        while !self.filling.is_closed() {
            seen = self.filling.wait(seen, IDLE);
            if let Err(error) = self.take_in_if_filling() {
                tracing::error!(%error, "the database did not take in what the journal holds");
            }
        }
    }

    fn take_in_if_filling(&self) -> Result<()> {
        if !self.store.is_filling() {
            return Ok(());
        }
        (0..TAKEN_IN_AT_A_TIME).try_for_each(|_| self.store.take_in())?;
        self.store.settle()?;
        // Chunks may have waited for that.
        self.queue.call();
        Ok(())
    }

    /// Writes a batch on the thread of a request, unless somebody writes already.
    pub(super) fn write_if_nobody_does(&self) {
        let turn = match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
            // He has the thread look at what came meanwhile.
            Err(TryLockError::WouldBlock) => return,
        };
        // The disk may take its time: others that this thread had to serve are served by another.
        tokio::task::block_in_place(|| self.write(self.next_batch()));
        drop(turn);
        self.tell();
        // After the turn: who came just before its end found it taken, and would wait for ever.
        if self.queue.has_single() || self.store.failure().is_some() {
            self.queue.call();
        }
    }

    fn next_batch(&self) -> Vec<Submission> {
        self.queue.take(self.store.is_filling())
    }

    fn write(&self, batch: Vec<Submission>) {
        if batch.is_empty() {
            return;
        }
        let (answer_to, commands): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|submission| ((submission.answer, submission.commands.len()), submission.commands))
            .unzip();
        let commands: Vec<Command> = commands.into_iter().flatten().collect();
        let began = Instant::now();
        match self.write_or_reopen(&commands) {
            Ok(committed) => {
                self.measured.took(began.elapsed(), commands.len());
                let mut answers = committed.answers.into_iter();
                for (answer, count) in answer_to {
                    // Who no longer waits has lost the answer, not the write.
                    let _ = answer.send(Ok(answers.by_ref().take(count).collect()));
                }
                self.is_untold.store(true, Ordering::Release);
            }
            Err(error) => {
                tracing::error!(%error, commands = commands.len(), "commit failed");
                for (answer, _) in answer_to {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }

    /// Tells that logs have grown, behind the answers.
    fn tell(&self) {
        if self.is_untold.swap(false, Ordering::AcqRel) {
            self.tail.publish();
        }
        if self.store.is_filling() {
            self.filling.publish();
        }
    }

    /// A bug that panics on one batch must not end the writer: the batch is refused, and since nobody knows how
    /// far it came the store is opened anew, as after a failed disk.
    fn write_or_reopen(&self, commands: &[Command]) -> Result<Committed> {
        let written = catch_unwind(AssertUnwindSafe(|| self.store.write(commands, node::stamp())));
        written.unwrap_or_else(|_| {
            let cause = "a write stopped unexpectedly";
            self.store.reopen().inspect_err(|error| tracing::error!(%error, "reopening failed"))?;
            Err(Error::Poisoned { cause: cause.to_owned() })
        })
    }

    /// Opens the store anew, for as long as it takes; who submits meanwhile is told to try again.
    fn reopen(&self, cause: &str) {
        tracing::error!(cause, "the store stopped; reopening it");
        loop {
            match self.store.reopen() {
                Ok(()) => {
                    tracing::info!("the store is open again");
                    return;
                }
                Err(error) => tracing::error!(%error, "reopening failed; trying again"),
            }
            for refused in std::iter::repeat_with(|| self.queue.take(false))
                .take_while(|batch| !batch.is_empty())
                .flatten()
            {
                let _ = refused.answer.send(Err(Error::Poisoned { cause: cause.to_owned() }));
            }
            std::thread::sleep(REOPEN_EVERY);
        }
    }
}
