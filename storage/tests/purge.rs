//! What is over: hidden at a time, removed by a purge, kept by a hold; and a clock that is believed only so far.

#[allow(dead_code, reason = "several tests build on it, and none needs all of it")]
mod world;

use std::path::Path;
use std::sync::Arc;

use redb::{Database, ReadableTable, TableDefinition};
use storage::commands::{
    Command, Delete, Effect, EndPurge, PurgeThings, SaveGraph, SeeClock, SetHold, Sweep,
};
use storage::ids::{ActorId, Lsn, ThingId};
use storage::model::{Graph, GraphNode, Retention, Said, Selection};
use storage::tables::Table;
use storage::{Due, Error, Stamp};
use world::{World, entity, relation};

const DAY_US: i64 = 86_400_000_000;

fn kept(said: Said, retention: Retention, personal: bool) -> Said {
    let mut said = said;
    for part in &mut said.parts {
        let label = Arc::make_mut(&mut part.label);
        (label.retention, label.personal) = (retention, personal);
    }
    said
}

/// A thing of each tier, one that is personal, and a relation.
fn with_tiers() -> World {
    let mut world = World::in_memory();
    for retention in Retention::ALL {
        world.say(kept(entity(retention.as_str(), "host", "x"), *retention, false));
    }
    world.say(kept(entity("person", "person", "x"), Retention::Long1825d, true));
    world.say(kept(entity("held person", "person", "x"), Retention::LegalHold, true));
    world.say(relation("tie", "knows", "short-30d", "standard-365d"));
    world
}

fn shown_at(world: &World, days: i64) -> Vec<String> {
    let view = world.view().at(world.time_us + days * DAY_US);
    let mut shown = Vec::new();
    view.things(world.tenant, &mut |_, row| {
        shown.extend((!row.said.is_empty()).then_some(row.id));
        Ok(std::ops::ControlFlow::Continue(()))
    })
    .expect("readable");
    shown
}

fn due(world: &World, days: i64) -> (Vec<ThingId>, Vec<Due>) {
    let (mut things, mut all) = (Vec::new(), Vec::new());
    world
        .view()
        .due(world.tenant, world.time_us + days * DAY_US, &mut |thing, due| {
            things.push(thing);
            all.extend(due);
            Ok(())
        })
        .expect("readable");
    (things, all)
}

fn purge(world: &mut World, days: i64) -> usize {
    let (mut things, over) = due(world, days);
    things.sort_by_key(|thing| std::cmp::Reverse(*thing));
    let (tenant, now_us) = (world.tenant, world.time_us + days * DAY_US);
    let erased_before = world.view().head(tenant).expect("read").erased;
    world.one(Command::PurgeThings(PurgeThings { tenant, things, now_us }));
    world.check();
    let sweep = Sweep { tenant, from: Lsn::FIRST, replaced_before_us: 0, below: Lsn::NONE };
    assert_eq!(world.one(Command::Sweep(sweep)), Effect::Done);
    world.one(Command::EndPurge(EndPurge { tenant, actor: ActorId::NODE, erased_before, bytes: 1 }));
    world.check();
    over.len()
}

#[test]
fn what_is_over_is_hidden_by_its_tier_and_then_removed() {
    let mut world = with_tiers();
    assert_eq!(shown_at(&world, 6).len(), 8);
    assert!(!shown_at(&world, 8).contains(&"ephemeral-7d".to_owned()));
    let month = shown_at(&world, 31);
    assert!(!month.contains(&"short-30d".to_owned()) && !month.contains(&"person".to_owned()), "{month:?}");
    assert_eq!(shown_at(&world, 366), ["long-1825d", "legal-hold", "held person"]);
    assert_eq!(shown_at(&world, 40_000), ["legal-hold", "held person"]);

    assert_eq!(purge(&mut world, 6), 0);
    assert_eq!(purge(&mut world, 31), 3);
    // What a relation joins is hidden; its name stays as long as the relation.
    assert!(world.view().thing_by_id(world.tenant, "person").expect("read").is_none());
    assert!(
        world.view().thing_by_id(world.tenant, "short-30d").expect("read").expect("bare").1.said.is_empty()
    );
    assert_eq!(purge(&mut world, 40_000), 3);
    assert_eq!(purge(&mut world, 40_000), 0, "what was bare goes behind what it was joined to");
    let head = world.view().head(world.tenant).expect("read");
    assert_eq!((head.entities, head.relations, head.erased), (2, 0, 6));
}

