//! What is asked of the node, counted, for Prometheus. Labels have few values: none names a tenant, a thing or a person.

mod classic;
mod process;
mod vectors;

use std::os::unix::fs::MetadataExt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use storage::View;
use storage::ids::Lsn;

use crate::app::{App, VERSION};
use crate::node;
use crate::search::plan::{Mode, Outcome};
use crate::search::reason::Reason;

/// Upper bounds in seconds: dense where the promises are.
const REQUEST_SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.45, 1.0, 2.5, 10.0, 30.0];

/// Of the steps of a search: dense around the budget of the vector stage.
const STEP_SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.075, 0.1, 0.15, 0.16, 0.25, 0.45, 1.0];

/// A label and its value.
type Label = (&'static str, String);
/// A counter for each reason.
type ByReason = Family<[Label; 1], Counter>;
/// A counter for each way in which something goes.
type ByOutcome = Family<[Label; 1], Counter>;

/// The text format that a scraper asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// OpenMetrics 1.0.
    Open,
    /// Prometheus 0.0.4: what everybody reads.
    Classic,
}

/// What requests move.
#[derive(Clone)]
pub struct Metrics {
    /// Searches answered,
    pub searches: Counter,
    /// and those that found nothing.
    pub searches_without_hits: Counter,
    /// Hits with a score that is no number.
    pub search_dropped: Counter,
    search_steps: Family<[Label; 1], Histogram, fn() -> Histogram>,
    vector_stages: ByOutcome,
    /// Objects that imports read.
    pub import_objects: Counter,
    /// Events taken in.
    pub events_accepted: Counter,
    /// Events that were there before.
    pub events_duplicate: Counter,
    vectors_supplied: ByOutcome,
    /// Hits that an index found and the policy then refused: must stay 0.
    pub denied_after_filter: Counter,
    /// Connections that are open.
    pub connections: Gauge,
    /// Requests that are being answered.
    pub requests_in_progress: Gauge,
    requests: Family<[Label; 2], Histogram, fn() -> Histogram>,
    requests_refused: ByReason,
    connections_closed: ByReason,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let requests =
            Family::new_with_constructor((|| Histogram::new(REQUEST_SECONDS)) as fn() -> Histogram);
        let steps = Family::new_with_constructor((|| Histogram::new(STEP_SECONDS)) as fn() -> Histogram);
        Metrics {
            searches: Counter::default(),
            searches_without_hits: Counter::default(),
            search_dropped: Counter::default(),
            search_steps: steps,
            vector_stages: ByOutcome::default(),
            import_objects: Counter::default(),
            events_accepted: Counter::default(),
            events_duplicate: Counter::default(),
            vectors_supplied: ByOutcome::default(),
            denied_after_filter: Counter::default(),
            connections: Gauge::default(),
            requests_in_progress: Gauge::default(),
            requests,
            requests_refused: ByReason::default(),
            connections_closed: ByReason::default(),
        }
    }
}

