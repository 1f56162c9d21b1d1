//! What is found near a vector, held against a comparison of everything.

#[path = "../../storage/tests/world/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "every test file uses a part of the world")]
mod world;

#[allow(dead_code, unreachable_pub, reason = "every test file uses a part of the world")]
mod vector_world;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use index::ErrorKind;
use index::follower::Follower;
use index::text::{Allowed, TimeRange};
use index::vector::{Filter, Home, NEAREST_MAX, Near, Pinned, RECALL_MIN, Recall};
use storage::model::{Embedding, Form, Said};
use vector_world::{GO_ON, Random, Shelf, Words, everything, labelled, narrowed, text_of};
use world::{World, relation};

const DIMENSION: usize = 32;
const TEXTS: usize = 12_000;
/// Compartments, the first of which has half of all texts, the next half of the rest, and so on.
const COMPARTMENTS: u32 = 7;

#[test]
fn the_nearest_passages_come_first_one_for_each_document() {
    let words = Words::new(DIMENSION);
    let mut shelf = Shelf::at(Home::memory(), &words);
    shelf.say(text_of("a", "lateral movement\nstolen tickets"));
    shelf.say(text_of("b", "stolen goods"));
    shelf.say(text_of("c", "nothing of it"));
    shelf.drive();
    let nearest = shelf.nearest("stolen tickets", 10, &everything());
    let ids: Vec<_> = nearest.near.iter().map(|near| shelf.id(near)).collect();
    assert_eq!(ids[..2], ["a", "b"]);
    assert_eq!(ids.len(), 3);
    let Near { passage, cosine, .. } = &nearest.near[0];
    assert_eq!((passage.clone(), (cosine - 1.0).abs() < 1e-5), (17..31, true), "{nearest:?}");
    assert_eq!(&"lateral movement\nstolen tickets"[17..31], "stolen tickets");
    // The same after a build.
    shelf.build();
    assert_eq!(shelf.nearest("stolen tickets", 10, &everything()), nearest);
}

#[test]
fn names_are_passages_too_and_what_has_no_words_is_no_document() {
    let words = Words::new(DIMENSION);
    let mut shelf = Shelf::at(Home::memory(), &words);
    let mut named = world::entity("a", "malware", "Duqu the worm");
    named.parts[0].texts.clear();
    shelf.say(named);
    let mut nameless = text_of("b", "");
    nameless.parts[0].texts.clear();
    shelf.say(nameless);
    shelf.drive();
    assert_eq!(shelf.found("Duqu the worm"), ["a"]);
    assert_eq!(shelf.index.reader().pin().vectors(), 1);
}

/// Whatever length it has; one of another model, or of another length, is not used.
#[test]
fn a_vector_that_came_is_used_in_place_of_the_text() {
    let words = Words::new(DIMENSION);
    let mut shelf = Shelf::at(Home::memory(), &words);
    let with = |id: &str, model: &str, vector: &[f32]| -> Said {
        let mut said = text_of(id, "stolen goods");
        said.parts[0].embedding = Some(Embedding { model: model.to_owned(), vector: vector.to_vec() });
        said
    };
    let near = words.vector("lateral movement");
    let thrice: Vec<f32> = near.iter().map(|component| component * 3.0).collect();
    shelf.say(with("a", "words", &thrice));
    shelf.say(with("b", "others", &thrice));
    shelf.say(with("c", "words", &thrice[1..]));
    shelf.drive();
    assert_eq!(words.encoded.load(std::sync::atomic::Ordering::Relaxed), 1, "the one text of two");
    for is_built in [false, true] {
        if is_built {
            shelf.build();
        }
        assert_eq!(
            (shelf.found("lateral movement"), shelf.found("stolen goods").len()),
            (vec!["a".to_owned()], 2)
        );
        let view = shelf.world.view();
        let pinned = shelf.index.reader().pin();
        let stored = |id: &str| {
            let (thing, _) = view.thing_by_id(shelf.world.tenant, id).expect("read").expect("said");
            pinned.stored(thing, &everything()).remove(0)
        };
        assert_eq!(["a", "b", "c"].map(|id| stored(id).is_supplied), [true, false, false]);
        assert_eq!(stored("a").passage, 0..12);
        let vector = pinned.vector(&stored("a")).expect("read");
        assert!(vector.iter().zip(&near).all(|(one, other)| (one - other).abs() < 1e-6));
    }
}

