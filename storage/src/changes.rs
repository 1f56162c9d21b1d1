//! Which rows each commit changed: what an incremental backup is made of.
//!
//! Nobody pays for it before the first backup: [`crate::commands::NoteChanges`] turns it on. From then on every commit also
//! writes the keys of the rows that it changed. They are bounded: when there are more than [`CHANGES_BYTES_MAX`], the oldest go,
//! and who asks for an increment from before that is told that there is none.
//!
//! No key here names a thing, so that one that is erased is not named by what was noted before. The keys of `names` are
//! noted as the things that have them: which those are is looked up when an increment is made, and that a name is gone
//! follows from its thing being gone ([`crate::backup::Gone`]). Keys of other tables are numbers, digests and names that stay.
//!
//! ```text
//! row      commit u64, part u32 -> sections
//! section  table u8, length u32 of what follows, then the keys in order (`packed.rs`); of `names`: tenant, thing
//! ```

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::error::{Error, Result};
use crate::ids::CommitNo;
use crate::packed::{push_key, take_key};
use crate::record::ROW_BYTES_MAX;
use crate::rows::{NodeRow, ThingRow, decode};
use crate::tables::{Key, Table, key_u64};
use crate::tx::{Changes, Overlay, Read, Tx};
use crate::view::View;

/// Most bytes of noted keys.
pub const CHANGES_BYTES_MAX: u64 = 128 << 20;
/// Most bytes of keys that are put in order at a time.
const SORTED_BYTES_MAX: usize = 8 << 20;
/// The tenant at the beginning of a key.
const TENANT_BYTES: usize = 4;
const SECTION_HEAD_BYTES: usize = 5;

/// Adds what a commit changed to the changes noted, and drops the oldest if they are too many.
pub(crate) fn note(tx: &mut Overlay<'_>, node: &mut NodeRow) -> Result<()> {
    note_within(tx, node, CHANGES_BYTES_MAX)
}

fn note_within(tx: &mut Overlay<'_>, node: &mut NodeRow, bytes_max: u64) -> Result<()> {
    for (part, row) in (0..).zip(pack(tx.changes())) {
        let key = key(CommitNo(node.commit), part);
        node.changes_bytes += (key.bytes().len() + row.len()) as u64;
        tx.put(Table::Changed, key.bytes(), row);
    }
    drop_oldest(tx, node, bytes_max)
}

