//! What waits for the writer: single writes, and the chunks of imports behind them.
//!
//! A batch takes every single write that waits, and no chunk beside them but every other time, so that imports go on. A batch without
//! takes one chunk, if there were single writes a moment ago: nobody waits for more of somebody else's import than that. It takes none while
//! the journal is filling, so that imports do not fill it, and single writes do not wait for the database. Chunks come by turns of their tenants.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use storage::commands::Command;
use storage::ids::TenantId;
use storage::{Error, Result};
use tokio::sync::oneshot;

use super::{Answers, stopped};

/// Single writes that may wait; more are refused with a hint to try again.
const SINGLE_MAX: usize = 1024;
/// Chunks that may wait; who brings one more waits with it.
const CHUNKS_MAX: usize = 1024;
/// A batch takes no more submissions once it holds so many commands.
const BATCH_COMMANDS_MAX: usize = 16_384;
/// Or so many bytes of claims and texts.
const BATCH_BYTES_MAX: usize = 16 << 20;
/// Who wrote so recently may write again, and must not find the writer with many chunks in hand.
const SINGLE_RECENT: Duration = Duration::from_secs(1);

/// Commands that are answered together.
pub(super) struct Submission {
    pub(super) commands: Vec<Command>,
    pub(super) answer: oneshot::Sender<Result<Answers>>,
}

/// What waits, and who brings and takes it.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// For the thread that writes: it has something to do.
    called: Condvar,
    /// For those who bring something: there may be room for it.
    taken: Condvar,
}

#[derive(Default)]
struct Waiting {
    single: VecDeque<Submission>,
    /// Of each tenant, with their bytes.
    chunks: BTreeMap<TenantId, VecDeque<(Submission, usize)>>,
    chunks_count: usize,
    /// When the last single write of a request came.
    single_at: Option<Instant>,
    /// Whose chunk was taken last: the next is of the tenant behind it.
    last: TenantId,
    /// Whether single writes were just taken without a chunk that waited.
    passed_over: bool,
    is_called: bool,
    closed: bool,
}

impl Queue {
    /// Brings a single write; who brings it writes it, or has it written ([`Queue::call`]).
    ///
    /// # Errors
    /// `Busy` if too many wait, `Poisoned` if the writer has stopped.
    pub(super) fn push(&self, submission: Submission) -> Result<()> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(stopped());
        }
        if waiting.single.len() >= SINGLE_MAX {
            return Err(Error::Busy { what: "writes are waiting", limit: SINGLE_MAX });
        }
        waiting.single.push_back(submission);
        waiting.single_at = Some(Instant::now());
        Ok(())
    }

    /// Brings a single write, as soon as there is room for it.
    ///
    /// # Errors
    /// `Poisoned` if the writer has stopped.
    pub(super) fn push_blocking(&self, submission: Submission) -> Result<()> {
        let mut waiting = self.wait_while(|waiting| waiting.single.len() >= SINGLE_MAX)?;
        waiting.single.push_back(submission);
        self.called.notify_one();
        Ok(())
    }

    /// Brings a chunk of about so many bytes, as soon as there is room for it.
    ///
    /// # Errors
    /// `Poisoned` if the writer has stopped.
    pub(super) fn push_chunk(&self, tenant: TenantId, chunk: Submission, bytes: usize) -> Result<()> {
        let mut waiting = self.wait_while(|waiting| waiting.chunks_count >= CHUNKS_MAX)?;
        waiting.chunks.entry(tenant).or_default().push_back((chunk, bytes));
        waiting.chunks_count += 1;
        self.called.notify_one();
        Ok(())
    }

    /// Calls the thread that writes.
    pub(super) fn call(&self) {
        self.lock().is_called = true;
        self.called.notify_one();
    }

    /// Waits until the thread that writes has something to do, or so long; false once nothing waits and nothing more can come.
    pub(super) fn wait(&self, timeout: Duration, is_filling: bool) -> bool {
        let is_idle = |waiting: &mut Waiting| {
            let has_nothing =
                waiting.is_empty() || waiting.single.is_empty() && waiting.holds_chunks(is_filling);
            has_nothing && !waiting.is_called && !waiting.closed
        };
        let waited = self.called.wait_timeout_while(self.lock(), timeout, is_idle);
        let mut waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        waiting.is_called = false;
        !waiting.closed || !waiting.is_empty()
    }

    /// Whether a single write waits.
    pub(super) fn has_single(&self) -> bool {
        !self.lock().single.is_empty()
    }

    /// The next batch; empty if nothing waits, or chunks alone and the journal is filling.
    pub(super) fn take(&self, is_filling: bool) -> Vec<Submission> {
        let batch = self.lock().batch(is_filling);
        self.taken.notify_all();
        batch
    }

    /// What waits is still taken, and nothing more comes.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.called.notify_all();
        self.taken.notify_all();
    }

    fn wait_while(&self, is_full: impl Fn(&Waiting) -> bool) -> Result<MutexGuard<'_, Waiting>> {
        let is_full = |waiting: &mut Waiting| is_full(waiting) && !waiting.closed;
        let waiting = self.taken.wait_while(self.lock(), is_full).unwrap_or_else(PoisonError::into_inner);
        if waiting.closed { Err(stopped()) } else { Ok(waiting) }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.single.is_empty() && self.chunks_count == 0
    }

    /// Whether chunks wait until there is room in the journal again.
    fn holds_chunks(&self, is_filling: bool) -> bool {
        is_filling && !self.closed && !self.is_alone()
    }

    /// Whether nobody has written a single write lately.
    fn is_alone(&self) -> bool {
        self.single.is_empty() && self.single_at.is_none_or(|at| at.elapsed() >= SINGLE_RECENT)
    }

    fn batch(&mut self, is_filling: bool) -> Vec<Submission> {
        let (is_alone, holds_chunks) = (self.is_alone(), self.holds_chunks(is_filling));
        let (mut batch, mut commands, mut bytes) = (Vec::new(), 0, 0);
        while commands < BATCH_COMMANDS_MAX
            && let Some(single) = self.single.pop_front()
        {
            commands += single.commands.len();
            batch.push(single);
        }
        self.passed_over = !batch.is_empty() && self.chunks_count > 0 && !self.passed_over;
        while !holds_chunks
            && !self.passed_over
            && commands < BATCH_COMMANDS_MAX
            && bytes < BATCH_BYTES_MAX
            && let Some((chunk, weight)) = self.next_chunk()
        {
            commands += chunk.commands.len();
            bytes += weight;
            batch.push(chunk);
            if !is_alone {
                break;
            }
        }
        batch
    }

    fn next_chunk(&mut self) -> Option<(Submission, usize)> {
        let behind = self.chunks.range((Excluded(self.last), Unbounded)).next();
        let (&tenant, _) = behind.or_else(|| self.chunks.first_key_value())?;
        let chunks = self.chunks.get_mut(&tenant)?;
        let chunk = chunks.pop_front();
        if chunks.is_empty() {
            self.chunks.remove(&tenant);
        }
        self.last = tenant;
        self.chunks_count -= 1;
        chunk
    }
}

#[cfg(test)]
mod tests;