#[test]
fn a_filter_leaves_out_what_it_does_not_name() {
    let words = Words::new(DIMENSION);
    let mut shelf = Shelf::at(Home::memory(), &words);
    shelf.say(text_of("a", "some words"));
    shelf.say(text_of("b", "some words"));
    shelf.say(labelled("c", "some words", "closed"));
    shelf.say(relation("r", "uses", "a", "b"));
    let mut revoked = text_of("d", "some words");
    revoked.status = storage::model::Status::Revoked;
    shelf.say(revoked);
    let mut old = text_of("e", "some words");
    old.observed_at_us = Some(5);
    shelf.say(old);
    for is_built in [false, true] {
        shelf.drive();
        if is_built {
            shelf.build();
        }
        let ids = |filter: &Filter<'_>| -> Vec<String> {
            let near = shelf.nearest("some words", 10, filter).near;
            near.iter().filter(|near| near.cosine > 0.9).map(|near| shelf.id(near)).collect()
        };
        assert_eq!(ids(&everything()), ["a", "b", "c", "d", "e"]);
        assert_eq!(ids(&narrowed(&Allowed::Every, None, None)), ["a", "b", "c", "e"]);
        let early = Some(TimeRange { from_us: 0, to_us: 6 });
        assert_eq!(ids(&narrowed(&Allowed::Every, None, early)), ["e"]);
        assert!(ids(&narrowed(&Allowed::Every, Some(Form::Relation), None)).is_empty());
        let label = shelf.nearest("some words", 10, &everything()).near[0].label;
        let open = Allowed::Labels(Arc::new([label.0].into_iter().collect()));
        assert_eq!(ids(&narrowed(&open, None, None)), ["a", "b", "e"]);
        let nobody = Allowed::Labels(Arc::default());
        assert!(shelf.nearest("some words", 10, &narrowed(&nobody, None, None)).near.is_empty());
    }
}

#[test]
fn what_is_no_vector_is_refused_without_its_components() {
    let words = Words::new(DIMENSION);
    let mut shelf = Shelf::at(Home::memory(), &words);
    shelf.say(text_of("a", "some words"));
    shelf.drive();
    let pinned = shelf.index.reader().pin();
    let sound = words.vector("some words");
    let mut bad = vec![sound[1..].to_vec(), vec![0.0; DIMENSION], vec![f32::NAN; DIMENSION]];
    bad.push(sound.iter().map(|part| part * 3.0).collect());
    for query in bad {
        let refused = pinned.nearest(&query, 10, &everything(), GO_ON).expect_err("refused");
        assert_eq!(refused.kind(), ErrorKind::Invalid);
        assert!(!refused.to_string().contains("NaN") && !refused.to_string().contains("0."), "{refused}");
        assert!(pinned.cosines(&query, &[], &everything()).is_err());
    }
    assert!(pinned.nearest(&sound, NEAREST_MAX + 1, &everything(), GO_ON).is_err());
    assert!(pinned.nearest(&sound, 0, &everything(), GO_ON).expect("answers").near.is_empty());
}

/// Many texts: found by a graph, and held against a comparison of all.
#[test]
fn a_large_index_finds_what_a_comparison_of_everything_finds() {
    let (mut shelf, texts) = many();
    let before = shelf.nearest("w1 w2 w3", 50, &everything());
    assert!(before.exact);
    let report = shelf.build();
    assert_eq!(report.vectors, TEXTS);
    assert!(report.curve.width > 0, "{report:?}");
    assert!(report.curve.points.last().expect("tried").1 >= RECALL_MIN, "{report:?}");
    let walked = check(&shelf, &texts);
    assert!(walked > 0, "nothing was walked");
    // The same of a segment of which a third is gone, and then of its rewritten file.
    let texts: Vec<Text> = texts.into_iter().filter(|text| text.number % 3 != 0).collect();
    for n in (0..TEXTS).step_by(3) {
        shelf.delete(&format!("t{n}"));
    }
    shelf.drive();
    check(&shelf, &texts);
    shelf.index.scrub().expect("scrubs");
    assert_eq!(check(&shelf, &texts), walked);
    shelf.index.check(GO_ON).expect("whole");
    // And of an index that is opened again.
    let Shelf { index, .. } = &shelf;
    assert_eq!(index.sizes(), (0, TEXTS / 3 * 2));
}

#[test]
fn what_walks_find_is_measured_on_the_index_in_use() {
    let (mut shelf, _) = many();
    let pinned = shelf.index.reader().pin();
    assert!(!pinned.has_graph());
    assert_eq!(pinned.recall(0, 5, GO_ON).expect("measures"), Recall::default(), "nothing is walked");
    shelf.build();
    for n in (0..TEXTS).step_by(3) {
        shelf.delete(&format!("t{n}"));
    }
    shelf.drive();
    let pinned = shelf.index.reader().pin();
    assert!(pinned.has_graph());
    let recall = measured(&pinned);
    assert!((20..60).contains(&recall.samples), "what is gone is no question: {recall:?}");
    assert_eq!(recall.wanted, recall.samples * 10);
    assert!(recall.share() >= 0.97, "{recall:?}");
    // So narrow a walk misses much, and it shows.
    let narrow = measured(&pinned.clone().walking(11));
    assert!(narrow.share() < recall.share() - 0.05, "{narrow:?}, {recall:?}");
    assert_eq!(pinned.recall(0, 5, &|| true).expect("stops"), Recall::default());
}

