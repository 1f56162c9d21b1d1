//! Redactions and holds: what they take, what they leave, and that a store is whole after each step.

#[allow(dead_code, reason = "several tests build on it, and none needs all of it")]
mod world;

use std::ops::ControlFlow;

use storage::commands::{
    Command, Delete, Effect, EndRedaction, EraseSome, LiftRedaction, Lifted, NoteChanges, Redact, RemoveHold,
    SetHold,
};
use storage::ids::{ActorId, CommitNo, Lsn};
use storage::model::Selection;
use storage::tables::Table;
use storage::tx::Read;
use storage::{Error, Result};
use world::{World, entity, relation};

const CANARY: &str = "canary-5b1f";

fn thing(id: &str) -> Selection {
    Selection::Thing(id.to_owned())
}

fn redact(world: &mut World, selection: Selection) -> Result<Lsn> {
    let reason = "asked to be forgotten".to_owned();
    let command = Redact { tenant: world.tenant, actor: ActorId::NODE, selection, reason };
    Ok(world.write(vec![Command::Redact(command)]).remove(0)?.lsn)
}

/// Every step in a commit of its own, with the store checked behind each.
fn erase(world: &mut World, redaction: Lsn) {
    let tenant = world.tenant;
    loop {
        let effect = world.one(Command::EraseSome(EraseSome { tenant, redaction }));
        world.check();
        if effect == Effect::Done {
            break;
        }
        assert_eq!(effect, Effect::More);
    }
    world.one(Command::EndRedaction(EndRedaction { tenant, redaction }));
    world.check();
}

fn tables_with(world: &World, text: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    for table in Table::ALL {
        let has = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        world
            .view()
            .scan(*table, &[], None, &mut |key, row| {
                if (has(key) || has(row)) && found.last() != Some(&table.name()) {
                    found.push(table.name());
                }
                Ok(ControlFlow::Continue(()))
            })
            .expect("readable");
    }
    found
}

/// A person with a history, relations, a relation of a relation, and one that waits.
fn person(world: &mut World) {
    world.say(entity(CANARY, "person", "first name"));
    world.say(entity(CANARY, "person", &format!("name of {CANARY}")));
    world.say(entity("other", "person", "other"));
    world.say(relation(&format!("knows-{CANARY}"), "knows", CANARY, "other"));
    world.say(relation("about-it", "about", "other", &format!("knows-{CANARY}")));
    world.say(relation("stays", "knows", "other", "other"));
    world.one(Command::Delete(Delete { tenant: world.tenant, actor: ActorId::NODE, id: CANARY.to_owned() }));
    let run = world.begin_run();
    let if_end_missing = storage::commands::IfEndMissing::Pend { run, input: 0, line: 1, number: 7 };
    let waits = world.assert_if(relation("waits", "knows", CANARY, "never comes"), if_end_missing);
    assert_eq!(world.one(waits), Effect::Pending);
}

#[test]
fn a_thing_is_gone_from_every_table_with_all_that_joins_it() {
    let mut world = World::in_memory();
    person(&mut world);
    let leaves = leaves(&world);
    assert!(tables_with(&world, CANARY).len() >= 4, "{:?}", tables_with(&world, CANARY));

    let number = |id: &str| world.view().thing_by_id(world.tenant, id).expect("read").expect("there").0;
    let numbers = [number(CANARY), number(&format!("knows-{CANARY}"))];
    let redaction = redact(&mut world, thing(CANARY)).expect("begins");
    let view = world.view();
    assert_eq!(
        view.thing_by_id(world.tenant, CANARY).expect("read"),
        None,
        "hidden from the first moment on"
    );
    for number in numbers {
        assert!(view.thing(world.tenant, number).expect("read").said.is_empty(), "also by its number");
        assert!(view.before(world.tenant, number).expect("read").is_empty(), "and what was said before");
    }
    world.check();
    erase(&mut world, redaction);

    assert_eq!(tables_with(&world, CANARY), Vec::<&str>::new());
    let view = world.view();
    assert!(view.thing_by_id(world.tenant, "about-it").expect("read").is_none());
    assert!(view.thing_by_id(world.tenant, "stays").expect("read").is_some());
    assert_eq!(self::leaves(&world)[..leaves.len()], leaves, "headers and digests stay");
    let row = view.redaction(world.tenant, redaction).expect("read").expect("done");
    assert!(row.records >= 5 && row.bytes > 100 && row.ended().is_some(), "{row:?}");
}

/// Increments go on over a redaction: what was noted before it names nobody, nor does what is made of that.
#[test]
fn what_is_noted_for_increments_names_nobody() {
    let mut world = World::in_memory();
    world.one(Command::NoteChanges(NoteChanges));
    let since = CommitNo(world.view().node().expect("read").commit);
    let names_it = |world: &World| {
        let mut increment = Vec::new();
        let taken = world.view().changed_blocks(since, &mut |block| {
            increment.extend(block);
            Ok(())
        });
        taken.expect("readable");
        increment.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
    };
    person(&mut world);
    assert!(names_it(&world), "before it is erased");
    let redaction = redact(&mut world, thing(CANARY)).expect("begins");
    erase(&mut world, redaction);
    assert!(world.view().notes_changes_since(since).expect("read"), "what has changed is still known");
    assert_eq!(tables_with(&world, CANARY), Vec::<&str>::new());
    assert!(!names_it(&world));
}