fn drop_oldest(tx: &mut Overlay<'_>, node: &mut NodeRow, bytes_max: u64) -> Result<()> {
    if node.changes_bytes <= bytes_max {
        return Ok(());
    }
    let mut old = Vec::new();
    tx.scan(Table::Changed, &[], None, &mut |key, row| {
        node.changes_bytes = node.changes_bytes.saturating_sub((key.len() + row.len()) as u64);
        node.changes_from = node.changes_from.max(key_u64(key, 0) + 1);
        old.push(key.to_vec());
        let enough = node.changes_bytes <= bytes_max;
        Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    old.iter().for_each(|key| tx.delete(Table::Changed, key));
    Ok(())
}

/// Drops everything that was noted. An epoch begins with that, and so does a store whose keys an earlier program noted by name.
pub(crate) fn forget(tx: &mut Overlay<'_>) -> Result<()> {
    let mut noted = Vec::new();
    tx.scan(Table::Changed, &[], None, &mut |key, _| {
        noted.push(key.to_vec());
        Ok(ControlFlow::Continue(()))
    })?;
    noted.iter().for_each(|key| tx.delete(Table::Changed, key));
    Ok(())
}

/// Whether the changes of a table are noted: those of the node's own row happen with every commit.
fn is_noted(table: Table) -> bool {
    !matches!(table, Table::Node | Table::Changed)
}

fn pack(changes: &[Changes]) -> Vec<Vec<u8>> {
    let mut parts = Parts::default();
    for (table, changes) in Table::ALL.iter().zip(changes).filter(|(table, _)| is_noted(**table)) {
        match table {
            Table::Names => named(changes).iter().for_each(|thing| parts.push(*table, thing)),
            _ => changes.keys().for_each(|key| parts.push(*table, key)),
        }
        parts.end_section(*table);
    }
    parts.end()
}

/// The things that were given a name, each behind its tenant.
fn named(changes: &Changes) -> BTreeSet<Vec<u8>> {
    let thing = |(key, thing): (&Vec<u8>, &Option<Vec<u8>>)| {
        Some([key.get(..TENANT_BYTES)?, thing.as_deref()?].concat())
    };
    changes.iter().filter_map(thing).collect()
}

/// Parts under construction.
#[derive(Default)]
struct Parts {
    done: Vec<Vec<u8>>,
    part: Vec<u8>,
    section: Vec<u8>,
    last: Vec<u8>,
}

impl Parts {
    fn push(&mut self, table: Table, key: &[u8]) {
        let most =
            self.part.len() + SECTION_HEAD_BYTES + self.section.len() + key.len() + 2 * SECTION_HEAD_BYTES;
        if most > ROW_BYTES_MAX {
            self.end_section(table);
            self.end_part();
        }
        push_key(&mut self.section, &mut self.last, key);
    }

    fn end_section(&mut self, table: Table) {
        self.last.clear();
        if self.section.is_empty() {
            return;
        }
        let length = u32::try_from(self.section.len()).expect("a section is part of a row");
        self.part.push(table as u8);
        self.part.extend_from_slice(&length.to_be_bytes());
        self.part.append(&mut self.section);
    }

    fn end_part(&mut self) {
        if !self.part.is_empty() {
            self.done.push(std::mem::take(&mut self.part));
        }
    }

    fn end(mut self) -> Vec<Vec<u8>> {
        self.end_part();
        self.done
    }
}

/// Visits the sections of a part.
fn sections(mut part: &[u8], visit: &mut dyn FnMut(Table, &[u8]) -> Result<()>) -> Result<()> {
    while let Some((table, rest)) = part.split_first() {
        let table = Table::ALL.get(usize::from(*table)).ok_or_else(|| damaged("a table that is none"))?;
        let (length, rest) = rest.split_first_chunk().ok_or_else(|| damaged("no length"))?;
        let length = u32::from_be_bytes(*length) as usize;
        let (section, rest) = rest.split_at_checked(length).ok_or_else(|| damaged("cut short"))?;
        visit(*table, section)?;
        part = rest;
    }
    Ok(())
}

impl View {
    /// Whether it is noted what every commit after `since` has changed.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn notes_changes_since(&self, since: CommitNo) -> Result<bool> {
        let node = self.node()?;
        Ok(node.changes_from != 0 && node.changes_from <= since.0 + 1 && since.0 <= node.commit)
    }

    /// Visits the keys of the rows that changed after a commit, each once, table by table and in order.
    ///
    /// # Errors
    /// `Corrupt` if something is missing of what was noted; see [`View::node`], and whatever the visitor returns.
    pub(crate) fn changed_keys(
        &self,
        since: CommitNo,
        visit: &mut dyn FnMut(Table, &[u8]) -> Result<()>,
    ) -> Result<()> {
        for table in self.changed_tables(since)? {
            self.changed_keys_of(table, since, &mut |key| visit(table, key))?;
        }
        Ok(())
    }

    /// The same, of one table.
    ///
    /// # Errors
    /// As for reading the view, and whatever the visitor returns.
    pub fn changed_keys_of(
        &self,
        table: Table,
        since: CommitNo,
        visit: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut after = None;
        loop {
            let (keys, is_cut) = self.next_changed(table, since, after.as_deref())?;
            keys.iter().try_for_each(|key| visit(key))?;
            if !is_cut {
                return Ok(());
            }
            after = keys.into_iter().next_back();
        }
    }

    /// The tables that changed; and that nothing of what was noted is missing.
    fn changed_tables(&self, since: CommitNo) -> Result<BTreeSet<Table>> {
        let (mut tables, mut bytes) = (BTreeSet::new(), 0);
        self.scan(Table::Changed, &[], None, &mut |key, part| {
            bytes += (key.len() + part.len()) as u64;
            if key_u64(key, 0) > since.0 {
                sections(part, &mut |table, _| {
                    tables.insert(table);
                    Ok(())
                })?;
            }
            Ok(ControlFlow::Continue(()))
        })?;
        match bytes == self.node()?.changes_bytes {
            true => Ok(tables),
            false => Err(damaged("rows are missing")),
        }
    }

    /// The first changed keys of a table, behind `after`; and whether there are more.
    fn next_changed(
        &self,
        table: Table,
        since: CommitNo,
        after: Option<&[u8]>,
    ) -> Result<(BTreeSet<Vec<u8>>, bool)> {
        let mut first = First { keys: BTreeSet::new(), bytes: 0, bytes_max: SORTED_BYTES_MAX, is_cut: false };
        let from = key(CommitNo(since.0 + 1), 0);
        self.scan(Table::Changed, from.bytes(), None, &mut |_, part| {
            sections(part, &mut |of, mut section| {
                let mut noted = Vec::new();
                while of == table && !section.is_empty() {
                    take_key(&mut section, &mut noted)?;
                    if let Some(key) = self.key_noted(table, &noted)?
                        && after.is_none_or(|after| *key > *after)
                    {
                        first.offer(&key);
                    }
                }
                Ok(())
            })?;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok((first.keys, first.is_cut))
    }

    /// The key of the row that was noted; `None` of the name of a thing that is gone.
    fn key_noted<'k>(&self, table: Table, noted: &'k [u8]) -> Result<Option<Cow<'k, [u8]>>> {
        if table != Table::Names {
            return Ok(Some(noted.into()));
        }
        let Some(row) = self.get(Table::Things, noted)? else { return Ok(None) };
        let (row, tenant): (ThingRow, _) = (decode(&row, "thing row")?, noted.get(..TENANT_BYTES));
        Ok(tenant.map(|tenant| [tenant, row.id.as_bytes()].concat().into()))
    }
}

/// The first of many keys, as many as there is room for.
struct First {
    keys: BTreeSet<Vec<u8>>,
    bytes: usize,
    bytes_max: usize,
    is_cut: bool,
}

impl First {
    fn offer(&mut self, key: &[u8]) {
        let is_behind = self.is_cut && self.keys.last().is_some_and(|last| key > last.as_slice());
        if is_behind || self.keys.contains(key) {
            return;
        }
        self.bytes += key.len();
        self.keys.insert(key.to_vec());
        while self.bytes > self.bytes_max && self.keys.len() > 1 {
            self.bytes -= self.keys.pop_last().map_or(0, |last| last.len());
            self.is_cut = true;
        }
    }
}

/// The row of a part of a commit's changes.
fn key(commit: CommitNo, part: u32) -> Key {
    Key::default().and(&commit.0).and(&part)
}

/// Reads every key that is noted; how many bytes they are.
pub(crate) fn noted_bytes(view: &View) -> Result<u64> {
    let mut bytes = 0;
    view.scan(Table::Changed, &[], None, &mut |key, part| {
        bytes += (key.len() + part.len()) as u64;
        sections(part, &mut |_, mut section| {
            let mut key = Vec::new();
            while !section.is_empty() {
                take_key(&mut section, &mut key)?;
            }
            Ok(())
        })?;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(bytes)
}

fn damaged(how: &str) -> Error {
    Error::Corrupt { what: "changes noted", detail: how.to_owned() }
}

#[cfg(test)]
mod tests;
