//! Followers, brought forward batch by batch and through a power cut, equal those built from what it left.

use std::collections::BTreeSet;
use std::sync::Arc;

use index::embed::Encoder as _;
use index::embed::words::Words;
use index::follower::{Follower, Limits, drive};
use index::text;
use index::text::{Allowed, Facets, Query, TextIndex};
use index::vector::{self, Filter, Near, VectorIndex};
use storage::ids::{Lsn, TenantId, ThingId};
use storage::{Store, View};

use crate::seed::Seeded;
use crate::verdict::Violation;
use crate::workload::{Workload, in_memory};

/// Words of the workload, and none: everything.
const QUERIES: &[&str] = &["", "a", "b", "c", "0", "1", "2", "malware", "uses"];

/// What a text index answers, label by label: facets and members.
type Shown = Vec<(Lsn, u64, Option<Facets>, BTreeSet<ThingId>)>;

/// What a vector index finds near some words, label by label.
type Neighbours = Vec<(Lsn, usize, Vec<Near>)>;

/// Components of vectors: few, so that there are ties.
const DIMENSION: usize = 8;

/// Every follower of a tenant.
struct Followers {
    text: TextIndex,
    vectors: VectorIndex,
}

/// Follows a workload up to what was acknowledged and goes on with what is left on the disk.
///
/// Every follower there is belongs here.
pub(crate) fn equal_their_rebuilds(
    workload: &Workload,
    acknowledged: usize,
    left: &Store,
    seeded: &mut Seeded,
) -> Result<(), Violation> {
    let (left, before) = (left.view().map_err(Violation::unreadable)?, in_memory()?);
    let tenants = left.tenants().map_err(Violation::unreadable)?;
    let mut followers = Vec::new();
    for done in 0..acknowledged {
        workload.write(&before, done)?;
        if seeded.one_in(3) {
            let view = before.view().map_err(Violation::unreadable)?;
            bring_forward(&mut followers, &view, seeded)?;
        }
    }
    bring_forward(&mut followers, &left, seeded)?;
    for (tenant, _) in tenants {
        let followed = followers.iter().find(|(of, _)| *of == tenant);
        let mut rebuilt = vec![(tenant, begin(&left, tenant)?)];
        bring_forward(&mut rebuilt, &left, seeded)?;
        let near = |followers: &Followers| neighbours(&followers.vectors, &left, tenant);
        let (wanted, found) =
            (near(&rebuilt[0].1)?, followed.map_or(Ok(vec![]), |(_, followers)| near(followers))?);
        if wanted != found {
            return Err(Violation::FollowerDiffers(format!(
                "vectors of tenant {tenant}, {found:?}, {wanted:?}"
            )));
        }
        let wanted = shown(&rebuilt[0].1.text, &left, tenant)?;
        let found = followed.map_or(Ok(vec![]), |(_, followers)| shown(&followers.text, &left, tenant))?;
        let differs = found.iter().zip(&wanted).find(|(found, wanted)| found != wanted);
        if differs.is_some() || found.len() != wanted.len() {
            return Err(Violation::FollowerDiffers(format!("text of tenant {tenant}, {differs:?}")));
        }
    }
    Ok(())
}

/// Takes every tenant's indexes to the end of a view, in steps of random length.
fn bring_forward(
    followers: &mut Vec<(TenantId, Followers)>,
    view: &View,
    seeded: &mut Seeded,
) -> Result<(), Violation> {
    for (tenant, _) in view.tenants().map_err(Violation::unreadable)? {
        if !followers.iter().any(|(of, _)| *of == tenant) {
            followers.push((tenant, begin(view, tenant)?));
        }
    }
    for (_, Followers { text, vectors }) in followers {
        bring(text, view, seeded)?;
        bring(vectors, view, seeded)?;
        if seeded.one_in(4) {
            vectors.scrub().map_err(failed)?;
        }
    }
    Ok(())
}

fn bring(follower: &mut dyn Follower, view: &View, seeded: &mut Seeded) -> Result<(), Violation> {
    let limits = Limits { records_max: 1 + seeded.below(60), ..Limits::default() };
    while !drive(follower, view, limits, &|| false).map_err(failed)?.is_current() {}
    Ok(())
}

fn begin(view: &View, tenant: TenantId) -> Result<Followers, Violation> {
    let origin = view.origin(tenant).map_err(Violation::unreadable)?;
    let text = TextIndex::open(text::Home::memory(), tenant, &origin).map_err(failed)?.0;
    let encoder = Arc::new(Words::new("words", DIMENSION));
    let vectors = VectorIndex::open(vector::Home::memory(), tenant, &origin, encoder).map_err(failed)?.0;
    Ok(Followers { text, vectors })
}

fn neighbours(vectors: &VectorIndex, view: &View, tenant: TenantId) -> Result<Neighbours, Violation> {
    let (pinned, mut near) = (vectors.reader().pin(), Vec::new());
    let labels = view.labels(tenant, storage::ids::LabelId::SYSTEM).map_err(Violation::unreadable)?;
    let query = Words::new("words", DIMENSION).encode("malware a 1").map_err(failed)?;
    for (label, _) in labels {
        let allowed = Allowed::Labels(Arc::new([label.0].into_iter().collect()));
        let filter = Filter { labels: &allowed, form: None, time: None, include_revoked: true };
        let found = pinned.nearest(&query, 1000, &filter, &|| false).map_err(failed)?;
        near.push((pinned.position(), pinned.vectors(), found.near));
    }
    Ok(near)
}

fn shown(text: &TextIndex, view: &View, tenant: TenantId) -> Result<Shown, Violation> {
    let (pinned, mut shown) = (text.reader().pin(), Vec::new());
    let labels = view.labels(tenant, storage::ids::LabelId::SYSTEM).map_err(Violation::unreadable)?;
    for (label, _) in labels {
        let allowed = Allowed::Labels(Arc::new([label.0].into_iter().collect()));
        for words in QUERIES {
            let query = Query {
                text: (*words).to_owned(),
                include_revoked: true,
                limit: 1000,
                facets: true,
                ..Query::default()
            };
            let hits = pinned.search(&query, &allowed, &|| false).map_err(failed)?;
            let things = hits.hits.iter().map(|hit| hit.thing).collect();
            shown.push((pinned.position(), pinned.documents(), hits.facets, things));
        }
    }
    Ok(shown)
}

fn failed(error: index::Error) -> Violation {
    Violation::FollowerDiffers(error.to_string())
}