#[test]
fn what_was_redacted_is_refused_until_that_is_lifted() {
    let mut world = World::in_memory();
    person(&mut world);
    let redaction = redact(&mut world, thing(CANARY)).expect("begins");
    let refused = |world: &mut World| {
        let again = world.assert(entity(CANARY, "person", "again"));
        let joined = world.assert(relation("new", "knows", "other", CANARY));
        world
            .write(vec![again, joined])
            .into_iter()
            .map(|answer| answer.map_err(|error| error.code()))
            .collect::<Vec<_>>()
    };
    assert_eq!(refused(&mut world), [Err("redacted"), Err("redacted")], "while it goes on");
    erase(&mut world, redaction);
    assert_eq!(refused(&mut world), [Err("redacted"), Err("redacted")]);
    assert_eq!(redact(&mut world, thing(CANARY)).map_err(|error| error.code()), Err("not_found"));

    let lift = LiftRedaction { tenant: world.tenant, actor: ActorId::NODE, of: Lifted::Last(thing(CANARY)) };
    world.one(Command::LiftRedaction(lift.clone()));
    world.check();
    assert!(world.write(vec![Command::LiftRedaction(lift)]).remove(0).is_err(), "lifted once");
    assert_eq!(world.say(entity(CANARY, "person", "again")), Effect::Created);
    world.check();
    let again = redact(&mut world, thing(CANARY)).expect("begins anew");
    erase(&mut world, again);
    assert_eq!(tables_with(&world, CANARY), Vec::<&str>::new());
}

#[test]
fn a_source_goes_with_the_things_of_which_nobody_else_speaks() {
    let mut world = World::in_memory();
    let (first, second) = (world.source, world.declare("wiki"));
    world.say(entity("shared", "person", "first says"));
    world.say(entity("mine", "person", CANARY));
    world.say(entity("mine", "person", &format!("{CANARY} again")));
    world.say(relation("tie", "knows", "mine", "shared"));
    world.source = second;
    world.say(world::of("wiki", entity("shared", "person", "second says")));
    world.say(world::of("wiki", relation("theirs", "knows", "shared", "mine")));
    world.source = first;
    world.say(entity("shared", "person", &format!("{CANARY} at last")));

    let redaction = redact(&mut world, Selection::Source("attack".to_owned())).expect("begins");
    let view = world.view();
    let (_, shared) = view.thing_by_id(world.tenant, "shared").expect("read").expect("there");
    assert_eq!(shared.said.len(), 1, "what the source says is hidden from the first moment on");
    erase(&mut world, redaction);

    assert_eq!(tables_with(&world, CANARY), Vec::<&str>::new());
    assert_eq!(world.shown_name("shared"), "\"second says\"");
    for gone in ["mine", "tie", "theirs"] {
        assert!(world.view().thing_by_id(world.tenant, gone).expect("read").is_none(), "{gone}");
    }
    let again = world.assert(entity("new", "person", "x"));
    let answer = world.write(vec![again]).remove(0);
    assert_eq!(answer, Err(Error::Redacted), "the source is refused");
    world.source = second;
    let elsewhere = world.assert(world::of("wiki", entity("mine", "person", "x")));
    assert_eq!(world.write(vec![elsewhere]).remove(0), Err(Error::Redacted), "from wherever it comes");
}

#[test]
fn a_hold_wins() {
    for held in [thing(CANARY), thing("other"), Selection::Source("attack".to_owned()), Selection::Tenant] {
        let mut world = World::in_memory();
        person(&mut world);
        let reason = "litigation".to_owned();
        let set = SetHold { tenant: world.tenant, actor: ActorId::NODE, selection: held.clone(), reason };
        let hold = world.write(vec![Command::SetHold(set)]).remove(0).expect("set").lsn;
        world.check();
        for selection in [thing(CANARY), Selection::Source("attack".to_owned())] {
            assert_eq!(redact(&mut world, selection), Err(Error::Held { hold }), "{held:?}");
        }
        let remove = RemoveHold { tenant: world.tenant, actor: ActorId::NODE, hold };
        world.one(Command::RemoveHold(remove.clone()));
        assert!(world.write(vec![Command::RemoveHold(remove)]).remove(0).is_err(), "removed once");
        world.check();
        let redaction = redact(&mut world, thing(CANARY)).expect("begins");
        erase(&mut world, redaction);
    }
}

#[test]
fn a_hub_goes_in_steps() {
    let mut world = World::in_memory();
    world.say(entity(CANARY, "person", "hub"));
    for number in 0..600 {
        world.say(entity(&format!("e{number}"), "person", "spoke"));
        world.say(relation(&format!("r{number}"), "knows", CANARY, &format!("e{number}")));
    }
    let redaction = redact(&mut world, thing(CANARY)).expect("begins");
    erase(&mut world, redaction);
    assert_eq!(tables_with(&world, CANARY), Vec::<&str>::new());
    let head = world.view().head(world.tenant).expect("read");
    assert_eq!((head.entities, head.relations, head.erased), (600, 0, 601));
}

#[test]
fn a_reason_is_needed_and_bounded() {
    let mut world = World::in_memory();
    person(&mut world);
    for reason in ["", " ", "two\nlines", &"x".repeat(1001)] {
        let selection = thing(CANARY);
        let command =
            Redact { tenant: world.tenant, actor: ActorId::NODE, selection, reason: reason.to_owned() };
        let answer = world.write(vec![Command::Redact(command)]).remove(0);
        assert_eq!(answer.map_err(|error| error.code()), Err("invalid"), "{reason:?}");
    }
}

fn leaves(world: &World) -> Vec<storage::ledger::Hash> {
    let mut leaves = Vec::new();
    world
        .view()
        .records(world.tenant, Lsn::FIRST, &mut |record| {
            leaves.push(record.leaf().hash());
            Ok(ControlFlow::Continue(()))
        })
        .expect("readable");
    leaves
}
