//! How fast keyword search answers over many short texts; beside the engine called directly: the same
//! files, the same terms, BM25, the best ten, no rights, no filters, no grouping by thing. Each asks each
//! question a few times, and the fastest counts: what is not the search's own, other work on the machine, only adds.
//!
//! `cargo bench -p index --bench search -- [--quick]`

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench measures, prints and stops at the first failure"
)]

#[path = "../../storage/tests/world/mod.rs"]
#[allow(dead_code, reason = "the world is shared, each test uses a part of it")]
mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use index::follower::{self, Limits};
use index::text::{Allowed, Home, Pinned, Query, TextIndex, passages};
use roaring::RoaringBitmap;
use storage::View;
use storage::commands::Command;
use storage::ids::{LabelId, TenantId};
use storage::model::Text;
use tantivy::collector::{FilterCollector, TopDocs};
use tantivy::query::{BooleanQuery, BoostQuery, Query as EngineQuery, TermQuery};
use tantivy::schema::IndexRecordOption;
use tantivy::tokenizer::{AsciiFoldingFilter, Language, LowerCaser, SimpleTokenizer, Stemmer, TextAnalyzer};
use tantivy::{Index, Searcher, Term};
use world::{World, entity};

const VOCABULARY: u64 = 30_000;
const BATCH: usize = 16_384;
const QUESTIONS: usize = 500;
/// How often each question is asked.
const ROUNDS: usize = 4;
const TYPES: [&str; 4] = ["report", "malware", "campaign", "indicator"];
const COMPARTMENTS: u64 = 8;
/// One text in so many is in one of the narrow compartments: what a restricted reader may see.
const NARROW_SHARE: u64 = 100;
const NARROW_COMPARTMENTS: u64 = 10;

fn main() {
    let rows = rows_wanted();
    let directory = tempfile::tempdir().unwrap();
    let mut world = World::on_disk(&directory.path().join("store"));
    let mut random = Random(1);
    let write = timed(|| fill(&mut world, rows, &mut random));
    println!("{rows} texts of 30 words written in {write:.1?}");

    let files = directory.path().join("text");
    let origin = world.view().origin(world.tenant).unwrap();
    let home = Home::directory(&files);
    let (mut text, _) = TextIndex::open(home, world.tenant, &origin).unwrap();
    text.set_writer_bytes(64 << 20);
    let view = world.view();
    let filled = timed(|| {
        while !follower::drive(&mut text, &view, Limits::default(), &|| false).unwrap().is_current() {}
    });
    println!("indexed: {:.0}/s", rows as f64 / filled.as_secs_f64());
    text.close_writer().unwrap();
    let bytes: u64 =
        std::fs::read_dir(&files).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    let pinned = text.reader().pin();
    let peer = Peer::open(&files);
    println!("{} bytes a text in {} segments\n", bytes / rows, peer.searcher.segment_readers().len());

    let asked =
        Asked { view: &view, tenant: world.tenant, pinned, peer, narrow: narrow(&view, world.tenant) };
    println!(
        "{:>22} {:>17} {:>17} {:>11} {:>17} {:>17} {:>11} {:>17} {:>17} {:>11}",
        "p50 / p95",
        "search",
        "engine",
        "p95 ratio",
        "labels and type",
        "engine, filtered",
        "p95 ratio",
        "with snippets",
        "1 % visible",
        "p95 ratio"
    );
    let rare = |random: &mut Random| word(100 + random.below(VOCABULARY - 100));
    asked.compare("one rare word", &mut random, &rare);
    asked.compare("one rare word, typo", &mut random, &|random| format!("{}x", rare(random)));
    asked.compare("one word", &mut random, &|random| word(random.zipf()));
    asked.compare("two words", &mut random, &|random| format!("{} {}", word(random.zipf()), rare(random)));
    asked.compare("five words", &mut random, &|random| words(random, 5));
    asked.compare("two frequent words", &mut random, &|random| {
        format!("{} {}", word(random.below(10)), word(10 + random.below(10)))
    });
    asked.compare("twenty words", &mut random, &|random| words(random, 20));
}

fn rows_wanted() -> u64 {
    let given = std::env::var("INTELGRAPH_BENCH_ROWS");
    let quick = std::env::args().any(|arg| arg == "--quick");
    let default = if quick { 100_000 } else { 1_000_000 };
    given.map_or(default, |rows| rows.parse().unwrap())
}

fn fill(world: &mut World, rows: u64, random: &mut Random) {
    let mut commands: Vec<Command> = Vec::with_capacity(BATCH);
    for row in 0..rows {
        let thing_type = TYPES[(row % 4) as usize];
        let mut said = entity(&format!("{thing_type}--{row:08}"), thing_type, &words(random, 3));
        let mut label = said.parts[0].label.as_ref().clone();
        label.compartments = vec![compartment(random)];
        said.parts[0].label = Arc::new(label);
        said.parts[0].texts = vec![Text { text: words(random, 30), of_claim: String::new() }];
        commands.push(world.assert(said));
        if commands.len() == BATCH || row + 1 == rows {
            world.write(std::mem::take(&mut commands));
        }
    }
}

fn compartment(random: &mut Random) -> String {
    match random.below(NARROW_SHARE) {
        0 => format!("narrow{}", random.below(NARROW_COMPARTMENTS)),
        _ => format!("c{}", random.below(COMPARTMENTS)),
    }
}

/// What a reader of the narrow compartments may see.
fn narrow(view: &View, tenant: TenantId) -> Allowed {
    let labels = view.labels(tenant, LabelId::default()).unwrap().into_iter();
    let narrow = labels.filter(|(_, label)| label.compartments.iter().any(|name| name.starts_with("narrow")));
    Allowed::Labels(Arc::new(narrow.map(|(id, _)| id.0).collect()))
}

