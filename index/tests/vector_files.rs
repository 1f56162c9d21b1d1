//! What becomes of the vector index when its process or its files are harmed.

#[path = "../../storage/tests/world/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "every test file uses a part of the world")]
mod world;

#[allow(dead_code, unreachable_pub, reason = "every test file uses a part of the world")]
mod vector_world;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use index::conformance::{self, Subject};
use index::embed::Encoder;
use index::follower::{self, Follower, Limits};
use index::text::Allowed;
use index::vector::{Found, Home, Means, VectorIndex};
use index::{Error, ErrorKind};
use storage::ids::{Lsn, TenantId};
use vector_world::{GO_ON, MEANS, Random, Shelf, Words, build, drive, everything, narrowed, open, text_of};
use world::World;

const DIMENSION: usize = 24;

/// An index that is only ever followed, or one that is built and scrubbed at each opening.
struct Vectors {
    words: Arc<Words>,
    is_built: bool,
}

impl Subject for Vectors {
    type Home = Home;
    type Follower = VectorIndex;

    fn home(&self) -> Home {
        Home::memory()
    }

    fn open(&self, home: &Home, tenant: TenantId, origin: &str) -> VectorIndex {
        let encoder: Arc<dyn Encoder> = Arc::clone(&self.words) as Arc<dyn Encoder>;
        let (mut index, found) = VectorIndex::open(home.clone(), tenant, origin, encoder).expect("opens");
        assert!(!matches!(found, Found::Damage(_)), "{found:?}");
        if self.is_built && index.position() != Lsn::NONE {
            build(&mut index);
            index.scrub().expect("scrubs");
        }
        index
    }

    fn contents(&self, index: &VectorIndex) -> Vec<String> {
        let pinned = index.reader().pin();
        let mut contents = Vec::new();
        if pinned.vectors() > 0 {
            contents.push(format!("{} vectors", pinned.vectors()));
        }
        for label in 0..10 {
            let allowed = Allowed::Labels(Arc::new(roaring::RoaringBitmap::from_iter([label])));
            for words in ["alpha text", "beta text", "gamma", "how one uses the other", "name of a"] {
                for include_revoked in [true, false] {
                    let filter = index::vector::Filter { include_revoked, ..narrowed(&allowed, None, None) };
                    let nearest =
                        pinned.nearest(&self.words.vector(words), 100, &filter, GO_ON).expect("answers");
                    assert!(nearest.exact && nearest.complete);
                    contents.extend(nearest.near.iter().map(|near| format!("{label} {words}: {near:?}")));
                }
            }
        }
        contents
    }
}

#[test]
fn the_vector_index_keeps_the_promises_of_a_follower() {
    conformance::check(&Vectors { words: Words::new(DIMENSION), is_built: false });
}

#[test]
fn an_index_that_is_built_and_scrubbed_all_the_time_keeps_them_too() {
    conformance::check(&Vectors { words: Words::new(DIMENSION), is_built: true });
}

/// How many harms are tried: more with `INTELGRAPH_TEST_DAMAGES`.
#[allow(clippy::disallowed_methods, reason = "how long a test runs is chosen from outside")]
fn damages() -> usize {
    std::env::var("INTELGRAPH_TEST_DAMAGES").ok().and_then(|count| count.parse().ok()).unwrap_or(40)
}

