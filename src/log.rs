//! The log: JSON lines on stderr, written by a thread of their own, so that nobody waits for whoever reads them.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait to be written; more are dropped and counted.
const LINES_MAX: usize = 8192;
/// What waits at the end is written within this.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// The log while it is written; what waits is written when this is dropped.
pub struct Log {
    lines: Option<Lines>,
    writer: Option<JoinHandle<()>>,
}

/// The way to the thread that writes.
#[derive(Clone)]
struct Lines {
    queue: SyncSender<Vec<u8>>,
    dropped: Arc<AtomicU64>,
}

/// Begins the log; `RUST_LOG` wins over `filter`.
///
/// # Errors
/// If the filter is none.
pub fn start(filter: &str) -> Result<Log> {
    let filter = match std::env::var(EnvFilter::DEFAULT_ENV) {
        Ok(given) => EnvFilter::try_new(&given).with_context(|| format!("RUST_LOG `{given}`"))?,
        Err(_) => EnvFilter::try_new(filter).with_context(|| format!("setting `log`: `{filter}`"))?,
    };
    let (queue, waiting) = sync_channel(LINES_MAX);
    let lines = Lines { queue, dropped: Arc::default() };
    let dropped = Arc::clone(&lines.dropped);
    let writer = std::thread::Builder::new().name("log".to_owned());
    let writer = writer.spawn(move || write_all(&waiting, &dropped, &mut io::stderr()))?;
    let log =
        tracing_subscriber::fmt().json().flatten_event(true).with_current_span(true).with_span_list(false);
    // Fails only if a log is set up already, which is as good.
    let _ = log.with_env_filter(filter).with_writer(lines.clone()).try_init();
    Ok(Log { lines: Some(lines), writer: Some(writer) })
}

/// Writes lines until nobody can send any more, or an empty one says that this was all.
fn write_all(waiting: &Receiver<Vec<u8>>, dropped: &AtomicU64, to: &mut dyn Write) {
    for line in waiting {
        if line.is_empty() {
            return;
        }
        // Nobody is left to be told.
        let _ = to.write_all(&line);
        let lost = dropped.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let _ = writeln!(to, "{{\"level\":\"WARN\",\"message\":\"log lines lost\",\"lines\":{lost}}}");
        }
    }
}

impl Write for Lines {
    /// Takes a whole line: that is how the formatter hands them out.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.queue.try_send(line.to_vec()).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Lines;

    fn make_writer(&self) -> Lines {
        self.clone()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let (Some(lines), Some(writer)) = (self.lines.take(), self.writer.take()) else { return };
        let until = Instant::now() + FLUSH_TIMEOUT;
        // The queue may be full because nobody reads stderr; then the rest is lost.
        let mut told = false;
        while Instant::now() < until && !writer.is_finished() {
            told = told || lines.queue.try_send(Vec::new()).is_ok();
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[cfg(test)]
mod tests;
