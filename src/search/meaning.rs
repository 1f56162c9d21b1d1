//! What looks for meaning in what a tenant holds: the node's model, and the tenant's vector index as it was at one commit.

use std::sync::Arc;
use std::time::Instant;

use index::vector::{Filter, Near, Pinned};
use storage::ids::{Lsn, TenantId, ThingId};

use super::reason::Reason;
use super::stage::{Among, Meaning};
use crate::embedding::{Embedding, NoVector};
use crate::follow::Vectors;

struct OfTenant {
    embedding: Embedding,
    pinned: Pinned,
}

/// What looks for meaning in what a tenant holds.
///
/// # Errors
/// Why nothing does.
pub(crate) fn of_tenant(
    embedding: &Embedding,
    vectors: &Vectors,
    tenant: TenantId,
) -> Result<Arc<dyn Meaning>, Reason> {
    let pinned = pinned(embedding, vectors, tenant)?;
    Ok(Arc::new(OfTenant { embedding: embedding.clone(), pinned }))
}

/// A tenant's vector index as of its last commit.
///
/// # Errors
/// Why there is none that can be used.
pub(super) fn pinned(embedding: &Embedding, vectors: &Vectors, tenant: TenantId) -> Result<Pinned, Reason> {
    let model = embedding.model().ok_or(Reason::NoModel)?;
    match vectors.status(tenant).state {
        "no_model" => return Err(Reason::NoModel),
        "missing" => return Err(Reason::IndexMissing),
        "damaged" | "failed" => return Err(Reason::IndexDamaged),
        "rebuilding" => return Err(Reason::IndexBuilding),
        _ => {}
    }
    let pinned = vectors.reader(tenant).ok_or(Reason::IndexMissing)?.pin();
    // Vectors of different models cannot be compared: until its own are there, it is being built.
    if *pinned.model() != model {
        return Err(Reason::IndexBuilding);
    }
    Ok(pinned)
}

impl Meaning for OfTenant {
    fn position(&self) -> Lsn {
        self.pinned.position()
    }

    fn encode(&self, text: &str, deadline: Instant) -> Result<Arc<[f32]>, Reason> {
        self.embedding.query(text, deadline).map_err(|none| match none {
            NoVector::NoModel => Reason::NoModel,
            NoVector::Deadline => Reason::Deadline,
            NoVector::Failed(error) => {
                tracing::warn!(error, "the model failed on a query");
                Reason::EncoderFailed
            }
        })
    }

    fn nearest(
        &self,
        vector: &[f32],
        k: usize,
        among: &Among,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<Near>, Reason> {
        let nearest = self.pinned.nearest(vector, k, &filter(among), stop).map_err(failed)?;
        if nearest.complete { Ok(nearest.near) } else { Err(Reason::Deadline) }
    }

    fn stored(&self, thing: ThingId, max: usize, among: &Among) -> Result<Vec<Vec<f32>>, Reason> {
        let stored = self.pinned.stored(thing, &filter(among));
        let read = stored.iter().take(max).map(|stored| self.pinned.vector(stored));
        read.collect::<index::Result<_>>().map_err(failed)
    }

    fn cosines(&self, vector: &[f32], of: &[ThingId], among: &Among) -> Result<Vec<Option<Near>>, Reason> {
        self.pinned.cosines(vector, of, &filter(among)).map_err(failed)
    }
}

fn filter(among: &Among) -> Filter<'_> {
    let Among { labels, form, time, include_revoked } = among;
    Filter { labels, form: *form, time: *time, include_revoked: *include_revoked }
}

fn failed(error: index::Error) -> Reason {
    tracing::warn!(%error, "the vector index failed");
    Reason::IndexDamaged
}
