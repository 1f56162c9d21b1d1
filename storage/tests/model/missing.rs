//! A row that goes missing is noticed: on opening, or by verification.

use std::path::Path;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use redb::{Database, ReadableTable, TableDefinition};
use storage::commands::{Command, Redact};
use storage::ids::{ActorId, TenantId};
use storage::model::Selection;
use storage::tables::Table;
use storage::{Directory, Error, Stamp, Store};

use crate::orders::batches;
use crate::reference::Model;
use crate::{Batch, NODE_ID, view};

/// Rows tried in each table.
const ROWS_MAX: usize = 12;

#[test]
fn verification_misses_no_row_that_is_missing() {
    let directory = tempfile::tempdir().expect("a directory");
    fill(directory.path());
    let database = directory.path().join("store.redb");
    for table in Table::ALL {
        let rows = rows(&database, *table);
        assert!(!rows.is_empty(), "the workload uses {table:?}");
        let step = rows.len().div_ceil(ROWS_MAX);
        for (key, value) in rows.iter().step_by(step) {
            put(&database, *table, key, None);
            assert!(is_noticed(directory.path()), "{table:?} {key:?}");
            put(&database, *table, key, Some(value));
        }
    }
    assert!(!is_noticed(directory.path()), "every row was put back");
}

/// Enough of a random life that no table is empty.
fn fill(directory: &Path) {
    let held = Directory::hold(directory).expect("free");
    let store = held.open_store(1 << 20, NODE_ID.to_owned()).expect("opens");
    let tree = batches(250..=250).new_tree(&mut TestRunner::deterministic());
    let (mut model, mut time_us) = (Model::default(), 1_700_000_000_000_000);
    for orders in tree.expect("the strategies reject nothing").current() {
        time_us += 1_000_000;
        Batch::carry_out(&mut model, &orders, time_us).write(&store);
    }
    leave_one_going_on(&store, &model, time_us);
}

/// The workload ends every redaction that it begins.
fn leave_one_going_on(store: &Store, model: &Model, time_us: i64) {
    let mut redactions = (1..).zip(&model.tenants).flat_map(|(number, tenant)| {
        tenant.things.keys().map(move |id| {
            let (tenant, selection) = (TenantId(number), Selection::Thing(id.clone()));
            Command::Redact(Redact { tenant, actor: ActorId(1), selection, reason: "a test".to_owned() })
        })
    });
    let begins = |command| {
        let stamp = Stamp { time_us, seed: [7; 32] };
        store.write(&[command], stamp).expect("commits").answers.remove(0).is_ok()
    };
    assert!(redactions.any(begins), "something is not held");
}

fn is_noticed(directory: &Path) -> bool {
    let held = Directory::hold(directory).expect("free");
    match held.open_store(1 << 20, NODE_ID.to_owned()) {
        Err(Error::Corrupt { .. }) => true,
        Err(error) => panic!("{error}"),
        Ok(store) => {
            let report = view(&store).verify(&mut |_| ()).expect("readable");
            !report.problems.is_empty()
        }
    }
}

fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}

fn rows(database: &Path, table: Table) -> Vec<(Vec<u8>, Vec<u8>)> {
    let write = Database::open(database).expect("opens").begin_write().expect("writes");
    let rows = write.open_table(definition(table)).expect("opens");
    let rows = rows.iter().expect("readable").map(|row| {
        let (key, value) = row.expect("readable");
        (key.value().to_vec(), value.value().to_vec())
    });
    rows.collect()
}

fn put(database: &Path, table: Table, key: &[u8], value: Option<&[u8]>) {
    let database = Database::open(database).expect("opens");
    let write = database.begin_write().expect("writes");
    {
        let mut rows = write.open_table(definition(table)).expect("opens");
        match value {
            Some(value) => rows.insert(key, value),
            None => rows.remove(key),
        }
        .expect("changes");
    }
    write.commit().expect("commits");
}
