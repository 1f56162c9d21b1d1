//! What was committed and is not in the database's file yet: after a crash, a cut, and damage.

#[allow(dead_code, reason = "several tests build on it, and none needs all of it")]
mod world;

use std::fs;
use std::path::{Path, PathBuf};

use storage::{Directory, Error, Result, Store};
use tempfile::TempDir;
use world::{World, entity};

const SECTOR_BYTES: usize = 512;
/// Room for a round, with as much cache as [`World`] has.
const BYTES_MAX: u64 = 2 << 20;

/// The directory as a crash leaves it: its process had no time to do anything.
fn crashed(from: &Path) -> TempDir {
    let place = tempfile::tempdir().expect("tempdir");
    for name in ["store.redb", "store.redb.journal", "format"] {
        fs::copy(from.join(name), place.path().join(name)).expect("copied");
    }
    place
}

fn journal(directory: &Path) -> PathBuf {
    directory.join("store.redb.journal")
}

fn open(directory: &Path) -> Result<Store> {
    Directory::hold(directory)?.open_store(8 << 20, String::new())
}

/// Which of the things `0..` are there, with every promise of the store kept.
fn things(store: &Store) -> usize {
    let view = store.view().expect("open");
    assert_eq!(view.verify(&mut |_| ()).expect("readable").problems, Vec::<String>::new());
    let tenant = view.tenant("default").expect("read").expect("a tenant");
    let is_there = |n: &usize| view.thing_by_id(tenant, &id(*n)).expect("read").is_some();
    (0..).take_while(is_there).count()
}

fn id(n: usize) -> String {
    format!("thing-{n}")
}

fn say(world: &mut World, things: std::ops::Range<usize>) {
    for n in things {
        world.say(entity(&id(n), "tool", &"of several sectors ".repeat(50)));
    }
}

/// The sectors of the journal that hold something.
fn used(directory: &Path) -> usize {
    let bytes = fs::read(journal(directory)).expect("a journal");
    bytes.chunks(SECTOR_BYTES).take_while(|sector| sector.iter().any(|byte| *byte != 0)).count()
}

/// Whether a sector is the last of its entry, in which nothing is.
fn is_seal(bytes: &[u8], sector: usize) -> bool {
    bytes[sector * SECTOR_BYTES + 16..][..4] == [0; 4]
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("a file");
    change(&mut bytes);
    fs::write(path, bytes).expect("written");
}

fn refused(directory: &Path) -> String {
    match open(directory) {
        Err(Error::Corrupt { what: "journal", detail }) => detail,
        other => panic!("a damaged journal: {other:?}"),
    }
}

#[test]
fn a_crash_loses_nothing_and_neither_does_the_next() {
    let place = tempfile::tempdir().expect("tempdir");
    let mut world = World::on_disk(place.path());
    say(&mut world, 0..20);
    assert!(used(place.path()) > 20, "it is in the journal");
    let first = crashed(place.path());
    let mut again = World::on_disk(first.path());
    assert_eq!(things(&again.store), 20);
    say(&mut again, 20..30);
    let second = crashed(first.path());
    assert_eq!(things(&open(second.path()).expect("opens")), 30);
    drop(again);
    assert_eq!(fs::metadata(journal(first.path())).expect("a file").len(), 0, "closed, it keeps nothing");
    fs::remove_file(journal(first.path())).expect("removed");
    assert_eq!(things(&open(first.path()).expect("needs none")), 30);
}

#[test]
fn a_bit_that_flips_is_named_wherever_it_is() {
    let place = tempfile::tempdir().expect("tempdir");
    let mut world = World::on_disk(place.path());
    say(&mut world, 0..4);
    let whole = fs::read(journal(place.path())).expect("a journal");
    for sector in 0..used(place.path()) {
        let crashed = crashed(place.path());
        let place = sector * SECTOR_BYTES + (sector * 37) % SECTOR_BYTES;
        change(&journal(crashed.path()), |bytes| bytes[place] ^= 1 << (sector % 8));
        if is_seal(&whole, sector) {
            assert_eq!(things(&open(crashed.path()).expect("nothing is lost with a seal")), 4);
            continue;
        }
        let said = refused(crashed.path());
        assert!(said.contains(&format!("sector {sector} ")) && said.contains("restore a backup"), "{said}");
    }
}

#[test]
fn a_journal_that_is_missing_shorter_or_lacks_a_commit_is_named() {
    let place = tempfile::tempdir().expect("tempdir");
    let mut world = World::on_disk(place.path());
    say(&mut world, 0..4);
    let sectors = used(place.path());
    let with = |damage: &dyn Fn(&Path)| {
        let crashed = crashed(place.path());
        damage(&journal(crashed.path()));
        refused(crashed.path())
    };
    let said = with(&|journal| fs::remove_file(journal).expect("removed"));
    assert!(said.contains("missing"), "{said}");
    let said = with(&|journal| change(journal, |bytes| bytes.truncate(4096)));
    assert!(said.contains("4096"), "{said}");
    let said = with(&|journal| change(journal, |bytes| bytes[..SECTOR_BYTES].fill(0)));
    assert!(said.contains("entry 1 is missing"), "{said}");
    let half = sectors / 2 * SECTOR_BYTES;
    let said = with(&|journal| change(journal, |bytes| bytes[half..half + SECTOR_BYTES].fill(0)));
    assert!(said.contains("is missing at sector"), "{said}");
}

