//! Verification: everything that the store promises about itself, recomputed from its rows.
//!
//! Checksums show a row that was changed. A row that went missing, as it does when the engine loses
//! its way on a damaged page, shows only where another row counts it or names it: so every row of every
//! table is counted or named by another, and that is what is checked here.

mod erasure;
mod log;
mod names;
mod things;

use log::Told;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::error::{Error, ErrorKind, Result};
use crate::ids::TenantId;
use crate::ledger::Hash;
use crate::rows::HeadRow;
use crate::tables::{Key, Table};
use crate::tx::Read;
use crate::view::View;

/// Problems beyond this many are counted only.
const PROBLEMS_MAX: usize = 100;
/// How much is read between two words about it.
const TOLD_EVERY_BYTES: u64 = 1 << 20;

/// What a verification found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The last commit.
    pub commit: u64,
    /// The epoch of the ledgers.
    pub epoch: u32,
    /// Bytes of the rows read.
    pub bytes: u64,
    /// The ledger of each tenant, recomputed from its log.
    pub roots: BTreeMap<String, TenantRoot>,
    /// What is wrong, in words; empty if nothing is.
    pub problems: Vec<String>,
}

/// Size and root of a tenant's ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantRoot {
    /// Records in the ledger.
    pub size: u64,
    /// The root of its tree.
    pub root: Hash,
}

impl Report {
    /// Damage becomes a problem, other errors stay errors.
    ///
    /// # Errors
    /// All but `Corrupt`.
    pub fn or_problem<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(damage @ Error::Corrupt { .. }) => {
                self.problems.push(damage.to_string());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

impl View {
    /// Reads every row and recomputes every ledger, name, edge and digest.
    ///
    /// Takes as long as reading the store does. `progress` receives the bytes read so far.
    ///
    /// # Errors
    /// `Io` or `Poisoned` if reading itself fails; damage is not an error but a problem in the report.
    pub fn verify(&self, progress: &mut dyn FnMut(u64)) -> Result<Report> {
        self.verify_until(&mut |bytes| {
            progress(bytes);
            Ok(())
        })
    }

    /// The same, for as long as `progress` has no objection: it may take its time, and end it.
    ///
    /// # Errors
    /// As for [`View::verify`], and what `progress` returns, if that is no damage.
    pub fn verify_until(&self, progress: &mut dyn FnMut(u64) -> Result<()>) -> Result<Report> {
        let whole = self.whole();
        let mut check =
            Check { view: &whole, problems: Vec::new(), bytes: 0, read: 0, told: 0, epoch: 1, progress };
        let node = check.or_problem(whole.node())?.unwrap_or_default();
        for table in Table::ALL {
            check.rows(*table)?;
        }
        let (mut roots, mut tokens, mut subjects) = (BTreeMap::new(), 0, 0);
        let mut stopped = BTreeMap::new();
        let heads = check.or_problem(whole.tenants())?.unwrap_or_default();
        check.tenants(&node, &heads)?;
        for (tenant, head) in heads {
            let told = check.tenant(tenant, &head, &mut roots)?;
            tokens += told.tokens;
            subjects += told.subjects;
            stopped.extend(told.stopped);
        }
        check.tokens(&node, tokens, subjects)?;
        check.epoch(&node, roots.len())?;
        check.changes(&node)?;
        check.stopped(&node, &stopped);
        let Check { problems, bytes, .. } = check;
        Ok(Report { commit: node.commit, epoch: node.epoch, bytes, roots, problems })
    }
}

struct Check<'v> {
    view: &'v View,
    problems: Vec<String>,
    /// Bytes of all rows.
    bytes: u64,
    /// Bytes read, most of them more than once; and how many when it was told last.
    read: u64,
    told: u64,
    /// The last epoch that any log tells of.
    epoch: u32,
    progress: &'v mut dyn FnMut(u64) -> Result<()>,
}

impl Check<'_> {
    /// Checks all that belongs to a tenant; gives what its log tells of.
    fn tenant(
        &mut self,
        tenant: TenantId,
        head: &HeadRow,
        roots: &mut BTreeMap<String, TenantRoot>,
    ) -> Result<Told> {
        let Some((root, told)) = self.log(tenant, head)? else {
            return Ok(Told::default());
        };
        roots.insert(head.name.clone(), root);
        self.dictionaries(tenant, head)?;
        self.runs(tenant, head, &told)?;
        self.pending(tenant, head)?;
        self.progress(tenant, head)?;
        self.events(tenant, head)?;
        self.policies(tenant, head, &told)?;
        self.decisions(tenant, head, &told)?;
        self.graphs(tenant, head, &told)?;
        self.flags(tenant, head, &told)?;
        self.once(tenant, head)?;
        self.subjects(tenant, head, &told)?;
        self.erasures(tenant, head, &told)?;
        self.things(tenant, head, &told)?;
        Ok(told)
    }

    fn problem(&mut self, problem: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }

    fn agree<T: PartialEq + std::fmt::Display>(
        &mut self,
        what: std::fmt::Arguments<'_>,
        found: T,
        wanted: T,
    ) {
        if found != wanted {
            self.problem(format!("{what}: {found} found, there should be {wanted}"));
        }
    }

    /// Damage becomes a problem, other errors stay errors.
    fn or_problem<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.kind() == ErrorKind::Unavailable => Err(error),
            Err(damage) => {
                self.problem(damage.to_string());
                Ok(None)
            }
        }
    }

    /// Counts what was read, and tells of it now and then.
    fn step(&mut self, bytes: usize) -> Result<()> {
        self.read += bytes as u64;
        if self.read - self.told < TOLD_EVERY_BYTES {
            return Ok(());
        }
        self.told = self.read;
        (self.progress)(self.read)
    }

    /// Whether a row is there and holds these bytes.
    fn holds(&mut self, table: Table, key: &Key, bytes: &[u8]) -> Result<bool> {
        self.step(key.bytes().len() + bytes.len())?;
        let row = self.view.get(table, key.bytes());
        Ok(self.or_problem(row)?.flatten().as_deref() == Some(bytes))
    }

    /// How many rows of a table have a prefix.
    fn count(&mut self, table: Table, prefix: &Key) -> Result<u64> {
        let mut count = 0;
        let scanned = self.view.scan(table, prefix.bytes(), prefix.end().as_deref(), &mut |_, _| {
            count += 1;
            Ok(ControlFlow::Continue(()))
        });
        self.or_problem(scanned)?;
        Ok(count)
    }

    /// Reads every row of a table, and with it every checksum. Damage ends the reading of that table:
    /// behind a damaged key nobody knows what follows.
    fn rows(&mut self, table: Table) -> Result<()> {
        let view = self.view;
        let scanned = view.scan(table, &[], None, &mut |key, value| {
            self.bytes += (key.len() + value.len()) as u64;
            self.step(key.len() + value.len())?;
            Ok(ControlFlow::Continue(()))
        });
        self.or_problem(scanned)?;
        Ok(())
    }
}
