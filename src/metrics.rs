//! What is asked of the node, counted, in the Prometheus text format.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::app::App;

/// The counters that requests move.
#[derive(Default)]
pub struct Metrics {
    /// Searches answered.
    pub searches: Counter,
    /// Objects that imports read.
    pub import_objects: Counter,
    /// Hits that an index found and the policy then refused: must stay 0.
    pub denied_after_filter: Counter,
}

impl Metrics {
    /// The present values as text.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn text(&self, app: &App) -> storage::Result<String> {
        let mut registry = Registry::with_prefix("intelgraph");
        registry.register("searches", "Searches answered", self.searches.clone());
        registry.register("import_objects", "Objects read by imports", self.import_objects.clone());
        registry.register(
            "denied_after_filter",
            "Hits found by an index and then refused by the policy; anything but 0 is a fault",
            self.denied_after_filter.clone(),
        );
        let dropped = Counter::<u64, AtomicU64>::default();
        dropped.inc_by(app.decisions.dropped());
        registry.register(
            "decisions_dropped",
            "Decisions that the log has no record of, because the disk did not keep up",
            dropped,
        );
        let (records, lag) = lag(app)?;
        registry.register("log_records", "Records in all logs", records);
        registry.register_with_unit(
            "follower_lag",
            "Records not yet searchable",
            Unit::Other("records".to_owned()),
            lag,
        );
        let mut text = String::new();
        encode(&mut text, &registry).expect("writing to a string does not fail");
        Ok(text)
    }
}

fn lag(app: &App) -> storage::Result<(Gauge<u64, AtomicU64>, Gauge<u64, AtomicU64>)> {
    let (records, lag) = (Gauge::default(), Gauge::default());
    for (tenant, head) in app.store.view()?.tenants()? {
        let head = head.head();
        records.inc_by(head.0);
        lag.inc_by(head.0.saturating_sub(app.follow.status(tenant).position.0));
    }
    Ok((records, lag))
}
