//! Sources, and the runs that brought what they say.

use std::ops::ControlFlow;

use super::View;
use crate::commands::progress_key;
use crate::error::Result;
use crate::ids::{RunId, SourceId, TenantId};
use crate::model::SourceSpec;
use crate::rows::{PendingRow, ProgressRow, RunRow, decode};
use crate::tables::{Key, Table, key_u32, key_u64};
use crate::tx::Read;

impl View {
    /// The source of a name.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn source(&self, tenant: TenantId, name: &str) -> Result<Option<SourceId>> {
        crate::commands::source_id(self, tenant, name)
    }

    /// Every source of a tenant.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn sources(&self, tenant: TenantId) -> Result<Vec<(SourceId, SourceSpec)>> {
        let mut sources = Vec::new();
        self.each(Table::Sources, &Key::of(tenant), &mut |key, value| {
            sources.push((SourceId(key_u32(key, 4)), SourceSpec::decode(value)?));
            Ok(())
        })?;
        Ok(sources)
    }

    /// A run.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn run(&self, tenant: TenantId, run: RunId) -> Result<Option<RunRow>> {
        let row = self.get(Table::Runs, Key::of(tenant).and(&run).bytes())?;
        row.map(|row| decode(&row, "run row")).transpose()
    }

    /// Every run of a tenant, oldest first.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn runs(&self, tenant: TenantId) -> Result<Vec<(RunId, RunRow)>> {
        self.runs_from(tenant, RunId(0))
    }

    /// The runs of a tenant from one on, oldest first.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn runs_from(&self, tenant: TenantId, from: RunId) -> Result<Vec<(RunId, RunRow)>> {
        let mut runs = Vec::new();
        let prefix = Key::of(tenant);
        let start = prefix.clone().and(&from);
        self.scan(Table::Runs, start.bytes(), prefix.end().as_deref(), &mut |key, value| {
            runs.push((RunId(key_u64(key, 4)), decode(value, "run row")?));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(runs)
    }

    /// How far a file was read by a run of a source that did not complete.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn progress(
        &self,
        tenant: TenantId,
        source: SourceId,
        file: &[u8; 32],
    ) -> Result<Option<ProgressRow>> {
        let row = self.get(Table::Progress, progress_key(tenant, source, file).bytes())?;
        row.map(|row| decode(&row, "progress row")).transpose()
    }

    /// Up to `limit` relations that a run set aside, by number, from a number on.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn pending(
        &self,
        tenant: TenantId,
        run: RunId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, PendingRow)>> {
        let mut rows = Vec::new();
        let prefix = Key::of(tenant).and(&run);
        let start = prefix.clone().and(&from);
        self.scan(Table::Pending, start.bytes(), prefix.end().as_deref(), &mut |key, value| {
            rows.push((key_u64(key, 12), decode(value, "pending row")?));
            Ok(if rows.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(rows)
    }
}
