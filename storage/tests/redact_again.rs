//! A store from an older backup is rid of what was redacted since, by the anchor alone.

#[allow(dead_code, reason = "several tests build on it, and none needs all of it")]
mod world;

use storage::anchor::{Anchor, anchored};
use storage::commands::{Command, Effect, EndRedaction, EraseSome, LiftRedaction, Lifted, Redact};
use storage::ids::ActorId;
use storage::model::Selection;
use storage::{ErasureKey, Error, Stamp};
use world::{World, entity, relation};

const SEED: [u8; 32] = [5; 32];

fn with_people() -> World {
    let mut world = World::in_memory();
    world.store = world.store.with_erasure_key(ErasureKey::of(&SEED));
    for id in ["ann", "bob", "eve"] {
        world.say(entity(id, "person", id));
    }
    world.say(relation("tie", "knows", "ann", "bob"));
    let wiki = world.declare("wiki");
    let first = std::mem::replace(&mut world.source, wiki);
    world.say(world::of("wiki", entity("leaked", "person", "leaked")));
    world.source = first;
    world
}

fn redact(world: &mut World, selection: Selection) {
    let (tenant, actor, reason) = (world.tenant, ActorId::NODE, "a test".to_owned());
    let command = Command::Redact(Redact { tenant, actor, selection, reason });
    let redaction = world.write(vec![command]).remove(0).expect("begins").lsn;
    while world.one(Command::EraseSome(EraseSome { tenant, redaction })) == Effect::More {}
    world.one(Command::EndRedaction(EndRedaction { tenant, redaction }));
}

fn ids(world: &World) -> Vec<String> {
    let mut ids = Vec::new();
    world
        .view()
        .things(world.tenant, &mut |_, row| {
            ids.push(row.id);
            Ok(std::ops::ControlFlow::Continue(()))
        })
        .expect("readable");
    ids
}

#[test]
fn an_older_store_is_brought_to_where_the_lost_one_was() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("anchor");
    let (mut lost, mut restored) = (with_people(), with_people());
    redact(&mut lost, Selection::Thing("ann".to_owned()));
    redact(&mut lost, Selection::Thing("eve".to_owned()));
    redact(&mut lost, Selection::Source("wiki".to_owned()));
    let of = Lifted::Last(Selection::Thing("eve".to_owned()));
    lost.one(Command::LiftRedaction(LiftRedaction { tenant: lost.tenant, actor: ActorId::NODE, of }));
    Anchor::new(path.clone(), SEED).write(&lost.view()).expect("written");
    Anchor::new(path.clone(), SEED).check(&lost.view()).expect("it is where it was");

    let text = std::fs::read_to_string(&path).expect("a file");
    for name in ["ann", "eve", "wiki", "leaked"] {
        assert!(!text.contains(name), "no name in the anchor: {text}");
    }
    let seen = anchored(&text, &SEED).expect("whole");
    assert_eq!(
        seen.iter().map(|one| (one.of_source, one.lifted)).collect::<Vec<_>>(),
        [(false, false), (false, true), (true, false)]
    );
    assert!(anchored(&text, &[6; 32]).is_err(), "of another node");
    assert!(anchored(&text.replace("thing refused", "thing lifted"), &SEED).is_err(), "changed");
    let error = Anchor::new(path, SEED).check(&restored.view()).expect_err("put back from an older copy");
    assert!(error.to_string().contains("older copy"), "{error}");

    let mut stamp = || Stamp { time_us: 9_000_000_000, seed: [9; 32] };
    assert_eq!(restored.store.redact_again(&seen, &mut stamp).expect("redacts"), 3);
    restored.time_us = 9_000_000_000;
    restored.check();
    assert_eq!(ids(&restored), ids(&lost));
    assert_eq!(restored.store.redact_again(&seen, &mut stamp).expect("once"), 0);
    let again = |id: &str| restored.assert(entity(id, "person", "again"));
    let commands = vec![again("ann"), again("eve"), again("leaked")];
    let answers: Vec<_> =
        restored.write(commands).into_iter().map(|answer| answer.map(|done| done.effect)).collect();
    assert_eq!(answers, [Err(Error::Redacted), Ok(Effect::Created), Err(Error::Redacted)]);
}

#[test]
fn what_the_backup_never_had_is_refused_all_the_same() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("anchor");
    let mut lost = with_people();
    lost.say(entity("late", "person", "late"));
    redact(&mut lost, Selection::Thing("late".to_owned()));
    Anchor::new(path.clone(), SEED).write(&lost.view()).expect("written");
    let seen = anchored(&std::fs::read_to_string(path).expect("a file"), &SEED).expect("whole");
    let mut restored = with_people();
    let mut stamp = || Stamp { time_us: 9_000_000_000, seed: [9; 32] };
    assert_eq!(restored.store.redact_again(&seen, &mut stamp).expect("redacts"), 1);
    restored.time_us = 9_000_000_000;
    restored.check();
    let late = restored.assert(entity("late", "person", "late"));
    assert_eq!(restored.write(vec![late]).remove(0), Err(Error::Redacted));
}
