//! The data directory: what it says of itself, and whatever was cut off.

#[allow(dead_code, reason = "several tests build on it, and none needs all of it")]
mod world;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use prost::Message;
use redb::{Database, ReadableTable, TableDefinition};
use storage::ids::ThingId;
use storage::rows::NodeRow;
use storage::tables::Table;
use storage::tx::Read as _;
use storage::{Directory, Error, FORMAT, Result, Store};
use world::{World, entity};
use xxhash_rust::xxh3::xxh3_64;

#[test]
fn a_first_start_that_failed_is_tried_again() {
    let directory = tempfile::tempdir().expect("tempdir");
    let in_the_way = directory.path().join("store.new");
    fs::create_dir(&in_the_way).expect("made");
    let refused = open(directory.path());
    assert!(matches!(refused, Err(Error::Io(_))), "{refused:?}");
    fs::remove_dir(&in_the_way).expect("there");
    open(directory.path()).expect("begins");
}

/// The database says which format it is of, besides the file that says it of the directory.
#[test]
fn a_database_of_a_newer_program_is_refused() {
    let directory = tempfile::tempdir().expect("tempdir");
    drop(World::on_disk(directory.path()));
    set_format(directory.path(), FORMAT);
    drop(World::on_disk(directory.path()));
    set_format(directory.path(), FORMAT + 1);
    let refused = open(directory.path());
    assert!(matches!(refused, Err(Error::NewerFormat { found, .. }) if found == FORMAT + 1), "{refused:?}");
}

/// What is noted for increments names no thing. What an earlier program noted did, and would outlive who is erased.
#[test]
fn what_was_noted_by_name_is_dropped() {
    let directory = tempfile::tempdir().expect("tempdir");
    let world = World::on_disk(directory.path());
    let node = NodeRow { named_from: 1, ..world.view().node().expect("read") };
    drop(world);
    put(directory.path(), Table::Node, &[], node.encode_to_vec());
    put(directory.path(), Table::Changed, &[0; 12], b"\x05\0\0\0\x0b\0\x09\0\0\0\x01eve-1".to_vec());
    let world = World::on_disk(directory.path());
    world.check();
    let node = world.view().node().expect("read");
    assert_eq!((node.named_from, node.changes_from), (0, 0), "the next backup is a full one");
    let mut noted = 0;
    let scanned = world.view().scan(Table::Changed, &[], None, &mut |_, _| {
        noted += 1;
        Ok(std::ops::ControlFlow::Continue(()))
    });
    assert_eq!((scanned, noted), (Ok(()), 0));
}

/// A file that says the format and was changed in any bit says it no longer.
#[test]
fn a_format_is_said_exactly_or_not_at_all() {
    let directory = tempfile::tempdir().expect("tempdir");
    drop(World::on_disk(directory.path()));
    let file = directory.path().join("format");
    let said = fs::read(&file).expect("the format");
    for bit in 0..said.len() * 8 {
        let mut flipped = said.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&file, &flipped).expect("written");
        let refused = open(directory.path());
        let is_refused =
            matches!(refused, Err(Error::NewerFormat { .. } | Error::Corrupt { what: "format file", .. }));
        assert!(is_refused, "bit {bit}: {refused:?}");
    }
    fs::write(&file, &said).expect("written");
    open(directory.path()).expect("opens");
}

/// Each row is whole, and in the place of another all the same: a page that was put back, or mixed up.
#[test]
fn a_row_in_the_place_of_another_is_damage_to_who_reads_it() {
    let directory = tempfile::tempdir().expect("tempdir");
    let mut world = World::on_disk(directory.path());
    world.say(entity("a", "malware", "Duqu"));
    world.say(entity("b", "malware", "Flame"));
    drop(world);
    let database = Database::open(directory.path().join("store.redb")).expect("opens");
    let write = database.begin_write().expect("writes");
    {
        let mut rows = write.open_table(rows_of(Table::Things)).expect("opens");
        let key = |thing: u64| [1u32.to_be_bytes().as_slice(), &thing.to_be_bytes()].concat();
        let other = rows.get(key(2).as_slice()).expect("read").expect("a row").value().to_vec();
        rows.insert(key(1).as_slice(), other.as_slice()).expect("changes");
    }
    write.commit().expect("commits");
    drop(database);
    let world = World::on_disk(directory.path());
    let read = |thing| world.view().thing(world.tenant, ThingId(thing));
    assert_eq!(read(2).expect("its own").id, "b");
    assert!(matches!(read(1), Err(Error::Corrupt { what: "things", .. })), "{:?}", read(1));
}

#[test]
fn nobody_else_may_look_into_a_directory_that_was_made() {
    let place = tempfile::tempdir().expect("tempdir");
    let directory = place.path().join("made/data");
    open(&directory).expect("opens");
    let mode = fs::metadata(&directory).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

fn open(directory: &Path) -> Result<Store> {
    Directory::hold(directory).and_then(|held| held.open_store(1 << 20, "00112233aabbccdd".to_owned()))
}

/// Writes the node's row as a program of that format would.
fn set_format(directory: &Path, format: u32) {
    let world = World::on_disk(directory);
    let node = NodeRow { format, ..world.view().node().expect("read") };
    drop(world);
    put(directory, Table::Node, &[], node.encode_to_vec());
}

/// Writes a row past the store.
fn put(directory: &Path, table: Table, key: &[u8], mut value: Vec<u8>) {
    let summed = [&[table as u8, key.len() as u8], key, value.as_slice()].concat();
    value.extend_from_slice(&(xxh3_64(&summed) as u32).to_be_bytes());
    let database = Database::open(directory.join("store.redb")).expect("opens");
    let write = database.begin_write().expect("writes");
    write.open_table(rows_of(table)).expect("opens").insert(key, value.as_slice()).expect("changes");
    write.commit().expect("commits");
}

fn rows_of(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}
