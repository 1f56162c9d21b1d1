//! Taking bodies out of the log, and what a redaction leaves of a name: a hash under a key of the node, by which it is
//! known when it comes again.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::batch::Batch;
use crate::commands::may_go;
use crate::error::{Error, Result};
use crate::ids::{Lsn, TenantId};
use crate::record::Row;
use crate::tables::{Key, Table, key_u64};
use crate::tx::{Read, Tx};

/// The key of those hashes. Without it nobody can try out names, which are few and easily guessed.
#[derive(Clone, Default)]
pub struct ErasureKey([u8; 32]);

/// What was taken out of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Erased {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

impl Erased {
    pub(crate) fn add(&mut self, more: Erased) {
        self.records += more.records;
        self.bytes += more.bytes;
    }
}

impl std::fmt::Debug for ErasureKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ErasureKey")
    }
}

impl ErasureKey {
    /// The key that is derived from a secret of the node: good for nothing else, and not to be had from what the
    /// secret signs.
    #[must_use]
    pub fn of(secret: &[u8; 32]) -> ErasureKey {
        ErasureKey(
            Sha256::new().chain_update(b"intelgraph erasure v1\n").chain_update(secret).finalize().into(),
        )
    }

    /// The hash of the id of a thing of a tenant. Names, not numbers: a number may be another's after a restore.
    pub(crate) fn thing(&self, tenant: &str, id: &str) -> [u8; 32] {
        self.hash(tenant, b'i', id)
    }

    /// The hash of a source.
    pub(crate) fn source(&self, tenant: &str, source: &str) -> [u8; 32] {
        self.hash(tenant, b's', source)
    }

    fn hash(&self, tenant: &str, of: u8, name: &str) -> [u8; 32] {
        let inner = Sha256::new()
            .chain_update(self.0)
            .chain_update((tenant.len() as u64).to_be_bytes())
            .chain_update(tenant)
            .chain_update([of])
            .chain_update(name)
            .finalize();
        // Once more around it: what one hash gives away of another cannot be used.
        Sha256::new().chain_update(self.0).chain_update(inner).finalize().into()
    }
}

impl Batch<'_> {
    /// What the id of a thing is known by when it is redacted.
    pub(crate) fn hash_of_thing(&mut self, tenant: TenantId, id: &str) -> Result<[u8; 32]> {
        let tenant = self.counters(tenant)?.name.clone();
        Ok(self.key.thing(&tenant, id))
    }

    /// The same for many of one tenant.
    pub(crate) fn hashes_of_things(&mut self, tenant: TenantId) -> Result<impl Fn(&str) -> [u8; 32] + use<>> {
        let (tenant, key) = (self.counters(tenant)?.name.clone(), self.key.clone());
        Ok(move |id: &str| key.thing(&tenant, id))
    }

    /// What a source is known by when it is redacted.
    pub(crate) fn hash_of_source(&mut self, tenant: TenantId, source: &str) -> Result<[u8; 32]> {
        let tenant = self.counters(tenant)?.name.clone();
        Ok(self.key.source(&tenant, source))
    }

    /// Takes bodies and salts out of the log; header and digest of each record stay.
    ///
    /// # Errors
    /// `Corrupt` if there is no such record.
    pub(crate) fn erase(&mut self, tenant: TenantId, lsns: &BTreeSet<Lsn>) -> Result<Erased> {
        self.close_row(tenant)?;
        let mut all = Erased::default();
        let mut rest = lsns.iter().copied().peekable();
        while let Some(lsn) = rest.next() {
            let found =
                self.last_at(Table::Log, Key::of(tenant).bytes(), Key::of(tenant).and(&lsn).bytes())?;
            let missing = || Error::Corrupt { what: "log", detail: format!("no record at {lsn}") };
            let (key, bytes) = found.ok_or_else(missing)?;
            let (row, first) = (Row::parse(&bytes)?, key_u64(&key, 4));
            let end = first + row.len() as u64;
            if lsn.0 >= end {
                return Err(missing());
            }
            let mut places = BTreeSet::from([(lsn.0 - first) as usize]);
            while let Some(next) = rest.next_if(|next| next.0 < end) {
                places.insert((next.0 - first) as usize);
            }
            if let Some(without) = row.without(&places)? {
                for place in &places {
                    if may_go(row.kind(*place)?) {
                        self.delete(Table::Loose, Key::of(tenant).and(&Lsn(first + *place as u64)).bytes());
                    }
                }
                all.add(without.erased);
                self.put(Table::Log, &key, without.row);
            }
        }
        self.counters(tenant)?.erased += all.records;
        Ok(all)
    }
}
