//! An unchanging picture of the store, and the questions that readers ask of it.
//!
//! A view is revocable: when the engine must be reopened after a failure, every view ends and says so.

mod due;
mod edge;
mod erasure;
mod flag;
mod graph;
mod label;
mod ledger;
mod policy;
mod record;
mod run;
mod thing;
mod token;

pub use due::Due;
pub use edge::{Edge, End};
use erasure::Hidden;
pub use ledger::Ledger;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock, RwLock};

use crate::batch::{head_row, id_u32, node_row};
use crate::commands::Held;
use crate::engine::Snapshot;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::rows::{HeadRow, NodeRow, decode};
use crate::tables::{Key, Table, key_u32};
use crate::tx::{Read, Visit, VisitAll};

/// An unchanging picture of the store.
#[derive(Clone)]
pub struct View {
    snapshot: Arc<Revocable>,
    /// What is hidden in it; looked up by the first who reads a thing.
    hidden: Arc<OnceLock<Hidden>>,
    /// What is over by then is hidden as well,
    now_us: Option<i64>,
    /// but for what holds are on; looked up when something is over.
    held: Arc<OnceLock<HashMap<TenantId, Held>>>,
}

/// A snapshot that can be taken away.
pub(crate) struct Revocable(RwLock<Option<Arc<Snapshot>>>);

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("View")
    }
}

impl Revocable {
    pub(crate) fn new(snapshot: Snapshot) -> Arc<Revocable> {
        Arc::new(Revocable(RwLock::new(Some(Arc::new(snapshot)))))
    }

    pub(crate) fn revoke(&self) {
        if let Ok(mut snapshot) = self.0.write() {
            *snapshot = None;
        }
    }

    /// The lock is not held while reading: a visitor may read more, and would wait for ever behind
    /// a [`Revocable::revoke`] that waits for it.
    fn with<T>(&self, read: impl FnOnce(&Snapshot) -> Result<T>) -> Result<T> {
        let snapshot = self.0.read().map_err(|_| revoked())?.clone();
        read(&*snapshot.ok_or_else(revoked)?)
    }
}

fn revoked() -> Error {
    Error::Poisoned { cause: "the view was revoked".to_owned() }
}

impl Read for View {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.snapshot.with(|snapshot| snapshot.get(table, key))
    }

    fn scan(&self, table: Table, from: &[u8], to: Option<&[u8]>, visit: Visit<'_>) -> Result<()> {
        self.snapshot.with(|snapshot| snapshot.scan(table, from, to, visit))
    }

    fn last_at(&self, table: Table, from: &[u8], at: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        self.snapshot.with(|snapshot| snapshot.last_at(table, from, at))
    }
}

impl View {
    pub(crate) fn new(snapshot: Arc<Revocable>) -> View {
        View { snapshot, hidden: Arc::default(), now_us: None, held: Arc::default() }
    }

    /// The node's row.
    ///
    /// # Errors
    /// As for every question here: `Corrupt` for a damaged row, `Io` for a failing disk, `Poisoned`
    /// if the view was revoked.
    pub fn node(&self) -> Result<NodeRow> {
        node_row(self)
    }

    /// Whether something was signed for it: then its key is not made anew.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn is_signed(&self) -> Result<bool> {
        Ok(!self.node()?.key_sha256.is_empty() || !self.tenants()?.is_empty())
    }

    /// The tenant of a name.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn tenant(&self, name: &str) -> Result<Option<TenantId>> {
        let id = self.get(Table::Tenants, name.as_bytes())?;
        id.map(|id| Ok(TenantId(id_u32(&id, "tenant id")?))).transpose()
    }

    /// Every tenant.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn tenants(&self) -> Result<Vec<(TenantId, HeadRow)>> {
        let mut tenants = Vec::new();
        self.scan(Table::Heads, &[], None, &mut |key, value| {
            tenants.push((TenantId(key_u32(key, 0)), decode(value, "head row")?));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(tenants)
    }

    /// A tenant's counters and ledger edge.
    ///
    /// # Errors
    /// `NotFound` if there is no such tenant; see [`View::node`].
    pub fn head(&self, tenant: TenantId) -> Result<HeadRow> {
        head_row(self, tenant)
    }

    fn each(&self, table: Table, prefix: &Key, visit: VisitAll<'_>) -> Result<()> {
        crate::batch::scan_prefix(self, table, prefix, visit)
    }
}
