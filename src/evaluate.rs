//! How good searches are, measured on a judged collection and without a node; or by judged queries on what a tenant has.
//!
//! Documents come in as by an import, the follower makes them searchable, and every query goes the way of a query over
//! HTTP. So what is measured is what users get.

pub mod collection;
pub mod error;
pub mod measures;
pub mod report;
mod runs;
mod sandbox;
pub mod significance;
pub mod tune;
pub(crate) mod tuning;
pub mod words;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Instant;

use collection::Collection;
use error::{Error, Result};
use measures::Measures;
use report::{Answered, PerQuery, Report, Seconds};
use runs::RunFiles;
use sandbox::Sandbox;

pub use crate::search::plan::Mode;
pub use crate::search::plan::orders::Way;

/// What to measure.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What makes vectors of texts; without it words alone are measured.
    pub model: Option<ModelFiles>,
    /// How much words count against meaning, each from 0 to 1.
    pub weights: Vec<f64>,
    /// Where each ranking is written for other programs, if it is.
    pub run_files: Option<PathBuf>,
}

/// A model as a node has it: a manifest, and the files that it names.
#[derive(Clone, Debug)]
pub struct ModelFiles {
    /// The manifest's bytes.
    pub manifest: Vec<u8>,
    /// Each file's name and where it is.
    pub files: Vec<(String, PathBuf)>,
}

/// Who watches.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Is told how many are done.
    pub told: &'a (dyn Fn(Stage, u64) + Sync),
    /// Says whether to stop.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Documents are taken in.
    Documents,
    /// Vectors are made of them, in all so many records.
    Vectors(u64),
    /// Queries are asked, so many of them.
    Queries(u64),
}

/// A query that is judged, ready to be asked.
struct Judged<'a> {
    id: &'a str,
    text: &'a str,
    asked: String,
    /// The grades of the documents that are there.
    grades: HashMap<u32, u32>,
    /// The grades of all that were judged.
    all: Vec<u32>,
}

/// Evaluates searches on a collection.
///
/// # Errors
/// If the collection cannot be read, or a search fails.
pub fn evaluate(collection: &Collection, settings: &Settings, watch: Watch<'_>) -> Result<Report> {
    let begun = Instant::now();
    let (sandbox, mut notes) = Sandbox::filled_with(collection, settings.model.as_ref(), watch)?;
    notes.splice(0..0, collection.notes.iter().cloned());
    let filled = begun.elapsed().as_secs_f64();
    let ways = settings.ways();
    if settings.model.is_none() {
        notes.push("no model: words alone were measured".to_owned());
    }
    let judged = judged(collection, &sandbox, &mut notes);
    let mut run_files =
        settings.run_files.as_ref().map(|place| RunFiles::create(place, &ways)).transpose()?;
    let mut per_query = Vec::with_capacity(judged.len());
    for (number, query) in (0..).zip(&judged) {
        (watch.told)(Stage::Queries(judged.len() as u64), number);
        let mut results = Vec::with_capacity(ways.len());
        for (way, number) in ways.iter().zip(0..) {
            if (watch.stop)() {
                return Err(Error::Stopped);
            }
            let ranked = sandbox.ask(&query.asked, *way)?;
            if let Some(files) = &mut run_files {
                files.write(
                    number,
                    query.id,
                    ranked.iter().map(|(at, score)| (sandbox.name(*at), *score)),
                )?;
            }
            let grades: Vec<u32> =
                ranked.iter().map(|(at, _)| query.grades.get(at).copied().unwrap_or(0)).collect();
            results.push(Measures::of(&grades, query.all.iter().copied()));
        }
        let relevant = query.all.iter().filter(|grade| **grade > 0).count();
        per_query.push(PerQuery {
            query: query.id.to_owned(),
            text: query.text.to_owned(),
            relevant,
            results,
        });
    }
    run_files.map_or(Ok(()), RunFiles::finish)?;
    notes.extend(sandbox.note());
    Ok(Report::of(Answered {
        docs: sandbox.documents(),
        queries: collection.queries.len(),
        graded: collection.judgements.are_graded(),
        ways,
        per_query,
        notes,
        seconds: Seconds { fill: filled, search: begun.elapsed().as_secs_f64() - filled },
    }))
}

/// The queries for which something relevant is known.
fn judged<'a>(collection: &'a Collection, sandbox: &Sandbox, notes: &mut Vec<String>) -> Vec<Judged<'a>> {
    let (mut judged, mut missing, mut cut) = (Vec::new(), 0, 0);
    for query in &collection.queries {
        let Some(all) = collection.judgements.of(&query.id) else { continue };
        let (asked, is_cut) = words::words(&query.text);
        let grades: HashMap<u32, u32> =
            all.iter().filter_map(|(id, grade)| Some((sandbox.number(id)?, *grade))).collect();
        missing += all.iter().filter(|(id, grade)| **grade > 0 && sandbox.number(id).is_none()).count();
        cut += usize::from(is_cut);
        judged.push(Judged {
            id: &query.id,
            text: &query.text,
            asked,
            grades,
            all: all.values().copied().collect(),
        });
    }
    if missing > 0 {
        notes
            .push(format!("{missing} relevant documents are not in the collection; they count as not found"));
    }
    if cut > 0 {
        notes.push(format!("{cut} queries were longer than a query may be, and cut"));
    }
    judged
}

impl Settings {
    /// Words alone, meaning alone and both at each weight, as far as there is a model.
    fn ways(&self) -> Vec<Way> {
        let mut ways = vec![Way { mode: Mode::Keyword, weight: 1.0 }];
        if self.model.is_some() {
            ways.push(Way { mode: Mode::Vector, weight: 0.0 });
            ways.extend(self.weights.iter().map(|weight| Way { mode: Mode::Hybrid, weight: *weight }));
        }
        ways
    }
}

impl Way {
    /// What is looked at: `keyword`, `vector` or `hybrid`.
    #[must_use]
    pub fn mode(self) -> &'static str {
        match self.mode {
            Mode::Keyword => "keyword",
            Mode::Vector => "vector",
            Mode::Hybrid => "hybrid",
        }
    }

    /// A name for files.
    #[must_use]
    pub fn name(self) -> String {
        match self.mode {
            Mode::Hybrid => format!("hybrid-{:.2}", self.weight),
            _ => self.mode().to_owned(),
        }
    }
}
