//! What becomes of the text index when its process or its files are harmed.

#[path = "../../storage/tests/world/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "every test file uses a part of the world")]
mod world;

#[allow(dead_code, unreachable_pub, reason = "every test file uses a part of the world")]
mod text_world;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use index::conformance::{self, Subject};
use index::follower::{self, Follower, Limits, State, Unit};
use index::text::{Allowed, Found, Home, Query, TextIndex};
use storage::ids::{Lsn, TenantId};
use text_world::{Library, drive, open, text_of};
use world::World;

struct Text;

impl Subject for Text {
    type Home = Home;
    type Follower = TextIndex;

    fn home(&self) -> Home {
        Home::memory()
    }

    fn open(&self, home: &Home, tenant: TenantId, origin: &str) -> TextIndex {
        TextIndex::open(home.clone(), tenant, origin).expect("opens").0
    }

    fn contents(&self, text: &TextIndex) -> Vec<String> {
        let pinned = text.reader().pin();
        let mut contents = Vec::new();
        if pinned.documents() > 0 {
            contents.push(format!("{} documents", pinned.documents()));
        }
        for label in 0..10 {
            let labels = roaring::RoaringBitmap::from_iter([label]);
            for word in ["", "alpha", "beta", "gamma", "delta", "text", "again", "secret", "uses"] {
                let query = Query { include_revoked: true, ..ask(word) };
                let allowed = Allowed::Labels(Arc::new(labels.clone()));
                let hits = pinned.search(&query, &allowed, &|| false).expect("answers").hits;
                let mut things: Vec<_> = hits.iter().map(|hit| hit.thing.0).collect();
                things.sort_unstable();
                if !things.is_empty() {
                    contents.push(format!("{label} {word}: {things:?}"));
                }
            }
        }
        contents
    }
}

#[test]
fn the_text_index_keeps_the_promises_of_a_follower() {
    conformance::check(&Text);
}

#[test]
fn any_damage_to_any_file_is_noticed_and_mended() {
    let directory = tempfile::tempdir().expect("tempdir");
    let (library, answers) = filled(&directory.path().join("whole"));
    let whole = directory.path().join("whole");
    let mut damaged = 0;
    for file in files(&whole) {
        let bytes = std::fs::read(whole.join(&file)).expect("read");
        for (number, harmed) in harms(&bytes).into_iter().enumerate() {
            let copy = directory.path().join("harmed");
            copy_files(&whole, &copy);
            match harmed {
                Some(harmed) => std::fs::write(copy.join(&file), harmed).expect("write"),
                None => std::fs::remove_file(copy.join(&file)).expect("remove"),
            }
            let (mut text, found) = open(&library.world, Home::directory(&copy));
            damaged += usize::from(matches!(found, Found::Damage(_)));
            drive(&mut text, &library.world);
            assert_eq!(answer(&text), answers, "{} harmed ({number})", file.display());
            drop(text);
            let found = open(&library.world, Home::directory(&copy)).1;
            assert_eq!(found, Found::Index, "{} harmed ({number}), then mended", file.display());
        }
    }
    assert!(damaged > 60, "only {damaged} of the harms were noticed");
}

#[test]
fn an_index_of_somebody_else_is_not_used() {
    let directory = tempfile::tempdir().expect("tempdir");
    let path = directory.path().join("text");
    let (library, answers) = filled(&path);
    let (tenant, origin) = (library.world.tenant, "intelgraph/another/default/2");
    let (other, found) = TextIndex::open(Home::directory(&path), tenant, origin).expect("opens");
    assert!(matches!(found, Found::Damage(_)), "{found:?}");
    assert_eq!(other.position(), Lsn::NONE);
    drop(other);
    let (mut ours, _) = open(&library.world, Home::directory(&path));
    drive(&mut ours, &library.world);
    assert_eq!(answer(&ours), answers);
}

#[test]
fn an_index_of_an_older_program_is_not_used() {
    let directory = tempfile::tempdir().expect("tempdir");
    let path = directory.path().join("text");
    let (library, answers) = filled(&path);
    // What is known of an index is in the file that the engine replaces with each commit.
    let meta = path.join("meta.json");
    let text = std::fs::read_to_string(&meta).expect("read");
    let (front, payload) = text.split_once("\"payload\"").expect("a payload");
    let older = payload.replacen("\"v", "\"v0", 1).replacen("\\nv", "\\nv0", 1);
    assert_eq!(older.len(), payload.len() + 2, "{payload}");
    std::fs::write(&meta, format!("{front}\"payload\"{older}")).expect("write");
    let (mut text, found) = open(&library.world, Home::directory(&path));
    assert!(matches!(found, Found::Damage(_)), "{found:?}");
    drive(&mut text, &library.world);
    assert_eq!(answer(&text), answers);
}

