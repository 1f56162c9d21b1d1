//! What `search evaluate` measures, before the code of `trec_eval`. The rankings are files, so it judges the very same.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::rest::{content, judges, python};
use crate::evaluate::{cranfield, evaluate};
use crate::seed::Seeded;

const WORDS: [&str; 12] =
    ["wing", "heat", "flow", "slab", "jet", "wake", "shock", "layer", "gas", "plate", "cone", "lift"];

/// The rankings of a collection, judged by others.
fn judged(corpus: &Path, format: &str, qrels: &str) {
    let place = tempfile::tempdir().expect("a directory");
    let (runs, report) = (place.path().join("runs"), place.path().join("report.json"));
    let found = evaluate(corpus, format, &["--run-files", runs.to_str().expect("UTF-8")]).ok();
    fs::write(&report, found.to_string()).expect("a file");
    let trec = place.path().join("qrels");
    fs::write(&trec, qrels).expect("a file");
    let mut command = Command::new(python());
    command.arg(judges("relevance.py")).args([&trec, &report]);
    command.args(fs::read_dir(runs).expect("runs").map(|entry| entry.expect("a run").path()));
    println!("{}", content(&mut command));
}

#[test]
#[ignore = "needs programs of others: make judges"]
fn trec_eval_agrees_on_what_is_relevant_or_not() {
    let Some(corpus) = cranfield() else { return };
    let mut qrels = String::new();
    for row in fs::read_to_string(corpus.join("cranqrel")).expect("judgements").lines() {
        let [query, document, grade] = row.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        let relevant = u8::from(["1", "2", "3", "4"].contains(&grade));
        writeln!(qrels, "{query} 0 {document} {relevant}").expect("text");
    }
    judged(&corpus, "cran", &qrels);
}

#[test]
#[ignore = "needs programs of others: make judges"]
fn trec_eval_agrees_on_degrees() {
    let mut random = Seeded::new(7, 0);
    let words = |random: &mut Seeded, count: usize| -> String {
        (0..count).map(|_| WORDS[random.below(WORDS.len())]).collect::<Vec<_>>().join(" ")
    };
    let (mut documents, mut topics) = (String::new(), String::new());
    for number in 0..300 {
        writeln!(
            documents,
            "<DOC>\n<DOCNO>d{number}</DOCNO>\n<TEXT>{}</TEXT>\n</DOC>",
            words(&mut random, 20)
        )
        .expect("text");
    }
    for number in 1..=40 {
        writeln!(topics, "<top>\n<num> Number: {number}\n<title> {}\n</top>", words(&mut random, 3))
            .expect("text");
    }
    let mut qrels = String::new();
    for number in 1..=40 {
        for _ in 0..30 {
            let (document, grade) = (random.below(320), random.below(4));
            if !qrels.contains(&format!("{number} 0 d{document} ")) {
                writeln!(qrels, "{number} 0 d{document} {grade}").expect("text");
            }
        }
    }
    let place = tempfile::tempdir().expect("a directory");
    for (name, text) in [("docs", &documents), ("topics", &topics), ("qrels", &qrels)] {
        fs::write(place.path().join(name), text).expect("a file");
    }
    judged(place.path(), "trec", &qrels);
}
