//! Databases that are made of rows in order: restored, and written anew.

#[allow(dead_code, reason = "several tests build on it, and none needs all of it")]
mod world;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use storage::tables::Table;
use storage::tx::Read;
use storage::{Directory, Error, Restoring, View};
use world::{World, entity};

fn rows(view: &View) -> Vec<(Table, Vec<u8>, Vec<u8>)> {
    let mut rows = Vec::new();
    for table in Table::ALL {
        view.scan(*table, &[], None, &mut |key, value| {
            rows.push((*table, key.to_vec(), value.to_vec()));
            Ok(ControlFlow::Continue(()))
        })
        .expect("readable");
    }
    rows
}

/// A node that said much and took half of it back.
fn live(path: &Path) -> Vec<(Table, Vec<u8>, Vec<u8>)> {
    let mut world = World::on_disk(path);
    for n in 0..300 {
        world.say(entity(&format!("thing-{n}"), "tool", &format!("first-name-{n}")));
    }
    for n in 0..150 {
        world.say(entity(&format!("thing-{n}"), "tool", &format!("second-name-{n}")));
    }
    world.check();
    rows(&world.view())
}

fn pour(restoring: &Restoring, rows: &[(Table, Vec<u8>, Vec<u8>)]) -> storage::Result<()> {
    restoring
        .fill(1 << 20, &mut |push| rows.iter().try_for_each(|(table, key, value)| push(*table, key, value)))
}

#[test]
fn what_is_compacted_holds_the_same_rows() {
    let place = tempfile::tempdir().expect("tempdir");
    let before = live(place.path());
    let directory = Directory::hold(place.path()).expect("free");
    // What a copy that was cut off has left behind.
    fs::write(place.path().join("store.new"), "left over").expect("writes");
    let mut told = 0;
    let compacted = directory.compact(1 << 20, &mut |bytes| told = told.max(bytes)).expect("compacts");
    assert_eq!(compacted.report.problems, Vec::<String>::new());
    assert!(compacted.bytes_after < compacted.bytes_before, "{compacted:?}");
    assert!(told > 0 && !place.path().join("store.new").exists());
    drop(directory);
    let world =
        Directory::hold(place.path()).expect("free").open_store(1 << 20, String::new()).expect("opens");
    assert_eq!(rows(&world.view().expect("open")), before);
}

#[test]
fn a_damaged_database_is_not_compacted() {
    let place = tempfile::tempdir().expect("tempdir");
    let rows = live(place.path());
    drop(rows);
    let path = place.path().join("store.redb");
    {
        let database = redb::Database::open(&path).expect("opens");
        let write = database.begin_write().expect("writes");
        let table = redb::TableDefinition::<&[u8], &[u8]>::new(Table::Names.name());
        write.open_table(table).expect("opens").pop_first().expect("readable").expect("a row");
        write.commit().expect("commits");
    }
    let bytes = fs::read(&path).expect("a file").len();
    let compacted =
        Directory::hold(place.path()).expect("free").compact(1 << 20, &mut |_| ()).expect("reads");
    assert!(!compacted.report.problems.is_empty());
    assert_eq!(
        (fs::read(&path).expect("still there").len(), place.path().join("store.new").exists()),
        (bytes, false)
    );
}

#[test]
fn a_restore_is_in_place_whole_or_not_at_all() {
    let (place, to) = (tempfile::tempdir().expect("tempdir"), tempfile::tempdir().expect("tempdir"));
    let wanted = live(place.path());
    // Cut off before it was put in place: no node starts there, and it may begin again.
    let restoring = Restoring::begin(to.path(), 0).expect("empty");
    let second = Restoring::begin(to.path(), 0);
    assert!(matches!(second, Err(Error::InUse { .. })), "one at a time");
    pour(&restoring, &wanted[..wanted.len() / 2]).expect("fills");
    drop(restoring);
    let refused = Directory::hold(to.path()).map(drop);
    assert!(refused.is_err_and(|error| error.to_string().contains("restore was cut off")));

    let restoring = Restoring::begin(to.path(), 0).expect("what was cut off is no obstacle");
    pour(&restoring, &wanted).expect("fills");
    drop(restoring.open_store(1 << 20).expect("opens"));
    fs::create_dir(restoring.stage().join("keys")).expect("a directory");
    restoring.put_in_place().expect("in place");
    let store = Directory::hold(to.path()).expect("free").open_store(1 << 20, String::new()).expect("opens");
    assert_eq!(rows(&store.view().expect("open")), wanted);
    assert!(matches!(Restoring::begin(to.path(), 0), Err(Error::Invalid { .. })), "it is not empty any more");
}

#[test]
fn nothing_of_somebody_else_is_overwritten() {
    let to = tempfile::tempdir().expect("tempdir");
    fs::write(to.path().join("precious"), "do not touch").expect("writes");
    for with_stage in [false, true] {
        if with_stage {
            fs::create_dir(to.path().join("restoring")).expect("a directory");
        }
        let refused = Restoring::begin(to.path(), 0).map(drop).expect_err("not empty");
        assert!(refused.to_string().contains("precious"), "{refused}");
    }
    assert_eq!(fs::read(to.path().join("precious")).expect("still there"), b"do not touch");
}