impl Metrics {
    /// A request on a route has been answered, and the answer taken.
    pub(crate) fn request_ended(&self, route: &str, status: u16, took: Duration) {
        self.requests_in_progress.dec();
        let labels = [("route", route.to_owned()), ("status", format!("{}xx", status / 100))];
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A search was answered.
    pub(crate) fn searched(&self, is_without_hits: bool) {
        self.searches.inc();
        if is_without_hits {
            self.searches_without_hits.inc();
        }
    }

    /// A search that was to look for meaning was answered: how it went with that.
    pub(crate) fn vector_stage(&self, mode: Mode, outcome: &Outcome) {
        if mode == Mode::Keyword {
            return;
        }
        let how = outcome.reason.map_or("used", Reason::as_str);
        self.vector_stages.get_or_create(&[("outcome", how.to_owned())]).inc();
        if outcome.lsn.is_some() {
            self.search_steps(&[("vector", outcome.took)]);
        }
    }

    /// Something came with a vector of its own: what becomes of that.
    pub(crate) fn vector_supplied(&self, outcome: &'static str) {
        self.vectors_supplied.get_or_create(&[("outcome", outcome.to_owned())]).inc();
    }

    /// Steps of a search were done, or cut off.
    pub(crate) fn search_steps(&self, steps: &[(&'static str, Duration)]) {
        for (step, took) in steps {
            self.search_steps.get_or_create(&[("step", (*step).to_owned())]).observe(took.as_secs_f64());
        }
    }

    /// A request was refused by a limit.
    pub(crate) fn request_refused(&self, reason: &'static str) {
        self.requests_refused.get_or_create(&[("reason", reason.to_owned())]).inc();
    }

    /// A connection was closed by the node.
    pub(crate) fn connection_closed(&self, reason: &'static str) {
        self.connections_closed.get_or_create(&[("reason", reason.to_owned())]).inc();
    }

    /// The present values as text. What the store would have to tell is left out while it cannot.
    #[must_use]
    pub(crate) fn text(&self, app: &App, format: Format) -> String {
        let mut registry = Registry::with_prefix("intelgraph");
        self.register(&mut registry);
        app.commit.measured().register(&mut registry);
        register_app(app, &mut registry);
        process::register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).expect("writing to a string does not fail");
        match format {
            Format::Open => text,
            Format::Classic => classic::of(&text),
        }
    }

    fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "request_duration",
            "Time from a request's head to the end of its answer, by route and class of status",
            Unit::Seconds,
            self.requests.clone(),
        );
        registry.register(
            "requests_in_progress",
            "Requests being answered",
            self.requests_in_progress.clone(),
        );
        registry.register(
            "requests_refused",
            "Requests refused by a limit, by limit",
            self.requests_refused.clone(),
        );
        registry.register("connections", "Open connections", self.connections.clone());
        registry.register(
            "connections_closed",
            "Connections that the node closed, or did not take, by reason",
            self.connections_closed.clone(),
        );
        registry.register("searches", "Searches answered", self.searches.clone());
        registry.register(
            "searches_without_hits",
            "Searches answered with nothing",
            self.searches_without_hits.clone(),
        );
        registry.register_with_unit(
            "search_step_duration",
            "Time that a step of a search by meaning took, cut off or not; `vector` is its whole vector stage",
            Unit::Seconds,
            self.search_steps.clone(),
        );
        registry.register(
            "search_vector_stages",
            "Searches that were to look for meaning, by how that went: `used`, or why the answer is by words alone",
            self.vector_stages.clone(),
        );
        registry.register(
            "search_candidates_dropped",
            "Candidates left out because a score is no number; anything but 0 is a fault",
            self.search_dropped.clone(),
        );
        registry.register("import_objects", "Objects read by imports", self.import_objects.clone());
        registry.register("events_accepted", "Events taken in", self.events_accepted.clone());
        registry.register(
            "events_duplicate",
            "Events that had been taken in before",
            self.events_duplicate.clone(),
        );
        registry.register(
            "vectors_supplied",
            "Vectors that were read with the data, by what becomes of them: `used`, or why they are only kept",
            self.vectors_supplied.clone(),
        );
        registry.register(
            "denied_after_filter",
            "Hits found by an index and then refused by the policy; anything but 0 is a fault",
            self.denied_after_filter.clone(),
        );
    }
}

