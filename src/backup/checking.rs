//! Checks backups: every digest, what builds on what, and the ledgers recomputed from the rows.

use std::collections::BTreeMap;
use std::path::Path;

use storage::backup::Recount;
use storage::{Error, Report, Result, TenantRoot};

use super::manifest::{Manifest, Root};
use super::place::{Place, find};
use super::{base64, damaged, reading};

/// Checks a directory of backups, or one backup with all that it builds on; and says what the newest of them holds.
/// `progress` receives the bytes read.
///
/// # Errors
/// `Invalid` if there is no backup, `NewerFormat` if a newer program took it, `Io` if it cannot be read. Damage is no error but
/// a problem in the report.
pub fn check(path: &Path, progress: &mut dyn FnMut(u64)) -> Result<Report> {
    let mut report = Report::default();
    let Some((place, newest)) = report.or_problem(find(path))? else { return Ok(report) };
    let is_whole = place.path() == path;
    let names = if is_whole { place.names()? } else { vec![newest.clone()] };
    // What others build on is read with these.
    let mut built_on = Vec::new();
    for name in names.iter().rev() {
        if built_on.contains(name) {
            continue;
        }
        let Some(chain) = report.or_problem(place.chain(name))? else { continue };
        let checked = check_chain(&place, &chain, &mut report, progress);
        if let Some(roots) = report.or_problem(checked)?
            && *name == newest
        {
            let last = chain.last().expect("a chain holds what was asked for");
            (report.commit, report.epoch, report.roots) = (last.commit, last.epoch, roots);
        }
        built_on.extend(chain.into_iter().map(|manifest| manifest.name));
    }
    Ok(report)
}

/// The roots in the end of a chain, recomputed.
fn check_chain(
    place: &Place,
    chain: &[Manifest],
    report: &mut Report,
    progress: &mut dyn FnMut(u64),
) -> Result<BTreeMap<String, TenantRoot>> {
    check_digests(place, chain, &mut |bytes| {
        report.bytes += bytes;
        progress(report.bytes);
    })?;
    let last = chain.last().expect("a chain holds what was asked for");
    let mut recount = Recount::default();
    reading::rows(place, chain)?.each(&mut |table, key, value| recount.push(table, key, value))?;
    let (node, roots) = recount.end().map_err(|error| in_backup(error, &last.name))?;
    if (&node.node_id, node.epoch, node.commit) != (&last.node, last.epoch, last.commit) {
        return Err(damaged(format!(
            "`{}` holds commit {} of node {}, its manifest says {} of {}",
            last.name, node.commit, node.node_id, last.commit, last.node
        )));
    }
    same_roots(last, &roots)?;
    Ok(roots)
}

/// Checks every part of a chain.
pub(super) fn check_digests(place: &Place, chain: &[Manifest], progress: &mut dyn FnMut(u64)) -> Result<()> {
    for manifest in chain {
        let directory = place.directory(&manifest.name);
        manifest.parts.iter().try_for_each(|part| reading::check_part(&directory, part, progress))?;
    }
    Ok(())
}

/// Whether ledgers are those that the manifest tells of.
pub(super) fn same_roots(manifest: &Manifest, found: &BTreeMap<String, TenantRoot>) -> Result<()> {
    let found: BTreeMap<_, _> =
        found.iter().map(|(tenant, root)| (tenant.clone(), (root.size, base64(&root.root)))).collect();
    let told = |root: &Root| (root.size, root.root.clone());
    let told: BTreeMap<_, _> =
        manifest.roots.iter().map(|(tenant, root)| (tenant.clone(), told(root))).collect();
    match told.iter().find(|(tenant, root)| found.get(*tenant) != Some(root)) {
        None if told.len() == found.len() => Ok(()),
        other => Err(damaged(format!(
            "`{}`: the ledger of tenant `{}` is not the one that its manifest tells of",
            manifest.name,
            other.map_or("?", |(tenant, _)| tenant.as_str())
        ))),
    }
}

fn in_backup(error: Error, name: &str) -> Error {
    match error {
        Error::Corrupt { what, detail } => Error::Corrupt { what, detail: format!("`{name}`: {detail}") },
        error => error,
    }
}
