//! Bodies on the way: one of a request must keep coming, and one of an answer tells when it has gone.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::BoxError;
use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Sleep;

use super::End;
use crate::config::Config;
use crate::gateway::serve::Activity;

/// A piece of a body is copied if it is smaller: half of what is read at a time.
const COPIED_BYTES_MAX: usize = 4096;

/// How fast a body must come. Only the time counts in which its reader waits for the client, since a reader that is
/// busy slows the client down.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    /// So long the reader may wait in all, if the body has a size that is no excuse.
    in_all: Option<Duration>,
    /// So long it may wait for
    window: Duration,
    /// so many bytes, again and again.
    window_bytes_min: u64,
}

/// Whether a body was given up because it came too slowly.
pub(super) struct Verdict(Arc<AtomicBool>);

/// A body that must keep pace.
pub(super) struct Paced {
    body: Body,
    activity: Arc<Activity>,
    too_slow: Arc<AtomicBool>,
    pace: Pace,
    /// What is left of the whole and of the present window.
    left: Duration,
    window_left: Duration,
    window_bytes: u64,
    waiting: Option<Instant>,
    /// Made when it is first waited for: most bodies are there at once.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    pub(super) fn of(config: &Config, has_deadline: bool) -> Pace {
        let window = Duration::from_secs(config.body_timeout_s);
        Pace {
            in_all: has_deadline.then_some(window),
            window,
            window_bytes_min: config.bytes_per_second_min * window.as_secs(),
        }
    }
}

impl Verdict {
    pub(super) fn is_too_slow(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Paced {
    /// A pace for the body of one request.
    pub(super) fn new(pace: Pace, activity: Arc<Activity>) -> (Paced, Verdict) {
        let too_slow = Arc::new(AtomicBool::new(false));
        let verdict = Verdict(Arc::clone(&too_slow));
        let paced = Paced {
            body: Body::empty(),
            activity,
            too_slow,
            pace,
            left: pace.in_all.unwrap_or(Duration::MAX),
            window_left: pace.window,
            window_bytes: 0,
            waiting: None,
            alarm: None,
        };
        (paced, verdict)
    }

    /// The body that has to keep it.
    pub(super) fn of(self, body: Body) -> Body {
        // What has come already, or is nothing, needs no watch.
        if body.is_end_stream() { body } else { Body::new(Paced { body, ..self }) }
    }

    /// The reader has to wait: not for longer than is left. Whether time is up.
    fn poll_waiting(&mut self, context: &mut Context<'_>) -> bool {
        let left = self.left.min(self.window_left);
        if self.waiting.is_none() {
            self.waiting = Some(Instant::now());
            self.activity.body_awaited();
            let until = tokio::time::Instant::now() + left;
            match &mut self.alarm {
                Some(alarm) => alarm.as_mut().reset(until),
                None => self.alarm = Some(Box::pin(tokio::time::sleep_until(until))),
            }
        }
        self.alarm.as_mut().is_some_and(|alarm| alarm.as_mut().poll(context).is_ready())
    }

    fn came(&mut self, bytes: usize) {
        if let Some(since) = self.waiting.take() {
            let waited = since.elapsed();
            self.left = self.left.saturating_sub(waited);
            self.window_left = self.window_left.saturating_sub(waited);
        }
        self.window_bytes += bytes as u64;
        if self.window_bytes >= self.pace.window_bytes_min || self.body.is_end_stream() {
            (self.window_left, self.window_bytes) = (self.pace.window, 0);
            // Until then it is waited for, however many bytes trickle in.
            self.activity.body_came();
        }
    }
}

/// A piece shares the buffer that it was read into. Whoever keeps a body in pieces of one byte would keep eight
/// kilobytes for each: so a small piece is copied out.
fn owned(frame: Frame<Bytes>) -> Frame<Bytes> {
    frame.map_data(|data| if data.len() < COPIED_BYTES_MAX { Bytes::copy_from_slice(&data) } else { data })
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => {
                let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
                let bytes = data.map_or(0, Bytes::len);
                self.came(bytes);
                Poll::Ready(frame.map(|frame| frame.map(owned).map_err(Into::into)))
            }
            Poll::Pending if self.poll_waiting(context) => {
                self.too_slow.store(true, Ordering::Relaxed);
                Poll::Ready(Some(Err("it came too slowly".into())))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body; with it ends the request.
pub(super) struct Answer {
    body: Body,
    bytes: u64,
    is_whole: bool,
    end: End,
}

impl Answer {
    pub(super) fn new(body: Body, end: End) -> Answer {
        let is_whole = body.is_end_stream() || end.asked.method == "HEAD";
        Answer { body, bytes: 0, is_whole, end }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(frame) = &polled {
            let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
            self.bytes += data.map_or(0, Bytes::len) as u64;
            self.is_whole = frame.is_none() || self.body.is_end_stream();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.end.told(self.bytes, self.is_whole);
    }
}
