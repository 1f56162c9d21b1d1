//! Compressing on what is left of the processors.
//!
//! It is most of what a backup takes of them, and without a break: a scheduler lets a thread go on for milliseconds although
//! a write waits for that processor. To a thread of the idle policy it prefers every other at once. Such a thread must hold nothing that others
//! wait for: this one has a block, and gives a frame. And it may never have its turn: after a while the block is compressed by who brought it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use storage::Result;
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};

use super::frames::Frame;

/// A block takes a few milliseconds of a processor that nobody else wants.
const WAIT: Duration = Duration::from_millis(20);

/// A thread that compresses; it ends with this.
pub(super) struct Idle {
    /// Takes something only while the thread waits for it.
    work: SyncSender<Work>,
}

struct Work {
    block: Arc<Vec<u8>>,
    frame: SyncSender<Result<Frame>>,
}

impl Idle {
    /// Begins the thread. Where there is none to be had, who brings a block compresses it.
    pub(super) fn begin() -> Idle {
        let (work, taken) = sync_channel(0);
        let thread = std::thread::Builder::new().name("compress".to_owned());
        if let Err(error) = thread.spawn(move || compress(&taken)) {
            tracing::warn!(%error, "no thread to compress a backup on: writes beside it may take longer");
        }
        Idle { work }
    }

    /// The frame of a block.
    ///
    /// # Errors
    /// As for [`Frame::rows`].
    pub(super) fn rows(&self, block: Vec<u8>) -> Result<Frame> {
        let (block, (frame, made)) = (Arc::new(block), sync_channel(1));
        let is_taken = self.work.try_send(Work { block: Arc::clone(&block), frame }).is_ok();
        let made = if is_taken { made.recv_timeout(WAIT).ok() } else { None };
        made.unwrap_or_else(|| Frame::rows(&block))
    }
}

fn compress(work: &Receiver<Work>) {
    let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    // Where the system does not let it, it is a thread like any other.
    let _ = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy);
    while let Ok(Work { block, frame }) = work.recv() {
        // Who brought it may have done it by now.
        let _ = frame.send(Frame::rows(&block));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_compressed_whoever_has_time_for_it() {
        // Whoever holds the other end never comes to it.
        let (work, held) = sync_channel(1);
        let busy = Idle { work };
        let nobody = Idle { work: sync_channel(0).0 };
        for idle in [Idle::begin(), nobody, busy] {
            let block = vec![7; 100_000];
            assert_eq!(idle.rows(block.clone()).expect("a frame").block().expect("a block"), block);
        }
        assert!(held.try_recv().is_ok(), "the block was taken");
    }
}
