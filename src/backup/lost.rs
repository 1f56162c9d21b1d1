//! What the lost node had beyond the backup, as far as its anchor tells; and that the backup is of that very node.

use std::collections::BTreeMap;
use std::path::Path;

use storage::anchor::Anchor;
use storage::ids::TenantId;
use storage::ledger::Checkpoint;
use storage::ledger::proof;
use storage::{Error, Result, View};

use super::base64;
use super::manifest::Manifest;

/// What the anchor of a lost node tells.
pub(super) struct Lost {
    /// Its epoch.
    pub(super) epoch: u32,
    /// Records that the backup lacks, by the name of the tenant.
    pub(super) lacking: BTreeMap<String, u64>,
}

/// Holds a backup against what an anchor says that it has seen, before anything is written. Who signed it shows when the key is there.
///
/// # Errors
/// `Invalid` if there is no anchor at that path; `Corrupt` if it is of another node or another history, `Unverifiable` if it is older than the
/// backup.
pub(super) fn fits(path: &Path, manifest: &Manifest) -> Result<()> {
    let mut seen = BTreeMap::new();
    for checkpoint in Anchor::claimed(path)? {
        let node = checkpoint.origin.split('/').nth(1).unwrap_or_default();
        if node != manifest.node {
            let detail =
                format!("`{}` is of node {node}, and the backup of {}", path.display(), manifest.node);
            return Err(Error::Corrupt { what: "anchor", detail });
        }
        seen.insert(checkpoint.tenant().to_owned(), checkpoint);
    }
    for (tenant, root) in &manifest.roots {
        match seen.get(tenant) {
            Some(seen) if seen.size == root.size && base64(&seen.root) != root.root => {
                return Err(other_history(tenant, root.size));
            }
            Some(seen) if seen.size >= root.size => {}
            older => return Err(stale(tenant, older.map_or(0, |seen| seen.size), root.size)),
        }
    }
    Ok(())
}

fn other_history(tenant: &str, size: u64) -> Error {
    let detail = format!(
        "tenant `{tenant}` had other records than the backup, of {size}; it is not this node's backup"
    );
    Error::Corrupt { what: "ledger", detail }
}

fn stale(tenant: &str, size: u64, held: u64) -> Error {
    Error::Unverifiable {
        what: "anchor",
        detail: format!(
            "it has seen {size} records of tenant `{tenant}`, and the backup holds {held}; give the last anchor of the lost node, or --no-anchor if it is gone"
        ),
    }
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
        return Err(other_history(name, size));
    }
    if held > size { Err(stale(name, size, held)) } else { Ok(held) }
}

/// The tenants of the view among those that something is lacking of.
pub(super) fn by_tenant(view: &View, lacking: &BTreeMap<String, u64>) -> Result<BTreeMap<TenantId, u64>> {
    let mut by_tenant = BTreeMap::new();
    for (name, count) in lacking {
        by_tenant.extend(view.tenant(name)?.map(|tenant| (tenant, *count)));
    }
    Ok(by_tenant)
}
