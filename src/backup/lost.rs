//! What the lost node had beyond the backup, as far as its anchor tells; and that the backup is of that very node.

use std::collections::BTreeMap;

use storage::anchor::Anchor;
use storage::ids::TenantId;
use storage::ledger::Checkpoint;
use storage::ledger::proof;
use storage::{Error, Result, View};

/// What the anchor of a lost node tells.
pub(super) struct Lost {
    /// Its epoch.
    pub(super) epoch: u32,
    /// Records that the backup lacks, by the name of the tenant.
    pub(super) lacking: BTreeMap<String, u64>,
}

/// Holds a restored view against the anchor of the lost node.
///
/// # Errors
/// `Corrupt` if the anchor is damaged, not signed by this node, or has seen another history; `Unverifiable` if it is older than
/// the backup.
pub(super) fn lost(anchor: &Anchor, view: &View) -> Result<Lost> {
    let mut lost = Lost { epoch: 0, lacking: BTreeMap::new() };
    for seen in anchor.seen()? {
        lost.epoch = lost.epoch.max(seen.epoch());
        let held = match view.tenant(seen.tenant())? {
            Some(tenant) => held(view, tenant, &seen)?,
            None => 0,
        };
        lost.lacking.insert(seen.tenant().to_owned(), seen.size - held);
    }
    Ok(lost)
}

/// How many records of a lost ledger the view holds.
fn held(view: &View, tenant: TenantId, seen: &Checkpoint) -> Result<u64> {
    let (name, size, held) = (seen.tenant(), seen.size, view.head(tenant)?.head().0);
    if held >= size && proof::root_at(&view.ledger(tenant), size)? != seen.root {
        let detail = format!(
            "tenant `{name}` had other records than the backup, of {size}; it is not this node's backup"
        );
        return Err(Error::Corrupt { what: "ledger", detail });
    }
    match held > size {
        false => Ok(held),
        true => Err(Error::Unverifiable {
            what: "anchor",
            detail: format!(
                "it has seen {size} records of tenant `{name}`, and the backup holds {held}; give the last anchor of the lost node, or --no-anchor if it is gone"
            ),
        }),
    }
}

/// The tenants of the view among those that something is lacking of.
pub(super) fn by_tenant(view: &View, lacking: &BTreeMap<String, u64>) -> Result<BTreeMap<TenantId, u64>> {
    let mut by_tenant = BTreeMap::new();
    for (name, count) in lacking {
        by_tenant.extend(view.tenant(name)?.map(|tenant| (tenant, *count)));
    }
    Ok(by_tenant)
}
