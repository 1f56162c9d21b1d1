//! What somebody may try to make the store say: each limit at its edge, and nothing left behind.

#[allow(dead_code, reason = "several tests build on it, and none needs all of it")]
mod world;

use std::sync::Arc;

use storage::batch::LABELS_MAX;
use storage::model::{Claim, EdgeSaid, Said, Text};
use storage::{Error, ErrorKind};
use world::{World, entity, relation};

#[test]
fn limits_hold_to_the_byte() {
    let mut world = World::in_memory();
    accepted(&mut world, named(&"x".repeat(512)));
    refused(&mut world, named(&"x".repeat(513)), "id");
    accepted(&mut world, named(&"\u{10ffff}".repeat(128)));
    refused(&mut world, named(&"é".repeat(257)), "id");
    accepted(&mut world, with(|said| said.thing_type = "t".repeat(256)));
    refused(&mut world, with(|said| said.thing_type = "t".repeat(257)), "type");
    accepted(&mut world, with(|said| said.parts[0].texts[0].text = "t".repeat(1 << 20)));
    refused(
        &mut world,
        with(|said| said.parts[0].texts[0].text = "t".repeat((1 << 20) + 1)),
        "text too long",
    );
    refused(&mut world, with(|said| said.parts[0].texts = vec![text(1 << 20); 8]), "record too large");
    accepted(&mut world, with(|said| said.parts[0].texts = vec![text(1 << 20); 7]));
    world.check();
}

/// Readers pay for every label that there is: one more than the limit is refused, alone or among others.
#[test]
fn labels_are_so_many_and_no_more() {
    let mut world = World::in_memory();
    let labelled = |labels: std::ops::Range<u32>| {
        let mut said = entity(&format!("t{}-{}", labels.start, labels.end), "malware", "x");
        let part = said.parts.remove(0);
        for compartment in labels {
            let mut part = part.clone();
            Arc::make_mut(&mut part.label).compartments = vec![format!("c{compartment}")];
            said.parts.push(part);
        }
        said
    };
    for first in (0..LABELS_MAX - 64).step_by(64) {
        accepted(&mut world, labelled(first..first + 64));
    }
    accepted(&mut world, labelled(LABELS_MAX - 64..LABELS_MAX - 1));
    refused(&mut world, labelled(LABELS_MAX - 1..LABELS_MAX + 1), "too many labels");
    accepted(&mut world, labelled(LABELS_MAX - 1..LABELS_MAX));
    refused(&mut world, labelled(LABELS_MAX..LABELS_MAX + 1), "too many labels");
    accepted(&mut world, labelled(7..9));
}

#[test]
fn what_means_something_to_machines_is_only_text() {
    let mut world = World::in_memory();
    for id in
        ["../../etc/passwd", "%00", "' OR 1=1 --", "<script>", "\u{202e}evil", "a\u{300}", " ", "\u{feff}"]
    {
        accepted(&mut world, named(id));
    }
    for id in ["", "a\0b", "a\nb", "\u{85}", "\u{1b}[2J", "\u{7f}"] {
        refused(&mut world, named(id), "id");
    }
    world.check();
}

#[test]
fn what_contradicts_itself_is_refused() {
    let mut world = World::in_memory();
    world.say(entity("a", "malware", "Duqu"));
    refused(&mut world, with(|said| said.parts.clear()), "nothing said");
    refused(&mut world, with(|said| said.parts.push(said.parts[0].clone())), "label given twice");
    refused(&mut world, with(|said| said.parts[0].claims.push(Claim::default())), "property name");
    for weight in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut weighted = relation("r", "uses", "a", "a");
        weighted.weight = Some(weight);
        refused(&mut world, weighted, "weight");
    }
    let mut endless = relation("r", "uses", "a", "a");
    endless.edges.clear();
    refused(&mut world, endless, "relation without ends");
    let mut astray = relation("r", "uses", "a", "a");
    astray.edges.push(EdgeSaid { to: "\n".to_owned(), ..astray.edges[0].clone() });
    refused(&mut world, astray, "id");
    world.check();
}

#[test]
fn a_thing_may_point_at_itself_and_at_one_end_twice() {
    let mut world = World::in_memory();
    let mut knot = relation("knot", "uses", "knot", "knot");
    knot.edges.push(knot.edges[0].clone());
    accepted(&mut world, knot);
    let mut looped = entity("b", "malware", "b");
    looped.edges = vec![EdgeSaid { kind: "self".to_owned(), from: String::new(), to: "b".to_owned() }];
    accepted(&mut world, looped);
    world.check();
}

#[test]
fn a_clock_that_jumps_moves_no_record_back() {
    let mut world = World::in_memory();
    for time_us in [i64::MAX - 10_000, 0, i64::MIN, -1] {
        world.time_us = time_us;
        let name = format!("at {time_us}");
        world.say(entity("a", "malware", &name));
        world.say(entity("a", "malware", &name));
    }
    world.check();
}

fn accepted(world: &mut World, said: Said) {
    world.say(said);
}

fn refused(world: &mut World, said: Said, why: &str) {
    let head = world.head();
    let command = world.assert(said);
    match world.write(vec![command]).remove(0) {
        Err(error @ Error::Invalid { what, .. }) => {
            assert_eq!((what, error.kind()), (why, ErrorKind::Invalid));
            assert!(error.to_string().len() < 2000, "the value is cut");
        }
        other => panic!("{why}: {other:?}"),
    }
    assert_eq!(world.head(), head);
}

fn named(id: &str) -> Said {
    entity(id, "malware", "x")
}

/// A thing of its own each time, changed.
fn with(change: impl FnOnce(&mut Said)) -> Said {
    let mut said = named("changed");
    said.parts[0].texts = vec![text(1)];
    change(&mut said);
    said.id = format!("{}-{}", said.thing_type.len(), said.parts.first().map_or(0, |part| part.texts.len()));
    said
}

fn text(bytes: usize) -> Text {
    Text { text: "t".repeat(bytes), of_claim: String::new() }
}
