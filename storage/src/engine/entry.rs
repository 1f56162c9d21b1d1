//! What a commit changed, as bytes: for each table that it touched its number, and its rows in order.

use crate::tables::Table;
use crate::tx::Changes;

/// A commit that changes more goes to the database at once: in the journal it would only be written twice.
const BYTES_MAX: usize = 4 << 20;

/// What a row is before its length: there, or removed.
const REMOVED: u8 = 0;
const PUT: u8 = 1;

/// The changes as bytes, in place of what `entry` held; false if they are too many for an entry.
pub(super) fn encode(changes: &[Changes], entry: &mut Vec<u8>) -> bool {
    entry.clear();
    let rows = changes.iter().flatten();
    let bytes: usize = rows.map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum();
    if bytes > BYTES_MAX {
        return false;
    }
    let touched = changes.iter().enumerate().filter(|(_, changes)| !changes.is_empty());
    put_number(entry, touched.clone().count());
    for (table, changes) in touched {
        put_number(entry, table);
        put_number(entry, changes.len());
        for (key, value) in changes {
            put_bytes(entry, key);
            entry.push(if value.is_some() { PUT } else { REMOVED });
            if let Some(value) = value {
                put_bytes(entry, value);
            }
        }
    }
    true
}

/// The changes again; zeros may follow them.
pub(super) fn decode(mut entry: &[u8]) -> Option<Vec<Changes>> {
    let mut changes = vec![Changes::new(); Table::ALL.len()];
    for _ in 0..number(&mut entry)? {
        let table = changes.get_mut(number(&mut entry)?)?;
        for _ in 0..number(&mut entry)? {
            let key = bytes(&mut entry)?;
            let value = match take(&mut entry, 1)? {
                [PUT] => Some(bytes(&mut entry)?),
                [REMOVED] => None,
                _ => return None,
            };
            table.insert(key, value);
        }
    }
    Some(changes)
}

fn put_number(entry: &mut Vec<u8>, number: usize) {
    entry.extend_from_slice(&(number as u32).to_le_bytes());
}

fn put_bytes(entry: &mut Vec<u8>, bytes: &[u8]) {
    put_number(entry, bytes.len());
    entry.extend_from_slice(bytes);
}

fn number(entry: &mut &[u8]) -> Option<usize> {
    Some(u32::from_le_bytes(take(entry, 4)?.try_into().ok()?) as usize)
}

fn bytes(entry: &mut &[u8]) -> Option<Vec<u8>> {
    let length = number(entry)?;
    take(entry, length).map(<[u8]>::to_vec)
}

fn take<'e>(entry: &mut &'e [u8], length: usize) -> Option<&'e [u8]> {
    let (taken, rest) = entry.split_at_checked(length)?;
    *entry = rest;
    Some(taken)
}