#[test]
fn a_commit_that_was_cut_off_leaves_nothing_for_the_next() {
    let place = tempfile::tempdir().expect("tempdir");
    let mut world = World::on_disk(place.path());
    say(&mut world, 0..4);
    let before = used(place.path());
    say(&mut world, 4..5);
    let after = used(place.path());
    assert!(after - before > 2, "it has several sectors, and a seal");
    let loses = |from: usize, to: usize, held: usize| {
        let cut = crashed(place.path());
        change(&journal(cut.path()), |bytes| bytes[from..to].fill(0));
        let store = open(cut.path()).expect("a cut is no damage");
        assert_eq!(things(&store), held, "without {from}..{to}");
        let left = if held == 4 { before } else { after };
        assert_eq!(used(cut.path()), left, "nothing is left to be taken for a part of the next one");
        drop(store);
        let mut world = World::on_disk(cut.path());
        say(&mut world, held..6);
        assert_eq!(things(&open(crashed(cut.path()).path()).expect("opens")), 6);
    };
    // By a power cut, sector by sector; the seal itself tells nothing of a body that is whole.
    for lost in before..after - 1 {
        loses(lost * SECTOR_BYTES, (lost + 1) * SECTOR_BYTES, 4);
    }
    loses((after - 1) * SECTOR_BYTES, after * SECTOR_BYTES, 5);
    // By the end of the process, at any byte.
    let whole = fs::read(journal(place.path())).expect("a journal");
    for from in (before * SECTOR_BYTES + 1..(after - 1) * SECTOR_BYTES).step_by(101) {
        let is_whole = whole[from..(after - 1) * SECTOR_BYTES].iter().all(|byte| *byte == 0);
        loses(from, after * SECTOR_BYTES, if is_whole { 5 } else { 4 });
    }
}

/// A database that was put back from a copy does not take over what the journal has of the one before.
#[test]
fn the_journal_of_another_database_is_not_read() {
    let place = tempfile::tempdir().expect("tempdir");
    drop(World::on_disk(place.path()));
    let copy = fs::read(place.path().join("store.redb")).expect("closed");
    let mut world = World::on_disk(place.path());
    say(&mut world, 0..8);
    let mixed = crashed(place.path());
    fs::write(mixed.path().join("store.redb"), copy).expect("put back");
    let mut world = World::on_disk(mixed.path());
    assert_eq!(things(&world.store), 0);
    say(&mut world, 0..2);
    assert_eq!(things(&open(crashed(mixed.path()).path()).expect("opens")), 2);
}

#[test]
fn a_database_older_than_its_journal_is_refused() {
    for takes_in in [false, true] {
        let place = tempfile::tempdir().expect("tempdir");
        let mut world = World::on_disk(place.path());
        say(&mut world, 0..2);
        if takes_in {
            world.store.take_in().expect("takes it in");
        }
        let older = crashed(place.path());
        world.store.settle().expect("takes in all");
        say(&mut world, 2..4);
        let mixed = crashed(place.path());
        fs::copy(older.path().join("store.redb"), mixed.path().join("store.redb")).expect("put back");
        let said = refused(mixed.path());
        assert!(said.contains("older copy"), "{said}");
    }
}

#[test]
fn what_the_database_took_in_is_not_read_again() {
    let place = tempfile::tempdir().expect("tempdir");
    let mut world = World::on_disk(place.path());
    say(&mut world, 0..5);
    world.store.take_in().expect("takes it in");
    say(&mut world, 5..10);
    world.store.take_in().expect("takes it in");
    say(&mut world, 10..12);
    let left = crashed(place.path());
    change(&journal(left.path()), |bytes| bytes[100] ^= 1);
    assert_eq!(things(&open(left.path()).expect("opens")), 12);
    // And after all of it, nothing.
    world.store.take_in().expect("takes it in");
    let left = crashed(place.path());
    change(&journal(left.path()), |bytes| bytes[100] ^= 1);
    assert_eq!(things(&open(left.path()).expect("opens")), 12);
}

#[test]
fn a_full_journal_begins_again_at_its_front() {
    let place = tempfile::tempdir().expect("tempdir");
    let mut world = World::on_disk(place.path());
    let long = "many words ".repeat(40_000);
    let mut rounds = 0;
    for n in 0..20 {
        let before = fs::read(journal(place.path())).expect("a journal")[..SECTOR_BYTES].to_vec();
        world.say(entity(&id(n), "tool", &long));
        let after = fs::read(journal(place.path())).expect("a journal");
        assert!(after.len() as u64 <= BYTES_MAX);
        rounds += usize::from(before != after[..SECTOR_BYTES]);
        if n % 5 == 4 {
            assert_eq!(things(&open(crashed(place.path()).path()).expect("opens")), n + 1);
        }
    }
    assert!(rounds >= 2, "{rounds} rounds: the test shows nothing");
}
