//! Events: all of a request or none, each once, known again for a week and forgotten then.

#[allow(dead_code, reason = "several tests build on it, and none needs all of it")]
mod world;

use storage::Error;
use storage::commands::{Applied, Command, Effect, Event, TakeEvents};
use storage::ids::{ActorId, Lsn};
use storage::model::Said;
use world::{World, entity, relation};

const DAY_US: i64 = 86_400_000_000;

fn event(id: &str, said: Vec<Said>) -> Event {
    Event::new("/sensor".to_owned(), id.to_owned(), said)
}

fn take(world: &mut World, events: Vec<Event>) -> storage::Result<Applied> {
    let command =
        TakeEvents { tenant: world.tenant, source: world.source, actor: ActorId(7), purpose: 1, events };
    world.write(vec![Command::TakeEvents(command)]).remove(0)
}

fn events(accepted: u32, duplicates: u32) -> Effect {
    Effect::Events { accepted, duplicates }
}

#[test]
fn an_event_is_taken_once_and_answered_the_same() {
    let mut world = World::in_memory();
    let both =
        || vec![event("1", vec![entity("a", "host", "x")]), event("2", vec![entity("b", "host", "x")])];
    let first = take(&mut world, both()).expect("taken");
    assert_eq!(first.effect, events(2, 0));
    let head = world.head();
    let again = take(&mut world, both()).expect("known");
    assert_eq!((again.lsn, again.effect), (first.lsn, events(0, 2)));
    assert_eq!(world.head(), head, "nothing was written");
    // Within one request, too; and another origin's id is another event.
    let (same, other) =
        (event("3", vec![entity("c", "host", "x")]), event("3", vec![entity("d", "host", "x")]));
    let other = Event::new("/other".to_owned(), other.id, other.said);
    assert_eq!(take(&mut world, vec![same.clone(), same, other]).expect("taken").effect, events(2, 1));
    world.check();
}

#[test]
fn one_that_cannot_be_taken_takes_the_others_with_it() {
    let mut world = World::in_memory();
    take_one(&mut world, "1", "a");
    let head = world.head();
    let bad = vec![
        event("2", vec![entity("b", "host", "x")]),
        event("3", vec![relation("r", "knows", "a", "nobody")]),
        event("1", vec![entity("a", "host", "something else")]),
        event("4", vec![relation("s", "knows", "a", "b")]),
    ];
    let Err(Error::EventsRejected { rejects, of: 4 }) = take(&mut world, bad) else { panic!("rejected") };
    let codes: Vec<_> = rejects.iter().map(|of| (of.index, of.id.as_str(), of.error.code())).collect();
    assert_eq!(codes, [(1, "r", "end_missing"), (2, "1", "event_reused")]);
    assert_eq!(world.head(), head);
    assert!(!has(&world, "b"), "nothing of the request is there");
    // Without the bad ones it goes in: a relation may come before its end.
    let good =
        vec![event("4", vec![relation("s", "knows", "a", "b")]), event("2", vec![entity("b", "host", "x")])];
    assert_eq!(take(&mut world, good).expect("taken").effect, events(2, 0));
    world.check();
}

/// What stands before and after such a request in the same batch is written, and knows nothing of it.
#[test]
fn others_in_the_batch_are_not_harmed() {
    let mut world = World::in_memory();
    let commands = |world: &World, end: &str| {
        let events = vec![event("9", vec![entity("e", "host", "x"), relation("r", "knows", "e", end)])];
        let (tenant, source) = (world.tenant, world.source);
        let take = TakeEvents { tenant, source, actor: ActorId(7), purpose: 1, events };
        vec![
            world.assert(entity("before", "host", "x")),
            Command::TakeEvents(take),
            world.assert(entity("after", "host", "x")),
        ]
    };
    let wanted = commands(&world, "nobody");
    let answers = world.write(wanted);
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    assert!(has(&world, "before") && has(&world, "after") && !has(&world, "e"));
    let wanted = commands(&world, "before");
    let answers = world.write(wanted);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert!(has(&world, "e"));
    world.check();
}

#[test]
fn what_has_left_the_window_is_forgotten_and_may_come_again() {
    let mut world = World::in_memory();
    world.time_us = 100 * DAY_US;
    for number in 0..10 {
        take_one(&mut world, &format!("old-{number}"), "a");
    }
    world.time_us += 7 * DAY_US;
    let known = event("old-1", vec![entity("a", "host", "x")]);
    assert_eq!(take(&mut world, vec![known.clone()]).expect("known").effect, events(0, 1));
    world.time_us += DAY_US;
    assert_eq!(take(&mut world, vec![known]).expect("taken").effect, events(1, 0));
    for number in 0..3 {
        take_one(&mut world, &format!("new-{number}"), "a");
    }
    let head = world.view().head(world.tenant).expect("a head");
    assert_eq!(head.events, 4, "the old ones are gone, a few with every event that comes");
    world.check();
}

#[test]
fn they_are_known_again_after_the_node_was_restarted() {
    let place = tempfile::tempdir().expect("a directory");
    let mut world = World::on_disk(place.path());
    let taken = take_one(&mut world, "1", "a");
    drop(world);
    let mut world = World::on_disk(place.path());
    let known = event("1", vec![entity("a", "host", "x")]);
    let again = take(&mut world, vec![known]).expect("known");
    assert_eq!((again.lsn, again.effect), (taken, events(0, 1)));
    world.check();
}

fn has(world: &World, id: &str) -> bool {
    world.view().thing_by_id(world.tenant, id).expect("readable").is_some()
}

fn take_one(world: &mut World, id: &str, thing: &str) -> Lsn {
    let taken = event(id, vec![entity(thing, "host", "x")]);
    take(world, vec![taken]).expect("taken").lsn
}