#[test]
fn saying_it_again_keeps_it() {
    let mut world = with_tiers();
    world.time_us += 5 * DAY_US;
    let again = kept(entity("ephemeral-7d", "host", "x"), Retention::Ephemeral7d, false);
    assert_eq!(world.say(again), Effect::Unchanged);
    assert!(shown_at(&world, 6).contains(&"ephemeral-7d".to_owned()));
    assert!(!shown_at(&world, 8).contains(&"ephemeral-7d".to_owned()));
}

#[test]
fn a_relation_is_kept_from_the_end_of_what_it_holds_for() {
    let mut world = with_tiers();
    let until_us = world.time_us + 100 * DAY_US;
    let mut lasting =
        kept(relation("lasting", "knows", "legal-hold", "held person"), Retention::Short30d, false);
    lasting.until = Some(("in a hundred days".to_owned(), until_us));
    let mut past = kept(relation("past", "knows", "legal-hold", "held person"), Retention::Short30d, false);
    past.until = Some(("long ago".to_owned(), 0));
    world.say(lasting);
    world.say(past);
    assert!(shown_at(&world, 29).contains(&"past".to_owned()), "what is said today is kept from today");
    let later = shown_at(&world, 129);
    assert!(later.contains(&"lasting".to_owned()) && !later.contains(&"past".to_owned()), "{later:?}");
    assert!(!shown_at(&world, 131).contains(&"lasting".to_owned()));
}

#[test]
fn a_hold_keeps_what_is_over() {
    for held in
        [Selection::Thing("person".to_owned()), Selection::Source("attack".to_owned()), Selection::Tenant]
    {
        let mut world = with_tiers();
        let (tenant, reason) = (world.tenant, "litigation".to_owned());
        world.one(Command::SetHold(SetHold {
            tenant,
            actor: ActorId::NODE,
            selection: held.clone(),
            reason,
        }));
        purge(&mut world, 40_000);
        // What was joined goes behind what it was joined by.
        purge(&mut world, 40_000);
        let (_, person) = world.view().thing_by_id(world.tenant, "person").expect("read").expect("kept");
        assert_eq!(person.said.len(), 1, "{held:?}");
        let everything = matches!(held, Selection::Source(_) | Selection::Tenant);
        assert_eq!(
            world.view().head(tenant).expect("read").entities,
            if everything { 7 } else { 3 },
            "{held:?}"
        );
        // A purge that does not ask first is refused all the same.
        let now_us = world.time_us + 40_000 * DAY_US;
        let things = (1..=20).map(ThingId).collect();
        world.one(Command::PurgeThings(PurgeThings { tenant, things, now_us }));
        assert!(world.view().thing_by_id(world.tenant, "person").expect("read").is_some());
    }
}

#[test]
fn what_was_replaced_goes_from_the_log_when_it_is_old_and_followed() {
    let mut world = with_tiers();
    let save = |world: &mut World, note: &str, replaces: Lsn| {
        let nodes = vec![GraphNode { thing: 1, ..GraphNode::default() }];
        let (name, note) = ("ours".to_owned(), note.to_owned());
        let graph = Graph { id: "g".to_owned(), name, note, nodes, replaces: replaces.0, ..Graph::default() };
        let save = SaveGraph { tenant: world.tenant, actor: ActorId(1), graph };
        world.write(vec![Command::SaveGraph(save)]).remove(0).expect("saved").lsn
    };
    let first = save(&mut world, "first", Lsn::NONE);
    let second = save(&mut world, "second", first);
    let tenant = world.tenant;
    let sweep = |world: &mut World, replaced_before_us, below| {
        world.one(Command::Sweep(Sweep { tenant, from: Lsn::FIRST, replaced_before_us, below }));
        world.check();
        let is_there = |lsn| world.view().record(tenant, lsn).expect("read").body().is_some();
        (is_there(first), is_there(second))
    };
    let soon = world.time_us + 1;
    assert_eq!(sweep(&mut world, 0, Lsn(u64::MAX)), (true, true), "nothing is old");
    assert_eq!(sweep(&mut world, soon, first), (true, true), "a follower has not seen it");
    assert_eq!(sweep(&mut world, soon, Lsn(u64::MAX)), (false, true));
    assert_eq!(world.view().graph(tenant, "g").expect("read").expect("saved").version(), second);
}

