//! Whatever is in the journal alone, and whatever in the database: a reader sees the tables as if they were in one place.

use std::ops::ControlFlow;

use proptest::prelude::*;

use super::*;

/// A table of which rows past the end are written in another way, and one of which they are not.
const TABLES: [Table; 2] = [Table::Things, Table::Names];
const KEYS: u8 = 12;
const LARGE_BYTES: usize = 5 << 20;

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<(Table, u8, Option<u8>)>),
    /// The same, with so much beside it that it is none for the journal.
    CommitLarge(Vec<(Table, u8, Option<u8>)>),
    Settle,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let change = (prop::sample::select(TABLES.as_slice()), 0..KEYS, prop::option::weighted(0.6, any::<u8>()));
    let changes = prop::collection::vec(change, 1..6);
    prop_oneof![
        12 => changes.clone().prop_map(Step::Commit),
        1 => changes.prop_map(Step::CommitLarge),
        3 => Just(Step::Settle),
        2 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn readers_do_not_see_where_a_row_is(steps in prop::collection::vec(step(), 1..24)) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("rows.redb");
        let options = EngineOptions::File { path, cache_bytes_max: 1 << 20, checked_bytes_max: 0 };
        let (mut engine, mut memory) = (Some(opened(&options)), Memory::default());
        for step in steps {
            match step {
                Step::Commit(changes) => {
                    let changes = by_table(changes);
                    memory.apply(changes.clone());
                    engine.as_ref().expect("open").commit(changes).expect("commits");
                }
                Step::CommitLarge(changes) => {
                    let mut changes = by_table(changes);
                    memory.apply(changes.clone());
                    changes[Table::Log as usize].insert(key(0), Some(vec![0; LARGE_BYTES]));
                    engine.as_ref().expect("open").commit(changes).expect("commits");
                }
                Step::Settle => engine.as_ref().expect("open").settle().expect("settles"),
                Step::Reopen => {
                    engine = None;
                    engine.get_or_insert_with(|| opened(&options));
                }
            }
            let snapshot = engine.as_ref().expect("open").snapshot().expect("readable");
            TABLES.iter().for_each(|table| assert_same(&snapshot, &memory, *table));
        }
    }
}

fn opened(options: &EngineOptions) -> Engine {
    Engine::open(options).expect("opens")
}

fn key(place: u8) -> Vec<u8> {
    vec![7, place]
}

fn by_table(changed: Vec<(Table, u8, Option<u8>)>) -> Vec<Changes> {
    let mut changes = vec![Changes::new(); Table::ALL.len()];
    for (table, place, value) in changed {
        changes[table as usize].insert(key(place), value.map(|value| vec![value; 3]));
    }
    changes
}

fn assert_same(snapshot: &Snapshot, memory: &Memory, table: Table) {
    for from in 0..KEYS {
        assert_eq!(snapshot.get(table, &key(from)), memory.get(table, &key(from)));
        for to in from..=KEYS {
            let (from, to) = (key(from), key(to));
            assert_eq!(rows(snapshot, table, &from, Some(&to)), rows(memory, table, &from, Some(&to)));
            assert_eq!(snapshot.last_at(table, &from, &to), memory.last_at(table, &from, &to));
        }
        assert_eq!(rows(snapshot, table, &key(from), None), rows(memory, table, &key(from), None));
        assert_eq!(first(snapshot, table, &key(from)), first(memory, table, &key(from)));
    }
}

fn rows(read: &dyn Read, table: Table, from: &[u8], to: Option<&[u8]>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    let visit: Visit<'_> = &mut |key, value| {
        rows.push((key.to_vec(), value.to_vec()));
        Ok(ControlFlow::Continue(()))
    };
    read.scan(table, from, to, visit).expect("readable");
    rows
}

/// The first row of a scan that ends with it.
fn first(read: &dyn Read, table: Table, from: &[u8]) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let visit: Visit<'_> = &mut |key, _| {
        keys.push(key.to_vec());
        Ok(ControlFlow::Break(()))
    };
    read.scan(table, from, None, visit).expect("readable");
    keys
}