/// The engine itself.
struct Peer {
    searcher: Searcher,
    stemmed: TextAnalyzer,
}

impl Peer {
    fn open(files: &std::path::Path) -> Peer {
        let index = Index::open_in_dir(files).unwrap();
        let stemmed = TextAnalyzer::builder(SimpleTokenizer::default())
            .filter(LowerCaser)
            .filter(AsciiFoldingFilter)
            .filter(Stemmer::new(Language::English))
            .build();
        Peer { searcher: index.reader().unwrap().searcher(), stemmed }
    }

    fn query(&self, text: &str) -> BooleanQuery {
        let schema = self.searcher.schema();
        let mut terms: Vec<Box<dyn EngineQuery>> = Vec::new();
        let mut analyzer = self.stemmed.clone();
        let mut stream = analyzer.token_stream(text);
        while let Some(token) = stream.next() {
            for (field, boost) in [("title", 1.2), ("body", 1.0)] {
                let field = schema.get_field(field).unwrap();
                let term = Term::from_field_text(field, &token.text);
                let term = TermQuery::new(term, IndexRecordOption::WithFreqs);
                terms.push(Box::new(BoostQuery::new(Box::new(term), boost)));
            }
        }
        BooleanQuery::union(terms)
    }

    fn search(&self, text: &str) -> usize {
        let best = TopDocs::with_limit(10).order_by_score();
        self.searcher.search(&self.query(text), &best).unwrap().len()
    }

    /// As its documentation does it; only by label.
    fn search_filtered(&self, text: &str, labels: &Arc<RoaringBitmap>) -> usize {
        let labels = Arc::clone(labels);
        let best = FilterCollector::new(
            "label".to_owned(),
            move |label: u64| labels.contains(label as u32),
            TopDocs::with_limit(10).order_by_score(),
        );
        self.searcher.search(&self.query(text), &best).unwrap().len()
    }
}

struct Asked<'a> {
    view: &'a View,
    tenant: TenantId,
    pinned: Pinned,
    peer: Peer,
    narrow: Allowed,
}

impl Asked<'_> {
    fn compare(&self, name: &str, random: &mut Random, make: &dyn Fn(&mut Random) -> String) {
        // Everything but one compartment: the common case of a reader who may see most.
        let labels: RoaringBitmap = (1..=u32::from(u16::MAX)).filter(|id| id % 8 != 3).collect();
        let labels = Arc::new(labels);
        let allowed = Allowed::Labels(Arc::clone(&labels));
        let mut times: [Vec<Duration>; 6] = Default::default();
        for turn in 0..QUESTIONS + 50 {
            let text = make(random);
            let plain = Query { text: text.clone(), limit: 10, ..Query::default() };
            let filtered = Query { types: vec!["report".to_owned(), "malware".to_owned()], ..plain.clone() };
            let mut taken = [Duration::MAX; 6];
            for round in 0..ROUNDS {
                // Who asks first brings the pages in for the other: they take turns.
                let mut order = [0, 1, 2, 3, 4, 5];
                if round % 2 == 1 {
                    order.reverse();
                }
                for asker in order {
                    let once = timed(|| match asker {
                        0 => drop(self.ask(&plain, &Allowed::Every)),
                        1 => assert!(self.peer.search(&text) <= 10),
                        2 => drop(self.ask(&filtered, &allowed)),
                        3 => assert!(self.peer.search_filtered(&text, &labels) <= 10),
                        4 => self.ask_with_snippets(&filtered, &allowed),
                        _ => drop(self.ask(&plain, &self.narrow)),
                    });
                    taken[asker] = taken[asker].min(once);
                }
            }
            if turn >= 50 {
                times.iter_mut().zip(taken).for_each(|(times, taken)| times.push(taken));
            }
        }
        let [ours, engine, filtered, engine_filtered, snippets, narrow] = times.map(Percentiles::of);
        println!(
            "{name:>22} {ours:>17} {engine:>17} {:>11.2} {filtered:>17} {engine_filtered:>17} {:>11.2} {snippets:>17} {narrow:>17} {:>11.2}",
            ours.p95 / engine.p95,
            filtered.p95 / engine_filtered.p95,
            narrow.p95 / ours.p95,
        );
    }

    fn ask(&self, query: &Query, allowed: &Allowed) -> index::text::Hits {
        self.pinned.search(query, allowed, &|| false).unwrap()
    }

    fn ask_with_snippets(&self, query: &Query, allowed: &Allowed) {
        let hits = self.ask(query, allowed);
        for hit in &hits.hits {
            let row = self.view.thing(self.tenant, hit.thing).unwrap();
            let said = row.said.iter().find(|said| said.label() == hit.label).unwrap();
            let assertion = self.view.assertion(self.tenant, said.lsn()).unwrap().unwrap();
            let snippet = hits.highlighter.best(&passages(&assertion), 200);
            std::hint::black_box(snippet);
        }
    }
}

/// In milliseconds.
struct Percentiles {
    p50: f64,
    p95: f64,
}

impl Percentiles {
    fn of(mut times: Vec<Duration>) -> Percentiles {
        times.sort_unstable();
        let at = |percent: usize| times[times.len() * percent / 100].as_secs_f64() * 1e3;
        Percentiles { p50: at(50), p95: at(95) }
    }
}

impl std::fmt::Display for Percentiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{:.2} / {:.2} ms", self.p50, self.p95))
    }
}

fn words(random: &mut Random, count: u64) -> String {
    let words: Vec<_> = (0..count).map(|_| word(random.zipf())).collect();
    words.join(" ")
}

/// Pronounceable, so that stems are like those of real words.
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
