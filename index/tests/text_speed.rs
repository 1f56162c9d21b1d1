//! How fast the text index is filled and answers; prints, judges nothing.
//!
//! `cargo test -p index --test text_speed -- --ignored --nocapture`

#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "it measures time and prints it")]

#[path = "../../storage/tests/world/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "every test file uses a part of the world")]
mod world;

#[allow(dead_code, unreachable_pub, reason = "every test file uses a part of the world")]
mod text_world;

use std::time::{Duration, Instant};

use index::text::{Allowed, Home, Query};
use text_world::{Library, drive, open, text_of};

const TEXTS: u64 = 100_000;
const VOCABULARY: u64 = 30_000;

#[test]
#[ignore = "prints timings for a minute and judges nothing; run by hand"]
fn hundred_thousand_short_texts() {
    let directory = tempfile::tempdir().expect("tempdir");
    let (mut library, _) = Library::at(Home::directory(directory.path().join("text")));
    let mut random = Random(1);
    write(&mut library, 0..TEXTS, &mut random);
    let filled = timed(|| library.drive());
    println!("bootstrap: {:.0} documents/s", TEXTS as f64 / filled.as_secs_f64());
    write(&mut library, TEXTS / 2..TEXTS / 2 + TEXTS / 5, &mut random);
    let replayed = timed(|| library.drive());
    println!("replay of replacements: {:.0} documents/s", TEXTS as f64 / 5.0 / replayed.as_secs_f64());
    library.text.close_writer().expect("closes");
    let files = std::fs::read_dir(directory.path().join("text")).expect("read");
    let bytes: u64 = files.map(|file| file.expect("file").metadata().map_or(0, |meta| meta.len())).sum();
    println!("files: {} bytes a document", bytes / TEXTS);
    ask(&library, &mut random);
    let reopened = timed(|| drop(open(&library.world, Home::directory(directory.path().join("text")))));
    println!("open with every checksum: {reopened:?}");
    let (mut empty, _) = open(&library.world, Home::memory());
    println!("bootstrap in memory: {:?}", timed(|| drive(&mut empty, &library.world)));
}

fn ask(library: &Library, random: &mut Random) {
    let every = Allowed::Every;
    let mut labels = roaring::RoaringBitmap::new();
    labels.insert(1);
    let some = Allowed::Labels(std::sync::Arc::new(labels));
    let rare = |random: &mut Random| word(100 + random.below(VOCABULARY - 100));
    ask_many(library, "one word", &every, random, &|random| query(&word(random.zipf())));
    ask_many(library, "two words", &every, random, &|random| {
        query(&format!("{} {}", word(random.zipf()), rare(random)))
    });
    ask_many(library, "five words", &every, random, &|random| query(&words(random, 5)));
    ask_many(library, "five words, labels", &some, random, &|random| query(&words(random, 5)));
    ask_many(library, "twenty words", &every, random, &|random| query(&words(random, 20)));
    ask_many(library, "frequent words", &every, random, &|random| {
        query(&format!("{} {}", word(random.below(10)), word(random.below(10))))
    });
    ask_many(library, "typo", &every, random, &|random| query(&format!("{}x", rare(random))));
    ask_many(library, "beginning", &every, random, &|random| Query {
        prefix: true,
        ..query(&rare(random)[..4])
    });
    ask_many(library, "phrase", &every, random, &|random| query(&format!("\"{}\"", words(random, 2))));
    ask_many(library, "facets", &every, random, &|random| Query { facets: true, ..query(&words(random, 2)) });
    ask_many(library, "everything, newest", &every, random, &|_| query(""));
    let times = (0..200).map(|_| {
        let prefix = rare(random)[..3].to_owned();
        timed(|| drop(library.pin().suggest(&prefix, 10, &every).expect("answers")))
    });
    print_times("suggest", times.collect());
}

fn ask_many(
    library: &Library,
    name: &str,
    allowed: &Allowed,
    random: &mut Random,
    make: &dyn Fn(&mut Random) -> Query,
) {
    let pinned = library.pin();
    let times = (0..300).map(|_| {
        let query = make(random);
        timed(|| drop(pinned.search(&query, allowed, &|| false).expect("answers")))
    });
    print_times(name, times.collect());
}

fn print_times(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: usize| times[times.len() * part / 100];
    println!(
        "{name:>20}: p50 {:>10.3?}  p95 {:>10.3?}  max {:>10.3?}",
        at(50),
        at(95),
        times[times.len() - 1]
    );
}

fn query(text: &str) -> Query {
    Query { text: text.to_owned(), limit: 10, ..Query::default() }
}

fn write(library: &mut Library, ids: std::ops::Range<u64>, random: &mut Random) {
    let commands: Vec<_> = ids
        .map(|id| {
            let (name, text) = (words(random, 3), words(random, 30));
            library.world.assert(text_of(&format!("report--{id:08}"), &name, &text))
        })
        .collect();
    for batch in commands.chunks(4096) {
        library.world.write(batch.to_vec());
    }
}

fn words(random: &mut Random, count: u64) -> String {
    (0..count).map(|_| word(random.zipf())).collect::<Vec<_>>().join(" ")
}

/// Pronounceable, so that stems and typos are like those of real words.
fn word(rank: u64) -> String {
    const SYLLABLES: [&str; 16] = [
        "ka", "ron", "mi", "tal", "se", "vor", "du", "pin", "lo", "gar", "be", "zul", "hi", "fen", "cra",
        "tus",
    ];
    let mut rest = rank + 17;
    let mut word = String::new();
    while rest > 0 {
        word.push_str(SYLLABLES[(rest % 16) as usize]);
        rest /= 16;
    }
    word
}

fn timed(act: impl FnOnce()) -> Duration {
    let start = Instant::now();
    act();
    start.elapsed()
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// Frequent ranks are low, as with words.
    fn zipf(&mut self) -> u64 {
        let uniform = self.below(1 << 20) as f64 / (1u64 << 20) as f64;
        (VOCABULARY as f64).powf(uniform) as u64 - 1
    }
}
