//! Followers, brought forward batch by batch and through a power cut, equal those built from what it left.

use std::collections::BTreeSet;
use std::sync::Arc;

use index::follower::{Limits, drive};
use index::text::{Allowed, Facets, Home, Query, TextIndex};
use storage::ids::{Lsn, TenantId, ThingId};
use storage::{Store, View};

use crate::seed::Seeded;
use crate::verdict::Violation;
use crate::workload::{Workload, in_memory};

/// Words of the workload, and none: everything.
const QUERIES: &[&str] = &["", "a", "b", "c", "0", "1", "2", "malware", "uses"];

/// What a text index answers, label by label: facets and members.
type Shown = Vec<(Lsn, u64, Option<Facets>, BTreeSet<ThingId>)>;

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
        let wanted = shown(&rebuilt[0].1, &left, tenant)?;
        let found = followed.map_or(Ok(vec![]), |(_, text)| shown(text, &left, tenant))?;
        let differs = found.iter().zip(&wanted).find(|(found, wanted)| found != wanted);
        if differs.is_some() || found.len() != wanted.len() {
            return Err(Violation::FollowerDiffers(format!("text of tenant {tenant}, {differs:?}")));
        }
    }
    Ok(())
}

/// Takes every tenant's index to the end of a view, in steps of random length.
fn bring_forward(
    followers: &mut Vec<(TenantId, TextIndex)>,
    view: &View,
    seeded: &mut Seeded,
) -> Result<(), Violation> {
    for (tenant, _) in view.tenants().map_err(Violation::unreadable)? {
        if !followers.iter().any(|(of, _)| *of == tenant) {
            followers.push((tenant, begin(view, tenant)?));
        }
    }
    for (_, text) in followers {
        let limits = Limits { records_max: 1 + seeded.below(60), ..Limits::default() };
        while !drive(text, view, limits, &|| false).map_err(failed)?.is_current() {}
    }
    Ok(())
}

fn begin(view: &View, tenant: TenantId) -> Result<TextIndex, Violation> {
    let origin = view.origin(tenant).map_err(Violation::unreadable)?;
    Ok(TextIndex::open(Home::memory(), tenant, &origin).map_err(failed)?.0)
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