fn register_app(app: &App, registry: &mut Registry) {
    let build = Info::new([("version", VERSION)]);
    registry.register("build", "The program", build);
    registry.register("readers_busy", "Readings that are running", gauge(app.readers.busy() as u64));
    registry.register(
        "readers_waiting",
        "Readings that wait for a place",
        gauge(app.readers.waiting() as u64),
    );
    let (hits, misses) = app.policy_cache();
    registry.register(
        "policy_cache_hits",
        "Times that the labels somebody may see were known already",
        ConstCounter::new(hits),
    );
    registry.register(
        "policy_cache_misses",
        "Times that the policy had to be asked which labels somebody may see",
        ConstCounter::new(misses),
    );
    let dropped = ConstCounter::new(app.decisions.dropped());
    registry.register(
        "decisions_dropped",
        "Decisions that the log has no record of, because the disk did not keep up",
        dropped,
    );
    registry.register(
        "search_vector_stages_at_work",
        "Vector stages that run, those that nobody waits for any more included",
        gauge(app.stages.at_work() as u64),
    );
    disk(app, registry);
    care(app, registry);
    let view = app.store.view();
    registry.register(
        "store_ready",
        "1 if the store takes writes and gives answers",
        gauge(u64::from(view.is_ok())),
    );
    let Ok(view) = view else { return };
    if let Ok(log) = Log::of(app, &view) {
        log.register(registry);
    }
    // As far as the store can tell.
    let _ = vectors::register(app, &view, registry);
}

/// Backups and scrubs: whether they happen, and what they found.
fn care(app: &App, registry: &mut Registry) {
    registry.register("backups_running", "Backups being given", gauge(app.backups.running() as u64));
    registry.register_with_unit(
        "backup_growth",
        "What the store has grown by while a backup held its view: the one at hand, or the last",
        Unit::Bytes,
        gauge(app.backups.growth_bytes()),
    );
    if let Some(last_us) = app.backups.last_us() {
        let help = "When the last backup since the node started was given to its end, since 1970";
        registry.register_with_unit(
            "backup_last",
            help,
            Unit::Seconds,
            ConstGauge::new(last_us as f64 / 1e6),
        );
    }
    let Some(last) = app.scrub.state().last else { return };
    let help = "When the last scrub since the node started ended, since 1970";
    registry.register_with_unit(
        "scrub_last",
        help,
        Unit::Seconds,
        ConstGauge::new(last.ended_us as f64 / 1e6),
    );
    if let Ok(report) = last.found {
        let help = "What the last scrub found damaged; anything but 0 is to be looked at";
        registry.register("scrub_problems", help, gauge(report.problems.len() as u64));
    }
}

/// What the database takes, and what is left for it.
fn disk(app: &App, registry: &mut Registry) {
    if let Ok(file) = std::fs::metadata(app.config.data_dir.join("store.redb")) {
        let help = "Disk that the database takes";
        registry.register_with_unit("store_allocated", help, Unit::Bytes, gauge(file.blocks() * 512));
    }
    if let Ok(disk) = rustix::fs::statvfs(&app.config.data_dir) {
        let help = "Free disk where the data are; writes are refused before it is 0";
        registry.register_with_unit("disk_free", help, Unit::Bytes, gauge(disk.f_bavail * disk.f_frsize));
    }
}

/// The logs of all tenants, and how far search is behind them.
#[derive(Default)]
struct Log {
    records: u64,
    lag_records: u64,
    lag_us: i64,
}

impl Log {
    fn of(app: &App, view: &View) -> storage::Result<Log> {
        let mut log = Log::default();
        for (tenant, head) in view.tenants()? {
            let (head, reached) = (head.head(), app.follow.status(tenant).position);
            log.records += head.0;
            if reached < head {
                log.lag_records += head.0 - reached.0;
                let oldest = view.record(tenant, Lsn(reached.0 + 1))?;
                log.lag_us = log.lag_us.max(node::now_us() - oldest.time_us);
            }
        }
        Ok(log)
    }

    fn register(&self, registry: &mut Registry) {
        registry.register("log_records", "Records in all ledgers", gauge(self.records));
        registry.register_with_unit(
            "follower_lag",
            "Records not yet searchable",
            Unit::Other("records".to_owned()),
            gauge(self.lag_records),
        );
        registry.register_with_unit(
            "follower_lag",
            "Age of the oldest record that is not yet searchable",
            Unit::Seconds,
            ConstGauge::new(self.lag_us.max(0) as f64 / 1e6),
        );
    }
}

fn gauge(value: u64) -> Gauge<u64, AtomicU64> {
    let gauge = Gauge::default();
    gauge.set(value);
    gauge
}

#[cfg(test)]
mod tests;
