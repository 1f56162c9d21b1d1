//! What one connection is doing, as others see it: the sweeper, and whoever needs its place.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::heads::Framing;

/// How long a client may take over what is his to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// From the first byte of a request's head to its last, and from the connection to its first request.
    pub(super) header: Duration,
    /// Between two requests.
    pub(super) idle: Duration,
    /// Once an answer no longer fits into the connection, the client has so long to take
    pub(super) write: Duration,
    /// so many bytes of it, again and again.
    pub(super) write_bytes_min: u64,
}

/// Why a connection is closed before its client closes it; the words are labels of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// The head of a request did not come in time.
    Header,
    /// No further request came in time.
    Idle,
    /// The answer is not read.
    Write,
}

/// A moment, as milliseconds since the server began; [`NEVER`] while there is none.
#[derive(Debug)]
struct Moment(AtomicU64);

const NEVER: u64 = u64::MAX;

/// One connection's state. Written by the connection, read by everybody; no moment depends on another.
#[derive(Debug)]
pub(crate) struct Activity {
    began: Instant,
    requests: AtomicU64,
    in_progress: AtomicU32,
    /// When the last request ended, or the connection began.
    quiet: Moment,
    /// When the first bytes of a head came.
    head: Moment,
    /// Since when a request waits for bytes of its body.
    body: Moment,
    /// Since when an answer does not fit into the connection,
    stalled: Moment,
    /// and how much of it went through since.
    stalled_bytes: AtomicU64,
    /// The [`Framing`] of the head that came last.
    framing: AtomicU8,
    /// HTTP/2: bytes need not belong to a request.
    multiplexed: AtomicBool,
    close: CancellationToken,
    retire: CancellationToken,
}

/// A request that is being answered; it ends with this.
#[derive(Debug)]
pub(crate) struct Working(Arc<Activity>);

impl Moment {
    fn never() -> Moment {
        Moment(AtomicU64::new(NEVER))
    }

    fn get(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|at| *at != NEVER)
    }

    fn set(&self, now: u64) {
        self.0.store(now, Ordering::Relaxed);
    }

    fn set_if_never(&self, now: u64) {
        let _ = self.0.compare_exchange(NEVER, now, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn clear(&self) {
        self.set(NEVER);
    }

    fn is_past(&self, now: u64, limit: Duration) -> bool {
        self.get().is_some_and(|since| u128::from(now.saturating_sub(since)) >= limit.as_millis())
    }
}

impl Activity {
    /// A connection that begins now. It retires when `drain` is cancelled, at the latest.
    pub(super) fn new(server_began: Instant, drain: &CancellationToken) -> Activity {
        let activity = Activity {
            began: server_began,
            requests: AtomicU64::new(0),
            in_progress: AtomicU32::new(0),
            quiet: Moment::never(),
            head: Moment::never(),
            body: Moment::never(),
            stalled: Moment::never(),
            stalled_bytes: AtomicU64::new(0),
            framing: AtomicU8::new(Framing::Unseen as u8),
            multiplexed: AtomicBool::new(false),
            close: CancellationToken::new(),
            retire: drain.child_token(),
        };
        activity.quiet.set(activity.now());
        activity
    }

    /// A request has arrived; says how many there were with it.
    pub(crate) fn begin(self: &Arc<Activity>) -> (Working, u64) {
        self.in_progress.fetch_add(1, Ordering::Relaxed);
        self.head.clear();
        (Working(Arc::clone(self)), self.requests.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// What the head of the request that has arrived said of its body's length, before it was tidied.
    pub(crate) fn take_framing(&self) -> Framing {
        match self.framing.swap(Framing::Unseen as u8, Ordering::Relaxed) {
            0 => Framing::Unseen,
            1 => Framing::Clear,
            _ => Framing::Ambiguous,
        }
    }

    /// The connection ends after what is in progress.
    pub(crate) fn retire(&self) {
        self.retire.cancel();
    }

    /// Whether that has to be said in the answer: HTTP/2 says it by itself.
    pub(crate) fn says_close(&self) -> bool {
        self.retire.is_cancelled() && !self.multiplexed.load(Ordering::Relaxed)
    }

    /// A request waits for bytes of its body.
    pub(crate) fn body_awaited(&self) {
        if !self.multiplexed.load(Ordering::Relaxed) {
            self.body.set_if_never(self.now());
        }
    }

    /// It no longer does.
    pub(crate) fn body_came(&self) {
        self.body.clear();
    }

    pub(super) fn set_multiplexed(&self) {
        self.multiplexed.store(true, Ordering::Relaxed);
    }

    /// Whether bytes that come now are those of a request's head.
    pub(super) fn is_between_requests(&self) -> bool {
        !self.multiplexed.load(Ordering::Relaxed) && self.is_quiet()
    }

    /// Bytes of a head came; with the last of them comes what they say.
    pub(super) fn head_came(&self, framing: Option<Framing>) {
        self.head.set_if_never(self.now());
        if let Some(framing) = framing {
            self.framing.store(framing as u8, Ordering::Relaxed);
        }
    }

    pub(super) fn wrote(&self, bytes: usize) {
        self.stalled_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn stalled(&self) {
        if self.stalled.get().is_none() {
            self.stalled_bytes.store(0, Ordering::Relaxed);
            self.stalled.set(self.now());
        }
    }

    pub(super) fn flushed(&self) {
        self.stalled.clear();
    }

    /// Why the connection must be closed by now, if it must.
    pub(super) fn overdue(&self, patience: &Patience) -> Option<Overdue> {
        let now = self.now();
        if self.is_quiet() {
            let untried = self.requests.load(Ordering::Relaxed) == 0;
            if self.head.is_past(now, patience.header)
                || (untried && self.quiet.is_past(now, patience.header))
            {
                return Some(Overdue::Header);
            }
            if self.quiet.is_past(now, patience.idle) {
                return Some(Overdue::Idle);
            }
        }
        if self.stalled.is_past(now, patience.write) {
            if self.stalled_bytes.swap(0, Ordering::Relaxed) < patience.write_bytes_min {
                return Some(Overdue::Write);
            }
            self.stalled.set(now);
        }
        None
    }

    /// Since when no request is in progress; `None` while one is.
    pub(super) fn quiet_since(&self) -> Option<u64> {
        if self.is_quiet() { self.quiet.get() } else { None }
    }

    /// Since when a request waits for its client: for bytes of the body, or to read the answer.
    pub(super) fn client_awaited_since(&self) -> Option<u64> {
        self.body.get().into_iter().chain(self.stalled.get()).min()
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.in_progress.load(Ordering::Relaxed) == 0
    }

    pub(super) fn close(&self) {
        self.close.cancel();
    }

    pub(super) async fn closed(&self) {
        self.close.cancelled().await;
    }

    /// Until the connection ends with what is in progress.
    pub(crate) async fn retired(&self) {
        self.retire.cancelled().await;
    }

    pub(super) fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.body.clear();
        self.0.quiet.set(self.0.now());
        self.0.in_progress.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Overdue {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Overdue::Header => "slow_header",
            Overdue::Idle => "idle",
            Overdue::Write => "slow_reader",
        }
    }
}
