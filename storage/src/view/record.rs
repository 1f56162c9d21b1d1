//! The records of the log.

use std::ops::ControlFlow;

use super::View;
use crate::error::{Error, Result};
use crate::ids::{Lsn, TenantId};
use crate::model::Assertion;
use crate::record::{Record, Row};
use crate::tables::{Key, Table, key_u64};
use crate::tx::Read;

impl View {
    /// The record at a position.
    ///
    /// # Errors
    /// `BeyondHead` if the log is shorter; see [`View::node`].
    pub fn record(&self, tenant: TenantId, lsn: Lsn) -> Result<Record> {
        let found = self.last_at(Table::Log, Key::of(tenant).bytes(), Key::of(tenant).and(&lsn).bytes())?;
        let missing = || self.no_record(tenant, lsn);
        let (key, row) = found.ok_or_else(missing)?;
        let place = (lsn.0 - key_u64(&key, 4)) as usize;
        let row = Row::parse(&row)?;
        if place >= row.len() {
            return Err(missing());
        }
        let record = row.record(place)?;
        if record.lsn != lsn {
            return Err(gap(lsn, record.lsn.0));
        }
        Ok(record)
    }

    /// What a record asserts; `None` if its body was erased.
    ///
    /// # Errors
    /// `Corrupt` if the record is no assertion; see [`View::record`].
    pub fn assertion(&self, tenant: TenantId, lsn: Lsn) -> Result<Option<Assertion>> {
        self.record(tenant, lsn)?.body().map(Assertion::from_body).transpose()
    }

    /// Visits the records from `from` on, in order.
    ///
    /// # Errors
    /// `Corrupt` at a gap; see [`View::node`], and whatever the visitor returns.
    pub fn records(
        &self,
        tenant: TenantId,
        from: Lsn,
        visit: &mut dyn FnMut(Record) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let tenant_key = Key::of(tenant);
        let start = self.last_at(Table::Log, tenant_key.bytes(), tenant_key.clone().and(&from).bytes())?;
        let start = start.map_or_else(|| tenant_key.bytes().to_vec(), |(key, _)| key);
        let mut expected = from.max(Lsn::FIRST);
        let mut stopped = false;
        self.scan(Table::Log, &start, tenant_key.end().as_deref(), &mut |key, value| {
            let row = Row::parse(value)?;
            let first = key_u64(key, 4);
            let skip = expected.0.checked_sub(first).ok_or_else(|| gap(expected, first))? as usize;
            for place in skip..row.len() {
                let record = row.record(place)?;
                if record.lsn != expected {
                    return Err(gap(expected, record.lsn.0));
                }
                expected = expected.next();
                if visit(record)?.is_break() {
                    stopped = true;
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        // A log that lost its last row looks shorter, not damaged; only the head knows.
        if !stopped && expected <= self.head(tenant)?.head() {
            return Err(self.no_record(tenant, expected));
        }
        Ok(())
    }

    fn no_record(&self, tenant: TenantId, lsn: Lsn) -> Error {
        match self.head(tenant).map(|row| row.head()) {
            Ok(head) if (Lsn::FIRST..=head).contains(&lsn) => Error::Corrupt {
                what: "log",
                detail: format!("no record at {lsn}, though the log ends at {head}"),
            },
            Ok(head) => Error::BeyondHead { lsn, head },
            Err(error) => error,
        }
    }
}

fn gap(expected: Lsn, found: u64) -> Error {
    Error::Corrupt { what: "log", detail: format!("expected record {expected}, found {found}") }
}