#[test]
fn a_search_that_is_stopped_says_so_and_soon() {
    let (mut shelf, _) = many();
    for is_built in [false, true] {
        if is_built {
            shelf.build();
        }
        let query = shelf.words.vector("w1 w2 w3");
        let asked = Cell::new(0);
        let stop_at_the_third = || {
            asked.set(asked.get() + 1);
            asked.get() >= 3
        };
        let pinned = shelf.index.reader().pin();
        let stopped = pinned.nearest(&query, 1_000, &everything(), &stop_at_the_third).expect("answers");
        assert!(!stopped.complete && !stopped.exact);
        assert!(asked.get() <= 4, "asked {} times", asked.get());
    }
}

fn measured(pinned: &Pinned) -> Recall {
    let turns = (0..20).map(|turn| pinned.recall(turn, 3, GO_ON).expect("measures"));
    turns.fold(Recall::default(), |sum, recall| sum + recall)
}

struct Text {
    number: usize,
    vector: Vec<f32>,
    compartment: u32,
}

fn many() -> (Shelf, Vec<Text>) {
    let words = Words::new(DIMENSION);
    let mut shelf = Shelf::of(World::in_memory(), Home::memory(), &words);
    let mut random = Random(3);
    let mut texts = Vec::new();
    let mut commands = Vec::new();
    for number in 0..TEXTS {
        let text: Vec<_> = (0..6).map(|_| format!("w{}", random.below(400))).collect();
        let text = text.join(" ");
        let compartment = random.next().trailing_zeros().min(COMPARTMENTS - 1);
        texts.push(Text { number, vector: words.vector(&text), compartment });
        let said = labelled(&format!("t{number}"), &text, &format!("c{compartment}"));
        commands.push(shelf.world.assert(said));
    }
    shelf.world.write(commands);
    shelf.drive();
    assert_eq!(shelf.index.position(), shelf.world.head());
    (shelf, texts)
}

/// Asks with every filter; how often a graph was walked.
fn check(shelf: &Shelf, texts: &[Text]) -> usize {
    let (mut walked, mut found, mut wanted) = (0, 0, 0);
    let pinned = shelf.index.reader().pin();
    for (turn, query) in texts.iter().step_by(texts.len() / 50).enumerate() {
        let compartment = (turn % 2 == 1).then_some(turn as u32 % COMPARTMENTS);
        let labels = match compartment {
            Some(compartment) => labels_of(shelf, texts, compartment),
            None => Allowed::Every,
        };
        let filter = narrowed(&labels, None, None);
        let nearest = pinned.nearest(&query.vector, 10, &filter, GO_ON).expect("answers");
        let expected = nearest_of(texts, &query.vector, compartment);
        let ids: BTreeSet<_> = nearest.near.iter().map(|near| shelf.id(near)).collect();
        let hits = expected.iter().filter(|id| ids.contains(*id)).count();
        assert!(nearest.complete);
        if nearest.exact {
            assert_eq!(hits, expected.len(), "an exact answer is not");
        } else {
            walked += 1;
        }
        (found, wanted) = (found + hits, wanted + expected.len());
        let things: Vec<_> = nearest.near.iter().map(|near| near.thing).collect();
        let cosines = pinned.cosines(&query.vector, &things, &filter).expect("answers");
        assert_eq!(cosines.into_iter().flatten().collect::<Vec<_>>(), nearest.near);
    }
    assert!(found * 100 >= wanted * 98, "{found} of {wanted} found");
    walked
}

fn labels_of(shelf: &Shelf, texts: &[Text], compartment: u32) -> Allowed {
    let one = texts.iter().find(|text| text.compartment == compartment).expect("there");
    let view = shelf.world.view();
    let (_, row) =
        view.thing_by_id(shelf.world.tenant, &format!("t{}", one.number)).expect("read").expect("stored");
    Allowed::Labels(Arc::new(row.said.iter().map(|said| said.label).collect()))
}

/// The ten nearest, and whoever is as near as the tenth.
fn nearest_of(texts: &[Text], query: &[f32], compartment: Option<u32>) -> Vec<String> {
    let shown = texts.iter().filter(|text| compartment.is_none_or(|wanted| text.compartment == wanted));
    let mut all: Vec<_> = shown.map(|text| (dot(&text.vector, query), text.number)).collect();
    all.sort_by(|one, other| other.0.total_cmp(&one.0));
    all.truncate(10);
    all.into_iter().map(|(_, number)| format!("t{number}")).collect()
}

fn dot(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}
