//! A database that was put back, or put in another's place, is refused by name.

#[allow(dead_code, reason = "several tests build on it, and none needs all of it")]
mod world;

use std::fs;
use std::path::Path;

use storage::anchor::Anchor;
use storage::commands::{Command, CreateTenant};
use storage::ids::{ActorId, Lsn};
use storage::ledger::{proof, receipt};
use storage::{Error, Result};
use world::{World, entity};

#[test]
fn a_store_that_went_on_is_accepted() {
    let directory = tempfile::tempdir().expect("tempdir");
    live(directory.path(), &["a"]);
    let mut world = World::on_disk(directory.path());
    world.say(entity("b", "tool", "after the anchor"));
    assert_eq!(check(directory.path(), &world), Ok(()));
}

#[test]
fn an_older_copy_of_the_file_is_refused_naming_the_tenant() {
    let directory = tempfile::tempdir().expect("tempdir");
    let database = directory.path().join("store.redb");
    live(directory.path(), &["a"]);
    let older = fs::read(&database).expect("closed");
    live(directory.path(), &["b"]);
    fs::write(&database, older).expect("put back");
    let refused = check(directory.path(), &World::on_disk(directory.path()));
    assert!(says(&refused, "tenant `default` had"), "{refused:?}");
    assert!(says(&refused, "older copy"), "{refused:?}");
}

#[test]
fn another_history_of_the_same_length_is_refused() {
    let (one, other) = (tempfile::tempdir().expect("tempdir"), tempfile::tempdir().expect("tempdir"));
    live(one.path(), &["a", "b"]);
    live(other.path(), &["a", "c"]);
    fs::copy(other.path().join("store.redb"), one.path().join("store.redb")).expect("put in its place");
    let refused = check(one.path(), &World::on_disk(one.path()));
    assert!(says(&refused, "the store has others"), "{refused:?}");
}

#[test]
fn an_older_copy_from_before_a_tenant_was_made_is_refused() {
    let directory = tempfile::tempdir().expect("tempdir");
    let database = directory.path().join("store.redb");
    live(directory.path(), &["a"]);
    let older = fs::read(&database).expect("closed");
    let mut world = World::on_disk(directory.path());
    world.one(Command::CreateTenant(CreateTenant { name: "second".to_owned(), actor: ActorId::NODE }));
    anchor(directory.path()).write(&world.view()).expect("writes");
    assert_eq!(check(directory.path(), &world), Ok(()));
    drop(world);
    fs::write(&database, older).expect("put back");
    let refused = check(directory.path(), &World::on_disk(directory.path()));
    assert!(says(&refused, "tenant `second` had"), "{refused:?}");
}

/// Trees are made of leaves and of what is stored above them: with more than 256 records, of both.
#[test]
fn a_long_log_is_proven_throughout() {
    let directory = tempfile::tempdir().expect("tempdir");
    let mut world = World::in_memory();
    let (anchor, tenant, mut seen) = (anchor(directory.path()), world.tenant, Vec::new());
    for batch in 0..9 {
        let said = (0..90).map(|n| world.assert(entity(&format!("t{batch}-{n}"), "malware", "x"))).collect();
        world.write(said);
        seen.push(anchor.signed(&world.view(), tenant).expect("signed").checkpoint);
    }
    let view = world.view();
    for checkpoint in seen {
        let root = proof::root_at(&view.ledger(tenant), checkpoint.size).expect("a root");
        assert_eq!(root, checkpoint.root, "of {} records", checkpoint.size);
    }
    for lsn in (1..=world.head().0).step_by(7) {
        let record = view.record(tenant, Lsn(lsn)).expect("read");
        let given = anchor.receipt(&view, tenant, &record).expect("a receipt");
        let vkey = given.signed.vkey.parse().expect("a key");
        let shown = receipt::verify(&given.text, &vkey).unwrap_or_else(|error| panic!("{lsn}: {error}"));
        assert_eq!((shown.index, shown.header), (lsn - 1, record.header));
    }
}

#[test]
fn a_damaged_anchor_is_refused_and_not_taken_for_none() {
    let directory = tempfile::tempdir().expect("tempdir");
    live(directory.path(), &["a"]);
    let world = World::on_disk(directory.path());
    let path = directory.path().join("anchor");
    let whole = fs::read(&path).expect("written");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for damaged in [&whole[..0], &whole[..whole.len() / 2], &flipped, b"\xff\xfe"] {
        fs::write(&path, damaged).expect("writes");
        let refused = check(directory.path(), &world);
        assert!(matches!(refused, Err(Error::Corrupt { what: "anchor", .. })), "{refused:?}");
    }
}

/// A key or an anchor that the store remembers is missed; a store of an earlier program remembers none.
#[test]
fn what_is_remembered_is_missed() {
    let directory = tempfile::tempdir().expect("tempdir");
    let mut world = World::on_disk(directory.path());
    let (own, other) = (anchor(directory.path()), Anchor::new(directory.path().join("anchor"), [4; 32]));
    assert_eq!((own.check(&world.view()), other.check(&world.view())), (Ok(()), Ok(())));
    for anchored in [false, true] {
        let remember = own.unremembered(&world.view()).expect("read").expect("something new");
        assert_eq!(remember.anchored, anchored);
        world.one(Command::Remember(remember));
        assert!(own.unremembered(&world.view()).expect("read").is_none());
        assert_eq!(own.check(&world.view()), Ok(()));
        assert!(says(&other.check(&world.view()), "is another than"));
        own.write(&world.view()).expect("writes");
    }
    fs::remove_file(directory.path().join("anchor")).expect("written");
    assert!(says(&own.check(&world.view()), "it is missing"));
    world.check();
}

/// Says something, anchors it, and closes.
fn live(directory: &Path, names: &[&str]) {
    let mut world = World::on_disk(directory);
    for name in names {
        world.say(entity(name, "malware", name));
    }
    anchor(directory).write(&world.view()).expect("writes");
}

fn check(directory: &Path, world: &World) -> Result<()> {
    anchor(directory).check(&world.view())
}

fn anchor(directory: &Path) -> Anchor {
    Anchor::new(directory.join("anchor"), [3; 32])
}

fn says(refused: &Result<()>, words: &str) -> bool {
    refused.as_ref().is_err_and(|error| error.to_string().contains(words))
}