#[test]
fn any_damage_to_any_file_is_noticed_or_harmless_and_mended() {
    let directory = tempfile::tempdir().expect("tempdir");
    let (whole, harmed) = (directory.path().join("whole"), directory.path().join("harmed"));
    let (shelf, answers) = filled(&whole);
    let names = files(&whole);
    let (mut random, mut at_opening, mut at_reading, mut cut) = (Random(11), 0, 0, 0);
    for trial in 0..damages() {
        copy_files(&whole, &harmed);
        let file = harmed.join(&names[trial % names.len()]);
        harm(&file, &mut random);
        let (mut index, found) = open(&shelf.world, Home::directory(&harmed), &shelf.words);
        at_opening += usize::from(matches!(found, Found::Damage(_)));
        cut += usize::from(found == Found::Index && index.position() < shelf.world.head());
        // Whatever it answers before it is mended is right, or an error that says to begin anew.
        drive(&mut index, &shelf.world);
        match answer(&index, &shelf.words) {
            Ok(found) => assert_eq!(found, answers, "trial {trial}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Rebuild, "trial {trial}: {error}"),
        }
        if let Err(error) = index.check(GO_ON) {
            assert_eq!(error.kind(), ErrorKind::Rebuild, "trial {trial}: {error}");
            at_reading += 1;
            index.reset().expect("resets");
            drive(&mut index, &shelf.world);
        }
        assert_eq!(answer(&index, &shelf.words).expect("answers"), answers, "trial {trial}, mended");
        index.check(GO_ON).expect("whole");
    }
    println!("{at_opening} noticed at the opening, {cut} cut off and done again, {at_reading} by a check");
    assert_eq!(at_opening + at_reading + cut, damages(), "a harm went unnoticed");
}

/// The file is harmed under an index that has it open: no answer comes of what is no longer there.
#[test]
fn a_file_that_is_harmed_while_it_is_open_gives_no_wrong_answer() {
    let directory = tempfile::tempdir().expect("tempdir");
    let (whole, harmed) = (directory.path().join("whole"), directory.path().join("harmed"));
    let (shelf, answers) = filled(&whole);
    let mut random = Random(5);
    for trial in 0..damages() {
        copy_files(&whole, &harmed);
        let (mut index, _) = open(&shelf.world, Home::directory(&harmed), &shelf.words);
        let names = files(&harmed);
        harm(&harmed.join(&names[trial % names.len()]), &mut random);
        match answer(&index, &shelf.words) {
            Ok(found) => assert_eq!(found, answers, "trial {trial}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Rebuild, "trial {trial}: {error}");
                assert!(index.damage().is_some());
            }
        }
        let error = index.check(GO_ON).expect_err("a check finds it");
        assert_eq!(error.kind(), ErrorKind::Rebuild, "trial {trial}: {error}");
        index.reset().expect("resets");
        assert_eq!(index.damage(), None);
        drive(&mut index, &shelf.world);
        assert_eq!(answer(&index, &shelf.words).expect("answers"), answers, "trial {trial}, mended");
    }
}

#[test]
fn an_index_of_somebody_else_or_another_model_is_not_used() {
    let directory = tempfile::tempdir().expect("tempdir");
    let path = directory.path().join("vectors");
    let (shelf, _) = filled(&path);
    let (tenant, origin) = (shelf.world.tenant, "intelgraph/another/default/2");
    let encoder: Arc<dyn Encoder> = Arc::clone(&shelf.words) as Arc<dyn Encoder>;
    let (other, found) = VectorIndex::open(Home::directory(&path), tenant, origin, encoder).expect("opens");
    assert!(matches!(found, Found::Damage(_)), "{found:?}");
    assert_eq!(other.position(), Lsn::NONE);
    drop(other);
    let (mut index, _) = open(&shelf.world, Home::directory(&path), &shelf.words);
    drive(&mut index, &shelf.world);
    drop(index);
    let (index, found) = open(&shelf.world, Home::directory(&path), &Words::new(DIMENSION + 1));
    assert!(matches!(found, Found::Damage(_)), "{found:?}");
    assert_eq!(index.position(), Lsn::NONE);
}

#[test]
fn no_text_is_encoded_twice() {
    let words = Words::new(DIMENSION);
    let home = Home::memory();
    let mut shelf = Shelf::at(home.clone(), &words);
    shelf.say(text_of("a", "some text\nand a second line"));
    shelf.say(text_of("b", "some text"));
    shelf.drive();
    assert_eq!(words.encoded.load(Ordering::Relaxed), 2);
    // Said anew with one line changed, after a build, and after a crash.
    shelf.build();
    shelf.say(text_of("a", "some text\nand another line"));
    shelf.drive();
    assert_eq!(words.encoded.load(Ordering::Relaxed), 3);
    let Shelf { world, index, .. } = shelf;
    drop(index);
    let (mut index, _) = open(&world, home, &words);
    drive(&mut index, &world);
    assert_eq!(words.encoded.load(Ordering::Relaxed), 3);
}

/// A stop in the middle of a bootstrap: what was made of it is not lost.
#[test]
fn a_bootstrap_that_is_stopped_goes_on_where_it_was() {
    let words = Words::new(DIMENSION);
    let mut shelf = Shelf::at(Home::memory(), &words);
    for n in 0..40 {
        shelf.say(text_of(&format!("t{n}"), &format!("text number {n}")));
    }
    let view = shelf.world.view();
    let stop = || words.encoded.load(Ordering::Relaxed) >= 25;
    let stopped = follower::drive(&mut shelf.index, &view, Limits::default(), &stop);
    assert_eq!(stopped, Err(Error::Stopped));
    assert_eq!(shelf.index.reader().pin().vectors(), 0);
    shelf.drive();
    assert_eq!(words.encoded.load(Ordering::Relaxed), 40);
    assert_eq!(shelf.index.reader().pin().vectors(), 40);
}

/// A bootstrap that is made in pieces, by several lives of a process: no text is encoded twice, and nothing is found before all is.
#[test]
fn a_bootstrap_is_made_in_pieces_that_last() {
    let (home, words) = (Home::memory(), Words::new(DIMENSION));
    let mut shelf = Shelf::at(home.clone(), &words);
    for n in 0..40 {
        shelf.say(text_of(&format!("t{n}"), &format!("text number {n}")));
    }
    let limits = Limits { texts_max: 15, ..Limits::default() };
    let step = |index: &mut VectorIndex, world: &World| {
        let progress = follower::drive(index, &world.view(), limits, GO_ON).expect("drives");
        (progress.is_current(), words.encoded.load(Ordering::Relaxed))
    };
    assert_eq!(step(&mut shelf.index, &shelf.world), (false, 15));
    assert!(shelf.index.is_bootstrapping());
    let Shelf { mut world, index, .. } = shelf;
    drop(index);
    let (mut index, _) = open(&world, home, &words);
    assert_eq!(step(&mut index, &world), (false, 30), "what was made lasts");
    world.say(text_of("t35", "another text"));
    assert_eq!(step(&mut index, &world), (false, 39), "what is replaced meanwhile is passed over");
    assert_eq!((index.is_bootstrapping(), index.reader().pin().vectors()), (false, 39));
    assert_eq!(step(&mut index, &world), (true, 40));
    assert_eq!(index.reader().pin().vectors(), 40);
}

#[test]
fn what_cannot_be_a_vector_is_skipped_and_counted() {
    let words = Words::new(DIMENSION);
    let mut shelf = Shelf::at(Home::memory(), &words);
    shelf.say(text_of("ok", "sound text"));
    for (n, text) in ["no number", "all zero", "too short", "no token"].into_iter().enumerate() {
        shelf.say(text_of(&format!("bad{n}"), text));
    }
    let progress =
        follower::drive(&mut shelf.index, &shelf.world.view(), Limits::default(), GO_ON).expect("drives");
    assert!(progress.is_current());
    assert_eq!(progress.skipped.count, 4, "{:?}", progress.skipped);
    assert_eq!(shelf.found("sound text"), ["ok"]);
    assert_eq!(shelf.index.reader().pin().vectors(), 1);
}

/// Neither the delta, nor the segment, nor the text's digest keeps anything of what was erased.
#[test]
fn what_is_gone_is_in_no_file_after_a_scrub() {
    let directory = tempfile::tempdir().expect("tempdir");
    let path = directory.path().join("vectors");
    let (mut shelf, _) = filled(&path);
    let (sealed, fresh) = ("canary in the segment", "canary in the log");
    shelf.say(text_of("sealed", sealed));
    shelf.drive();
    shelf.build();
    shelf.say(text_of("fresh", fresh));
    shelf.drive();
    let before = answer(&shelf.index, &shelf.words).expect("answers");
    assert!(holds(&path, &shelf.words.vector(sealed)) && holds(&path, &shelf.words.vector(fresh)));
    assert_eq!((shelf.found(sealed)[0].as_str(), shelf.found(fresh)[0].as_str()), ("sealed", "fresh"));
    shelf.say(text_of("plain", "canary of its own"));
    shelf.drive();
    shelf.build();
    shelf.delete("plain");
    shelf.drive();
    assert!(holds(&path, &shelf.words.vector("canary of its own")));
    shelf.index.scrub().expect("scrubs");
    assert!(!holds(&path, &shelf.words.vector("canary of its own")), "after a plain scrub");
    // A build of before ends after the scrub.
    let late = shelf.index.begin_build().run(MEANS, GO_ON, &|_, _| ()).expect("builds");
    shelf.delete("sealed");
    shelf.delete("fresh");
    shelf.drive();
    shelf.index.scrub().expect("scrubs");
    assert!(holds(&path, &shelf.words.vector(sealed)), "in what was built before");
    shelf.index.adopt(late).expect("adopts");
    assert!(!holds(&path, &shelf.words.vector(sealed)), "in the segment");
    assert!(!holds(&path, &shelf.words.vector(fresh)), "in the log");
    assert_ne!(answer(&shelf.index, &shelf.words).expect("answers"), before);
    assert!(!shelf.found(sealed).contains(&"sealed".to_owned()));
    let (index, found) = open(&shelf.world, Home::directory(&path), &shelf.words);
    assert_eq!(found, Found::Index);
    assert_eq!(answer(&index, &shelf.words), answer(&shelf.index, &shelf.words));
}

#[test]
fn a_build_that_is_stopped_leaves_nothing() {
    let directory = tempfile::tempdir().expect("tempdir");
    let path = directory.path().join("vectors");
    let (mut shelf, answers) = filled(&path);
    let before = files(&path);
    let stopped = shelf.index.begin_build().run(MEANS, &|| true, &|_, _| ());
    assert_eq!(stopped.err(), Some(Error::Stopped));
    let poor = Means { bytes_max: 1, ..MEANS };
    let refused = shelf.index.begin_build().run(poor, GO_ON, &|_, _| ()).err().expect("refused");
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert!(refused.to_string().contains("memory"), "{refused}");
    assert_eq!(files(&path), before);
    // One that came to its end and was adopted by nobody, as when the process ends between.
    let built = shelf.index.begin_build().run(MEANS, GO_ON, &|_, _| ()).expect("builds");
    assert_eq!(files(&path).len(), before.len() + 1);
    drop(built);
    let Shelf { world, words, index } = shelf;
    drop(index);
    let (index, found) = open(&world, Home::directory(&path), &words);
    assert_eq!((found, files(&path)), (Found::Index, before));
    assert_eq!(answer(&index, &words).expect("answers"), answers);
}

/// A disk that is full, wherever it is noticed: the index goes on as it was, and the next attempt succeeds.
#[test]
fn without_space_nothing_is_built_scrubbed_or_lost() {
    let directory = tempfile::tempdir().expect("tempdir");
    let path = directory.path().join("vectors");
    let (mut shelf, answers) = filled(&path);
    let before = files(&path);
    let next = before.iter().filter_map(|name| name.to_str()?.rsplit('-').next()?.parse::<u32>().ok()).max();
    for number in next.expect("files")..next.expect("files") + 10 {
        for kind in ["log", "segment"] {
            let beginning = path.join(format!("{kind}-{number:08}.new"));
            std::os::unix::fs::symlink("/dev/full", beginning).expect("links");
        }
    }
    let refused = shelf.index.begin_build().run(MEANS, GO_ON, &|_, _| ()).err().expect("refused");
    assert_eq!(refused.kind(), ErrorKind::Unavailable, "{refused}");
    assert_eq!(shelf.index.scrub().expect_err("refused").kind(), ErrorKind::Unavailable);
    assert_eq!(answer(&shelf.index, &shelf.words).expect("answers"), answers);
    for name in files(&path).into_iter().filter(|name| !before.contains(name)) {
        std::fs::remove_file(path.join(name)).expect("removes");
    }
    shelf.build();
    shelf.index.scrub().expect("scrubs");
    assert_eq!(answer(&shelf.index, &shelf.words).expect("answers"), answers);
    let (index, found) = open(&shelf.world, Home::directory(&path), &shelf.words);
    assert_eq!((found, answer(&index, &shelf.words).expect("answers")), (Found::Index, answers));
}

/// Readers that hold an older state go on reading it.
#[test]
fn a_pinned_state_outlives_builds_and_scrubs() {
    let directory = tempfile::tempdir().expect("tempdir");
    let (mut shelf, _) = filled(&directory.path().join("vectors"));
    let pinned = shelf.index.reader().pin();
    let query = shelf.words.vector("text 3 of 7 words");
    let before = pinned.nearest(&query, 20, &everything(), GO_ON).expect("answers");
    for n in 0..20 {
        shelf.delete(&format!("t{n}"));
    }
    shelf.drive();
    shelf.build();
    shelf.index.scrub().expect("scrubs");
    assert_eq!(pinned.nearest(&query, 20, &everything(), GO_ON).expect("answers"), before);
}

/// A segment, and a log on top of it that replaces, deletes and adds.
fn filled(path: &Path) -> (Shelf, Vec<String>) {
    let words = Words::new(DIMENSION);
    let mut shelf = Shelf::of(World::in_memory(), Home::directory(path), &words);
    for n in 0..60 {
        shelf.say(text_of(&format!("t{n}"), &format!("text {n} of {} words", n % 7)));
    }
    shelf.drive();
    shelf.build();
    for n in 0..10 {
        shelf.say(text_of(&format!("t{n}"), &format!("replaced {n}\nand a second line")));
        shelf.say(text_of(&format!("new{n}"), &format!("new text {n}")));
    }
    shelf.delete("t20");
    shelf.drive();
    let answers = answer(&shelf.index, &shelf.words).expect("answers");
    (shelf, answers)
}

fn answer(index: &VectorIndex, words: &Words) -> index::Result<Vec<String>> {
    let pinned = index.reader().pin();
    let mut answers = vec![format!("{} at {}", pinned.vectors(), pinned.position())];
    for text in ["text 3 of 3 words", "text 20 of 6 words", "replaced 4", "new text 7", "second line"] {
        let nearest = pinned.nearest(&words.vector(text), 100, &everything(), GO_ON)?;
        answers.extend(nearest.near.iter().map(|near| format!("{text}: {near:?}")));
    }
    Ok(answers)
}

/// Flips a bit, overwrites some bytes or cuts the file.
fn harm(file: &Path, random: &mut Random) {
    let bytes = std::fs::read(file).expect("read");
    let mut harmed = bytes.clone();
    let at = random.below(bytes.len());
    match random.below(4) {
        0 | 1 => harmed[at] ^= 1 << random.below(8),
        2 => harmed.truncate(at),
        _ => {
            let end = (at + 1 + random.below(300)).min(bytes.len());
            harmed[at..end].iter_mut().for_each(|byte| *byte = !*byte);
        }
    }
    assert_ne!(bytes, harmed);
    let options = std::fs::File::options().write(true).open(file).expect("opens");
    options.set_len(harmed.len() as u64).expect("cuts");
    std::os::unix::fs::FileExt::write_all_at(&options, &harmed, 0).expect("writes");
}

fn holds(path: &Path, vector: &[f32]) -> bool {
    let needle: Vec<u8> = vector.iter().flat_map(|part| part.to_le_bytes()).collect();
    files(path).iter().any(|name| {
        let bytes = std::fs::read(path.join(name)).expect("read");
        bytes.windows(needle.len()).any(|window| window == needle)
    })
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
