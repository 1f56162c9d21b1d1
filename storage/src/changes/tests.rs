use prost::Message;

use super::*;
use crate::tx::Memory;

fn commit(base: &Memory, node: &mut NodeRow, keys: &[(Table, Vec<u8>)], bytes_max: u64) -> Vec<Changes> {
    let mut tx = Overlay::new(base);
    for (table, key) in keys {
        tx.put(*table, key, b"value".to_vec());
    }
    node.commit += 1;
    note_within(&mut tx, node, bytes_max).unwrap();
    tx.put(Table::Node, &[], node.encode_to_vec());
    tx.into_changes()
}

fn symbols(from: usize, count: usize) -> Vec<(Table, Vec<u8>)> {
    (from..from + count).map(|n| (Table::Symbols, format!("\0\0\0\x01thing-{n:08}").into_bytes())).collect()
}

fn noted_rows(memory: &Memory) -> Vec<(u64, usize)> {
    let mut rows = Vec::new();
    memory
        .scan(Table::Changed, &[], None, &mut |key, row| {
            rows.push((key_u64(key, 0), key.len() + row.len()));
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    rows
}

#[test]
fn many_keys_are_several_rows_and_all_of_them_come_back() {
    let (mut memory, mut node) = (Memory::default(), NodeRow { changes_from: 1, ..NodeRow::default() });
    let mut keys = symbols(0, 30_000);
    keys.push((Table::Things, vec![9; 12]));
    let changes = commit(&memory, &mut node, &keys, u64::MAX);
    memory.apply(changes);
    let rows = noted_rows(&memory);
    assert!(rows.len() > 1 && rows.iter().all(|(_, bytes)| *bytes <= ROW_BYTES_MAX + 12), "{rows:?}");
    assert_eq!(rows.iter().map(|(_, bytes)| *bytes as u64).sum::<u64>(), node.changes_bytes);
    let mut back = Vec::new();
    memory
        .scan(Table::Changed, &[], None, &mut |_, part| {
            sections(part, &mut |table, mut section| {
                let mut key = Vec::new();
                while !section.is_empty() {
                    take_key(&mut section, &mut key)?;
                    back.push((table, key.clone()));
                }
                Ok(())
            })?;
            Ok(ControlFlow::Continue(()))
        })
        .unwrap();
    keys.sort();
    back.sort();
    assert_eq!(back, keys);
}

#[test]
fn the_oldest_go_when_there_are_too_many_and_it_is_known_from_where_they_are_whole() {
    let (mut memory, mut node) = (Memory::default(), NodeRow { changes_from: 1, ..NodeRow::default() });
    for round in 0..50 {
        let changes = commit(&memory, &mut node, &symbols(round * 100, 100), 5_000);
        memory.apply(changes);
        let rows = noted_rows(&memory);
        assert_eq!(rows.iter().map(|(_, bytes)| *bytes as u64).sum::<u64>(), node.changes_bytes);
        assert!(node.changes_bytes <= 5_000);
        let commits: Vec<u64> = rows.iter().map(|(commit, _)| *commit).collect();
        assert_eq!(commits, (node.changes_from..=node.commit).collect::<Vec<_>>());
    }
    assert!(node.changes_from > 1, "nothing went: the test shows nothing");
}

#[test]
fn the_first_keys_are_found_whatever_their_order() {
    let mut first = First { keys: BTreeSet::new(), bytes: 0, bytes_max: 40, is_cut: false };
    for n in [7u8, 3, 9, 1, 8, 3, 2, 9, 6, 0, 5, 4] {
        first.offer(&[n; 10]);
    }
    assert!(first.is_cut);
    assert_eq!(first.keys.into_iter().map(|key| key[0]).collect::<Vec<_>>(), [0, 1, 2, 3]);
}