#[test]
fn a_graph_keeps_its_name_when_something_on_it_goes_by_its_age() {
    let mut world = with_tiers();
    let nodes = [1, 4].map(|thing| GraphNode { thing, ..GraphNode::default() }).to_vec();
    let (name, note) = ("ours".to_owned(), "what we know".to_owned());
    let graph = Graph { id: "g".to_owned(), name, note, nodes, ..Graph::default() };
    world.one(Command::SaveGraph(SaveGraph { tenant: world.tenant, actor: ActorId(1), graph }));
    purge(&mut world, 8);
    let row = world.view().graph(world.tenant, "g").expect("read").expect("saved");
    let left = world.view().graph_saved(world.tenant, row.version()).expect("read").expect("held");
    assert_eq!((left.name.as_str(), left.note.as_str(), left.nodes.len()), ("ours", "what we know", 1));
}

/// What may go of a log is listed the first time that it is looked for. Whoever reads a part of the log again meets what is damaged
/// in it.
#[test]
fn a_log_is_gone_through_once() {
    let place = tempfile::tempdir().expect("a directory");
    let sweep = |world: &World| {
        let (from, below) = (Lsn::FIRST, Lsn::NONE);
        let sweep = Sweep { tenant: world.tenant, from, replaced_before_us: 0, below };
        let stamp = Stamp { time_us: world.time_us, seed: [5; 32] };
        let written = world.store.write(&[Command::Sweep(sweep)], stamp);
        written.and_then(|mut committed| committed.answers.remove(0)).map(|applied| applied.effect)
    };
    let says = |world: &mut World, id: &str| {
        world.say(entity(id, "host", "x"));
        let (tenant, actor, id) = (world.tenant, ActorId::NODE, id.to_owned());
        world.one(Command::Delete(Delete { tenant, actor, id }));
    };
    let mut world = World::on_disk(place.path());
    says(&mut world, "a");
    assert_eq!(sweep(&world), Ok(Effect::Done));
    world.check();
    drop(world);
    damage_first_row_of_log(place.path());
    let mut world = World::on_disk(place.path());
    says(&mut world, "b");
    assert_eq!(sweep(&world), Ok(Effect::Done), "what is new is listed, and what is old is not read");
    let head = world.view().head(world.tenant).expect("read");
    assert_eq!(head.loose_to, head.next_lsn);
    drop(world);

    let place = tempfile::tempdir().expect("a directory");
    drop(World::on_disk(place.path()));
    damage_first_row_of_log(place.path());
    assert!(matches!(sweep(&World::on_disk(place.path())), Err(Error::Corrupt { what: "log", .. })));
}

fn damage_first_row_of_log(directory: &Path) {
    let database = Database::open(directory.join("store.redb")).expect("opens");
    let write = database.begin_write().expect("writes");
    {
        let log: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new(Table::Log.name());
        let mut rows = write.open_table(log).expect("opens");
        let first = rows.first().expect("readable").expect("a row");
        let (key, mut row) = (first.0.value().to_vec(), first.1.value().to_vec());
        drop(first);
        *row.last_mut().expect("a checksum") ^= 1;
        rows.insert(key.as_slice(), row.as_slice()).expect("changes");
    }
    write.commit().expect("commits");
}

#[test]
fn a_clock_that_jumps_is_not_believed_until_somebody_vouches_for_it() {
    let mut world = World::in_memory();
    world.time_us = 1_700_000_000_000_000;
    let look =
        |world: &mut World, vouched| world.write(vec![Command::SeeClock(SeeClock { vouched })]).remove(0);
    look(&mut world, false).expect("the first time");
    world.time_us += DAY_US - 10_000;
    look(&mut world, false).expect("less than a day");
    world.time_us -= DAY_US / 2;
    look(&mut world, false).expect("back by less than a day");
    let seen_us = world.view().node().expect("read").clock_us;
    assert!(seen_us > world.time_us, "what is over stays over");
    world.time_us = seen_us;
    for jump in [2 * DAY_US, -4 * DAY_US] {
        let seen_us = world.view().node().expect("read").clock_us;
        world.time_us += jump;
        let refused = look(&mut world, false);
        assert_eq!(refused, Err(Error::ClockJumped { seen_us, now_us: world.time_us }));
        assert_eq!(
            look(&mut world, false).map_err(|error| error.code()),
            Err("clock_jumped"),
            "nor the second time"
        );
    }
    look(&mut world, true).expect("vouched for");
    assert_eq!(world.view().node().expect("read").clock_us, world.time_us);
}
