//! What a store promises to those who write to it and read from it.

#[allow(dead_code, reason = "several tests build on it, and none needs all of it")]
mod world;

use storage::commands::{Command, Effect, IfEndMissing};
use storage::ids::Lsn;
use storage::model::Status;
use storage::{Directory, End, Error, ErrorKind};
use world::{World, entity, relation};

#[test]
fn what_was_said_is_there_after_reopening() {
    let directory = tempfile::tempdir().expect("tempdir");
    {
        let mut world = World::on_disk(directory.path());
        world.say(entity("a", "malware", "Duqu"));
        world.say(entity("b", "tool", "Mimikatz"));
        world.say(relation("r", "uses", "a", "b"));
        world.check();
    }
    let world = World::on_disk(directory.path());
    let view = world.view();
    let (thing, row) = view.thing_by_id(world.tenant, "a").expect("read").expect("stored");
    let said = view.assertion(world.tenant, row.said[0].lsn()).expect("read").expect("held");
    assert_eq!(said.claim("name"), Some("\"Duqu\""));
    let mut edges = Vec::new();
    view.edges(world.tenant, thing, End::Out, None, None, &mut |edge| {
        edges.push(view.thing(world.tenant, edge.other)?.id);
        Ok(std::ops::ControlFlow::Continue(()))
    })
    .expect("read");
    assert_eq!(edges, ["b"]);
    world.check();
}

#[test]
fn saying_it_again_writes_no_record() {
    let mut world = World::in_memory();
    assert_eq!(world.say(entity("a", "malware", "Duqu")), Effect::Created);
    let head = world.head();
    assert_eq!(world.say(entity("a", "malware", "Duqu")), Effect::Unchanged);
    assert_eq!(world.head(), head);
    assert_eq!(world.say(entity("a", "malware", "Duqu 2")), Effect::Updated);
    assert_eq!(world.head(), head.next());
    let thing = world.view().thing_by_id(world.tenant, "a").expect("read").expect("stored").0;
    assert_eq!(world.view().before(world.tenant, thing).expect("read").len(), 1);
    world.check();
}

#[test]
fn an_older_version_never_replaces_a_newer_one() {
    let mut world = World::in_memory();
    let version = |name: &str, version_us| {
        let mut said = entity("a", "malware", name);
        said.version_us = Some(version_us);
        said
    };
    world.say(version("new", 2));
    assert_eq!(world.say(version("old", 1)), Effect::Unchanged);
    assert_eq!(world.shown_name("a"), "\"new\"");
    assert_eq!(world.say(version("newer", 3)), Effect::Updated);
    assert_eq!(world.shown_name("a"), "\"newer\"");
}

#[test]
fn a_revoked_thing_is_kept() {
    let mut world = World::in_memory();
    world.say(entity("a", "malware", "Duqu"));
    let mut revoked = entity("a", "malware", "Duqu");
    revoked.status = Status::Revoked;
    assert_eq!(world.say(revoked), Effect::Updated);
    let (_, row) = world.view().thing_by_id(world.tenant, "a").expect("read").expect("kept");
    assert!(!row.said[0].is_active());
}

#[test]
fn a_refused_command_leaves_no_trace_and_the_others_are_committed() {
    let mut world = World::in_memory();
    world.say(entity("a", "malware", "Duqu"));
    let answers = world.write(vec![
        world.assert(entity("b", "tool", "Mimikatz")),
        world.assert(entity("a", "tool", "Duqu")),
        world.assert(relation("r", "uses", "a", "nobody")),
        world.assert(entity("", "tool", "x")),
        world.assert(relation("r2", "uses", "a", "b")),
    ]);
    assert!(matches!(&answers[1], Err(Error::TypeConflict { id, .. }) if id == "a"));
    assert!(matches!(&answers[2], Err(Error::EndMissing { end }) if end == "nobody"));
    assert_eq!(answers[3].as_ref().map_err(Error::kind), Err(ErrorKind::Invalid));
    assert!(answers[0].is_ok() && answers[4].is_ok());
    world.check();
}

