//! A command that is one step of a request is carried out once, however often the request comes.

#[allow(dead_code, reason = "several tests build on it, and none needs all of it")]
mod world;

use storage::commands::{
    Applied, Command, Delete, Effect, ONCE_KEPT_US, ONCE_MAX, Once, RequestKey, Restore, SeeClock, SetSource,
};
use storage::ids::ActorId;
use storage::{Error, Result};
use world::{World, entity, source};

fn key(world: &World, name: u64, request: u8) -> RequestKey {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&name.to_be_bytes());
    RequestKey { tenant: world.tenant, name: bytes, request: [request; 32] }
}

fn once(key: RequestKey, step: u64, command: Command) -> Command {
    Command::Once(Once { key, step, command: Box::new(command) })
}

fn delete(world: &World) -> Command {
    Command::Delete(Delete { tenant: world.tenant, actor: ActorId::NODE, id: "a".to_owned() })
}

fn restore(world: &World) -> Command {
    Command::Restore(Restore { tenant: world.tenant, actor: ActorId::NODE, id: "a".to_owned() })
}

fn write(world: &mut World, command: Command) -> Result<Applied> {
    world.write(vec![command]).remove(0)
}

fn remembered(world: &World) -> u64 {
    world.view().head(world.tenant).expect("read").once
}

#[test]
fn a_request_that_comes_again_gets_the_same_answer_and_changes_nothing() {
    let mut world = World::in_memory();
    world.say(entity("a", "malware", "Duqu"));
    let deletion = once(key(&world, 1, 1), 1, delete(&world));
    let first = write(&mut world, deletion.clone()).expect("done");
    assert_eq!(first.effect, Effect::Updated);
    let restoration = restore(&world);
    world.one(restoration);
    let head = world.head();
    assert_eq!(write(&mut world, deletion.clone()).expect("again"), first);
    // Twice in one batch is no different from twice in two.
    let other = once(key(&world, 2, 1), 1, delete(&world));
    let answers = world.write(vec![other.clone(), other, deletion]);
    assert_eq!(answers[0], answers[1]);
    assert_eq!((answers[2].as_ref(), world.head()), (Ok(&first), head.next()));
    assert_eq!(remembered(&world), 2);
    world.check();
}

#[test]
fn a_key_is_for_one_request_and_its_steps() {
    let mut world = World::in_memory();
    world.say(entity("a", "malware", "Duqu"));
    let first = once(key(&world, 1, 1), 1, delete(&world));
    write(&mut world, first).expect("done");
    let second = once(key(&world, 1, 1), 2, restore(&world));
    assert_eq!(write(&mut world, second).expect("another step").effect, Effect::Updated);
    let (_, row) = world.view().thing_by_id(world.tenant, "a").expect("read").expect("stored");
    assert_eq!(row.deletions_us.len(), 2, "deleted, and restored");
    let head = world.head();
    let reused = once(key(&world, 1, 2), 1, delete(&world));
    assert_eq!(write(&mut world, reused), Err(Error::KeyReused));
    // The gateway asks before it does anything: another request need not have the same steps.
    let checked = |name, request| world.view().check_key(&key(&world, name, request), world.time_us);
    assert_eq!([checked(1, 1), checked(1, 2), checked(2, 2)], [Ok(()), Err(Error::KeyReused), Ok(())]);
    assert_eq!(world.head(), head);
    world.check();
}

#[test]
fn what_is_refused_is_not_remembered() {
    let mut world = World::in_memory();
    let command = once(key(&world, 1, 1), 1, delete(&world));
    assert!(write(&mut world, command.clone()).is_err(), "there is nothing to delete");
    assert_eq!(remembered(&world), 0);
    world.say(entity("a", "malware", "Duqu"));
    assert_eq!(write(&mut world, command).expect("done").effect, Effect::Updated);
    world.check();
}

#[test]
fn a_day_later_it_is_forgotten() {
    let mut world = World::in_memory();
    let nothing = SetSource { tenant: world.tenant, actor: ActorId::NODE, spec: source() };
    for name in 0..20 {
        let command = once(key(&world, name, 1), 1, Command::SetSource(nothing.clone()));
        write(&mut world, command).expect("done");
    }
    assert_eq!(remembered(&world), 20);
    world.time_us += ONCE_KEPT_US;
    assert_eq!(world.view().check_key(&key(&world, 1, 2), world.time_us), Ok(()));
    for (name, request) in [(1, 2), (50, 1), (51, 1), (52, 1), (53, 1), (54, 1)] {
        let command = once(key(&world, name, request), 1, Command::SetSource(nothing.clone()));
        write(&mut world, command).expect("a new request");
        world.check();
    }
    assert_eq!(remembered(&world), 6, "only what is new is left");
}

#[test]
fn so_many_are_remembered_and_no_more() {
    let mut world = World::in_memory();
    let nothing = SetSource { tenant: world.tenant, actor: ActorId::NODE, spec: source() };
    for batch in 0..=ONCE_MAX / 10_000 {
        let names = batch * 10_000..(batch + 1) * 10_000;
        let commands: Vec<_> =
            names.map(|name| once(key(&world, name, 1), 1, Command::SetSource(nothing.clone()))).collect();
        assert!(world.write(commands).iter().all(Result::is_ok));
    }
    assert_eq!(remembered(&world), ONCE_MAX);
    assert_eq!(world.view().check_key(&key(&world, 0, 2), world.time_us), Ok(()), "the oldest went");
    assert!(world.view().check_key(&key(&world, ONCE_MAX, 2), world.time_us).is_err());
}

/// A jump is no day that has passed: to forget then would be to do it twice.
#[test]
fn a_clock_that_jumps_makes_nobody_forget() {
    let mut world = World::in_memory();
    world.say(entity("a", "malware", "Duqu"));
    world.one(Command::SeeClock(SeeClock { vouched: false }));
    let deletion = once(key(&world, 1, 1), 1, delete(&world));
    let first = write(&mut world, deletion.clone()).expect("done");
    let restoration = restore(&world);
    world.one(restoration);
    let (head, now_us) = (world.head(), world.time_us);
    for jumped_us in [now_us + 40 * ONCE_KEPT_US, now_us - 40 * ONCE_KEPT_US] {
        world.time_us = jumped_us;
        assert_eq!(write(&mut world, deletion.clone()).expect("again"), first);
        assert_eq!(world.head(), head);
    }
    world.check();
}