/// The store is opened anew while a step is under way: what the step had taken in is not committed by the next.
#[test]
fn a_step_that_failed_leaves_nothing() {
    let directory = tempfile::tempdir().expect("tempdir");
    let mut world = World::on_disk(directory.path());
    let (mut text, _) = open(&world, Home::memory());
    world.say(text_of("a", "Duqu", "words"));
    drive(&mut text, &world);
    let before = (text.position(), found(&text, "words"));
    world.say(text_of("b", "Flame", "first words"));
    world.say(text_of("c", "Stuxnet", "words"));
    let (view, asked) = (world.view(), Cell::new(0));
    // Once before the step, and before each record.
    let fails_at_the_second = || {
        asked.set(asked.get() + 1);
        if asked.get() == 3 {
            world.store.reopen().expect("opens");
        }
        false
    };
    let failed = follower::drive(&mut text, &view, Limits::default(), &fails_at_the_second);
    assert!(matches!(failed, Err(index::Error::Storage(_))), "{failed:?}");
    assert_eq!((text.position(), found(&text, "words")), before);
    world.say(text_of("b", "Flame", "second words"));
    drive(&mut text, &world);
    assert_eq!([found(&text, "first"), found(&text, "words")], [0, 3]);
}

fn found(text: &TextIndex, words: &str) -> usize {
    let hits = text.reader().pin().search(&ask(words), &Allowed::Every, &|| false);
    hits.expect("answers").hits.len()
}

#[test]
fn a_unit_that_is_ahead_of_the_log_begins_anew() {
    let (mut library, _) = Library::at(Home::memory());
    library.say(text_of("a", "Duqu", "words"));
    let early = library.world.view();
    library.say(text_of("b", "Flame", "words"));
    library.drive();
    let mut unit = Unit::new(library.text);
    let step = |unit: &mut Unit<TextIndex>| unit.step(&early, Limits::default(), &|| false).expect("steps");
    assert!(!step(&mut unit).is_current());
    assert!(
        matches!(unit.state(), State::Rebuilding(reason) if reason.contains("ahead")),
        "{:?}",
        unit.state()
    );
    let progress = step(&mut unit);
    assert!(progress.is_current() && progress.bootstrapped);
    assert_eq!(unit.state(), &State::Current);
    let hits = unit.follower().reader().pin().search(&ask("words"), &Allowed::Every, &|| false);
    assert_eq!(hits.expect("answers").hits.len(), 1);
}

#[test]
fn a_closed_writer_costs_nothing_and_opens_by_itself() {
    let mut library = Library::new();
    library.say(text_of("a", "Duqu", "words"));
    library.drive();
    assert!(library.text.has_writer());
    library.say(text_of("c", "Stuxnet", "words"));
    let view = library.world.view();
    let record = view.record(library.world.tenant, library.world.head()).expect("read");
    library.text.apply(&view, &record).expect("applies");
    library.text.close_writer().expect("closes");
    assert!(!library.text.has_writer());
    let hits = library.pin().search(&ask("words"), &Allowed::Every, &|| false).expect("answers");
    assert_eq!(hits.hits.len(), 1, "what was not committed is lost");
    library.say(text_of("b", "Flame", "words"));
    assert_eq!(library.found("words").len(), 3);
}

/// Several segments, one with deletions.
fn filled(path: &Path) -> (Library, Vec<String>) {
    let (mut library, found) = Library::at(Home::directory(path));
    assert_eq!(found, Found::Nothing);
    for batch in 0..3 {
        for n in 0..8 {
            let text = format!("batch{batch} words number{n} of many");
            library.say(text_of(&format!("t{batch}-{n}"), &format!("Title {n}"), &text));
        }
        library.drive();
    }
    library.delete("t0-0");
    library.say(text_of("t1-1", "Title", "replaced"));
    library.drive();
    library.text.close_writer().expect("closes");
    let answers = answer(&library.text);
    (library, answers)
}

fn answer(text: &TextIndex) -> Vec<String> {
    let pinned = text.reader().pin();
    let mut answers = Vec::new();
    for words in
        ["", "words", "batch1", "title", "replaced", "nomber3", "\"many words\"", "\"of many\"", "t2-2"]
    {
        let hits = pinned.search(&ask(words), &Allowed::Every, &|| false).expect("answers");
        let mut things: Vec<_> = hits.hits.iter().map(|hit| hit.thing.0).collect();
        things.sort_unstable();
        answers.push(format!("{words}: {things:?}"));
    }
    answers
}

fn ask(text: &str) -> Query {
    Query { text: text.to_owned(), limit: 100, ..Query::default() }
}

/// A missing file, an empty one, cut ones, and a flipped bit here and there.
fn harms(bytes: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut harms = vec![None, Some(vec![]), Some(bytes[..bytes.len() / 2].to_vec())];
    harms.push(Some(bytes[..bytes.len().saturating_sub(1)].to_vec()));
    let step = (bytes.len() / 5).max(1);
    for at in (0..bytes.len()).step_by(step) {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1 << (at % 8);
        harms.push(Some(flipped));
    }
    harms
}

fn files(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).expect("read");
    let mut names: Vec<_> = entries.map(|entry| PathBuf::from(entry.expect("entry").file_name())).collect();
    names.sort();
    names
}

fn copy_files(from: &Path, to: &Path) {
    if to.exists() {
        std::fs::remove_dir_all(to).expect("remove");
    }
    std::fs::create_dir(to).expect("create");
    for file in files(from) {
        std::fs::copy(from.join(&file), to.join(&file)).expect("copy");
    }
}
