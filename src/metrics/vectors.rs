//! How the vector indexes of all tenants are doing.

use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use storage::View;
use storage::ids::Lsn;

use super::gauge;
use crate::app::App;
use crate::node;

struct Vectors {
    lag_records: u64,
    lag_us: i64,
    fresh: u64,
    sealed: u64,
    damaged: u64,
    skipped: u64,
    /// Of the tenant whose walks find least.
    recall: f64,
}

/// Nothing is told where there is no model: then there are no vectors to be behind with.
pub(super) fn register(app: &App, view: &View, registry: &mut Registry) -> storage::Result<()> {
    let mut all =
        Vectors { lag_records: 0, lag_us: 0, fresh: 0, sealed: 0, damaged: 0, skipped: 0, recall: 1.0 };
    for (tenant, head) in view.tenants()? {
        let (head, status) = (head.head(), app.vectors.status(tenant));
        if status.state == "no_model" {
            return Ok(());
        }
        all.fresh += status.fresh as u64;
        all.sealed += status.sealed as u64;
        all.skipped += status.skipped;
        all.recall = status.recall.unwrap_or(1.0).min(all.recall);
        all.damaged += u64::from(matches!(status.state, "damaged" | "failed"));
        if status.position < head {
            all.lag_records += head.0 - status.position.0;
            let oldest = view.record(tenant, Lsn(status.position.0 + 1))?;
            all.lag_us = all.lag_us.max(node::now_us() - oldest.time_us);
        }
    }
    all.register(registry);
    Ok(())
}

impl Vectors {
    fn register(&self, registry: &mut Registry) {
        let records = Unit::Other("records".to_owned());
        registry.register_with_unit(
            "vector_index_lag",
            "Records without their vectors",
            records,
            gauge(self.lag_records),
        );
        registry.register_with_unit(
            "vector_index_lag",
            "Age of the oldest record without its vectors",
            Unit::Seconds,
            ConstGauge::new(self.lag_us.max(0) as f64 / 1e6),
        );
        registry.register(
            "vector_index_fresh",
            "Vectors that came since the last builds: they are compared one by one",
            gauge(self.fresh),
        );
        registry.register("vector_index_sealed", "Vectors in segments that were built", gauge(self.sealed));
        registry.register(
            "vector_index_damaged",
            "Tenants whose vector index is damaged and is built anew",
            gauge(self.damaged),
        );
        registry.register(
            "vector_index_skipped",
            "Assertions without vectors: what they say is none for the model, or not given to it for its label",
            gauge(self.skipped),
        );
        registry.register(
            "vector_index_recall",
            "Share of what is nearest that walks found when last measured, in the tenant where it is least; 1 where none is walked",
            ConstGauge::new(self.recall),
        );
    }
}
