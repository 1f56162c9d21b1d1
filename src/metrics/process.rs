//! The process as the system sees it.

use std::fs;

use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::{Registry, Unit};

use super::gauge;

/// The kernel counts a process's time in hundredths of a second, on every Linux that we run on.
const TICKS_PER_SECOND: f64 = 100.0;

/// Registers what the system tells; what it does not tell is left out.
pub(super) fn register(registry: &mut Registry) {
    if let Some(seconds) = cpu_seconds() {
        let help = "Processor time, of all threads";
        registry.register_with_unit("process_cpu", help, Unit::Seconds, ConstCounter::new(seconds));
    }
    if let Some(bytes) = resident_bytes() {
        let help = "Memory that is in RAM";
        registry.register_with_unit("process_resident_memory", help, Unit::Bytes, gauge(bytes));
    }
    if let Ok(handles) = fs::read_dir("/proc/self/fd") {
        registry.register("process_open_fds", "Open file handles", gauge(handles.count() as u64));
    }
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    if let Some(limit) = limit {
        registry.register("process_max_fds", "File handles that the process may have open", gauge(limit));
    }
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program may hold anything; the fields are counted from behind it.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let user: f64 = fields.nth(11)?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}