#[test]
fn a_relation_may_wait_for_its_ends() {
    let mut world = World::in_memory();
    world.say(entity("a", "malware", "Duqu"));
    let run = world.begin_run();
    let pend = IfEndMissing::Pend { run, input: 0, line: 7, number: 1 };
    let early = world.assert_if(relation("r", "uses", "a", "b"), pend);
    assert_eq!(world.one(early), Effect::Pending);
    let pending = world.view().pending(world.tenant, run, 0, 10).expect("read");
    assert_eq!((pending.len(), pending[0].1.line), (1, 7));
    world.check();
}

#[test]
fn a_second_process_is_told_who_holds_the_directory() {
    let directory = tempfile::tempdir().expect("tempdir");
    let _held = Directory::hold(directory.path()).expect("free");
    let refused = Directory::hold(directory.path()).expect_err("held");
    assert!(matches!(refused, Error::InUse { pid, .. } if pid == std::process::id()));
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().expect("tempdir");
    std::fs::write(directory.path().join("format"), "intelgraph data format 99\n").expect("write");
    let refused = Directory::hold(directory.path()).expect_err("newer");
    assert!(matches!(refused, Error::NewerFormat { found: 99, .. }));
}

#[test]
fn deleting_and_restoring_are_records() {
    let mut world = World::in_memory();
    world.say(entity("a", "malware", "Duqu"));
    let before = world.head();
    let (tenant, actor) = (world.tenant, storage::ids::ActorId::NODE);
    let delete = || Command::Delete(storage::commands::Delete { tenant, actor, id: "a".to_owned() });
    assert!(world.write(vec![delete()])[0].is_ok());
    assert!(world.view().thing_by_id(tenant, "a").expect("read").expect("kept").1.is_deleted());
    assert_eq!(world.head(), Lsn(before.0 + 1));
    assert_eq!(world.one(delete()), Effect::Unchanged);
    let restore = Command::Restore(storage::commands::Restore { tenant, actor, id: "a".to_owned() });
    assert!(world.write(vec![restore])[0].is_ok());
    assert!(!world.view().thing_by_id(tenant, "a").expect("read").expect("kept").1.is_deleted());
    world.check();
}

#[test]
fn a_reader_in_the_middle_of_a_scan_does_not_hold_up_a_reopening() {
    let directory = tempfile::tempdir().expect("tempdir");
    let mut world = World::on_disk(directory.path());
    world.say(entity("a", "malware", "Duqu"));
    let (view, store, tenant) = (world.view(), &world.store, world.tenant);
    std::thread::scope(|scope| {
        let scanned = view.things(tenant, &mut |thing, _| {
            let reopening = scope.spawn(|| store.reopen());
            while view.thing(tenant, thing).is_ok() {
                std::thread::yield_now();
            }
            reopening.join().expect("no panic")?;
            view.thing(tenant, thing)?;
            Ok(std::ops::ControlFlow::Continue(()))
        });
        assert!(matches!(scanned, Err(Error::Poisoned { .. })), "{scanned:?}");
    });
    world.say(entity("b", "malware", "Flame"));
    world.check();
}

#[test]
fn a_store_that_was_used_is_never_begun_anew() {
    let directory = tempfile::tempdir().expect("tempdir");
    drop(World::on_disk(directory.path()));
    let database = directory.path().join("store.redb");
    std::fs::remove_file(&database).expect("there");
    let held = Directory::hold(directory.path()).expect("free");
    let refused = held.open_store(1 << 20, "00112233aabbccdd".to_owned());
    assert!(matches!(refused, Err(Error::Corrupt { .. })), "{refused:?}");
    assert!(!database.exists());
}

#[test]
fn a_first_start_that_was_cut_off_begins_again() {
    let directory = tempfile::tempdir().expect("tempdir");
    std::fs::write(directory.path().join("store.new"), [0; 4096]).expect("left behind");
    let mut world = World::on_disk(directory.path());
    world.say(entity("a", "malware", "Duqu"));
    world.check();
}
