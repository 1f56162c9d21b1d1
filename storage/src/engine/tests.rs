//! Whatever is in the journal alone, and whatever in the database: a reader sees the tables as if they were in one place.

use std::ops::ControlFlow;

use proptest::prelude::*;

use super::*;

/// A table of which rows past the end are written in another way, and one of which they are not.
const TABLES: [Table; 2] = [Table::Things, Table::Names];
/// More than one node of a set holds.
const KEYS: u8 = 100;
const LARGE_BYTES: usize = 5 << 20;

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<(Table, u8, Option<u8>)>),
    /// The same, with so much beside it that it is none for the journal.
    CommitLarge(Vec<(Table, u8, Option<u8>)>),
    /// So many of the first keys are removed.
    Empty(Table, u8),
    TakeIn,
    Settle,
    Reopen,
    /// It goes on with the files as they are, as after the end of the process.
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let change = (prop::sample::select(TABLES.as_slice()), 0..KEYS, prop::option::weighted(0.6, any::<u8>()));
    let changes = prop::collection::vec(change, 1..40);
    prop_oneof![
        12 => changes.clone().prop_map(Step::Commit),
        1 => changes.prop_map(Step::CommitLarge),
        2 => (prop::sample::select(TABLES.as_slice()), 0..KEYS).prop_map(|(table, upto)| Step::Empty(table, upto)),
        3 => Just(Step::TakeIn),
        2 => Just(Step::Settle),
        1 => Just(Step::Reopen),
        2 => Just(Step::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn readers_do_not_see_where_a_row_is(steps in prop::collection::vec(step(), 1..24)) {
        let place = tempfile::tempdir().expect("a directory");
        let path = |number: usize| place.path().join(format!("{number}.redb"));
        let (mut at, mut engine, mut memory) = (0, Some(opened(path(0))), Memory::default());
        for step in steps {
            let mut changes = by_table(&step);
            memory.apply(changes.clone());
            match step {
                Step::Commit(_) | Step::Empty(..) => open(&engine).commit(changes).expect("commits"),
                Step::CommitLarge(_) => {
                    changes[Table::Log as usize].insert(key(0), Some(vec![0; LARGE_BYTES]));
                    open(&engine).commit(changes).expect("commits");
                }
                Step::TakeIn => open(&engine).take_in().expect("takes it in"),
                Step::Settle => open(&engine).settle().expect("settles"),
                Step::Reopen => {
                    engine = None;
                    engine.get_or_insert_with(|| opened(path(at)));
                }
                Step::Crash => {
                    let left = path(at);
                    at += 1;
                    fs::copy(&left, path(at)).expect("copied");
                    fs::copy(journal_of(&left), journal_of(&path(at))).expect("copied");
                    engine = Some(opened(path(at)));
                }
            }
            let snapshot = open(&engine).snapshot().expect("readable");
            TABLES.iter().for_each(|table| assert_same(&snapshot, &memory, *table));
        }
    }
}

fn opened(path: PathBuf) -> Engine {
    Engine::open(&EngineOptions::File { path, cache_bytes_max: 1 << 20, checked_bytes_max: 0 })
        .expect("opens")
}

fn open(engine: &Option<Engine>) -> &Engine {
    engine.as_ref().expect("open")
}

fn key(place: u8) -> Vec<u8> {
    vec![7, place]
}

fn by_table(step: &Step) -> Vec<Changes> {
    let mut changes = vec![Changes::new(); Table::ALL.len()];
    match step {
        Step::Commit(changed) | Step::CommitLarge(changed) => {
            for (table, place, value) in changed {
                changes[*table as usize].insert(key(*place), value.map(|value| vec![value; 3]));
            }
        }
        Step::Empty(table, upto) => {
            changes[*table as usize].extend((0..*upto).map(|place| (key(place), None)))
        }
        Step::TakeIn | Step::Settle | Step::Reopen | Step::Crash => {}
    }
    changes
}

fn assert_same(snapshot: &Snapshot, memory: &Memory, table: Table) {
    for place in 0..KEYS {
        assert_eq!(snapshot.get(table, &key(place)), memory.get(table, &key(place)));
    }
    for from in (0..KEYS).step_by(13) {
        assert_eq!(rows(snapshot, table, &key(from), None), rows(memory, table, &key(from), None));
        assert_eq!(first(snapshot, table, &key(from)), first(memory, table, &key(from)));
        for to in (from..=KEYS).step_by(7) {
            let (from, to) = (key(from), key(to));
            assert_eq!(rows(snapshot, table, &from, Some(&to)), rows(memory, table, &from, Some(&to)));
            assert_eq!(snapshot.last_at(table, &from, &to), memory.last_at(table, &from, &to));
        }
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
