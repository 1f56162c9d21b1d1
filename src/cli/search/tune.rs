//! Picks the weight of words against meaning that serves judged queries best: those of a tenant, asked of its node, or those of a
//! collection, for which no node is needed.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::evaluate::{Given, Models, failure, progress, stoppable};
use super::means;
use crate::cli::client::{Client, nodes};
use crate::cli::model::gathering::Gathered;
use crate::cli::output::Output;
use crate::cli::{Answer, Failure, Global, Result};
use crate::evaluate::collection::{Format, Judgements, Query, judged_queries};
use crate::evaluate::measures::Measures;
use crate::evaluate::report::QueryReport;
use crate::evaluate::significance::Comparison;
use crate::evaluate::tune::{Point, QUERIES_MIN, Tuned, WEIGHTS, tune};
use crate::evaluate::{self, Settings};
use crate::search::fuse::KEYWORD_WEIGHT;

/// Hits by which a query is judged.
const HITS: usize = 10;
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
        let (client, current, queries) = match (&self.judged, &self.corpus, self.format) {
            (Some(file), _, _) => {
                let client = Client::new(global)?;
                let (current, queries) = (current(&client).await?, of_tenant(&client, file, output).await?);
                (Some(client), current, queries)
            }
            (None, Some(corpus), Some(format)) => {
                let given = Given::directory(corpus.clone(), format);
                (None, KEYWORD_WEIGHT, of_collection(&given, self.model.clone(), output).await?)
            }
            _ => {
                return Err(Failure::bad_input(
                    "no queries; name them with --judged, or with --corpus and --format",
                ));
            }
        };
        if queries.len() < QUERIES_MIN {
            let message =
                format!("{} judged queries; a weight is chosen by {QUERIES_MIN} or more", queries.len());
            return Err(Failure::bad_input(message));
        }
        let tuned = tune(&WEIGHTS, nearest(current), &queries);
        let is_better = tuned.against_current.difference > 0.0;
        let applied = match client.filter(|_| self.apply && is_better) {
            Some(client) => {
                client
                    .run("flagSet:v1", json!({"name": FLAG, "value": format!("{:.1}", tuned.weight)}))
                    .await?;
                true
            }
            None => false,
        };
        let mut document = serde_json::to_value(&tuned).map_err(anyhow::Error::from)?;
        document["queries"] = queries.len().into();
        document["applied"] = applied.into();
        output.result(&document, |output| print(&tuned, (queries.len(), applied), output));
        Ok(Answer::Yes)
    }
}

/// The nDCG of each query at each weight, by the answers of the tenant's node.
async fn of_tenant(client: &Client, file: &Path, output: &Output) -> Result<Vec<Vec<f64>>> {
    let (queries, judgements) = judged_queries(file).map_err(failure)?;
    let bar = progress(output);
    let mut all = Vec::with_capacity(queries.len());
    for query in &queries {
        bar.set_message(format!("{} of {} queries asked", all.len(), queries.len()));
        bar.tick();
        let mut worth = Vec::with_capacity(WEIGHTS.len());
        for weight in WEIGHTS {
            worth.push(asked(client, query, &judgements, weight).await?);
        }
        all.push(worth);
    }
    bar.finish_and_clear();
    Ok(all)
}

async fn asked(client: &Client, query: &Query, judgements: &Judgements, weight: f64) -> Result<f64> {
    let variables = json!({"q": query.text, "first": HITS, "mode": "HYBRID", "keywordWeight": weight});
    let found = client.run("searchHybrid:v1", variables).await?["searchHybrid"].take();
    if let Some(reason) = found["vector"]["reason"].as_str().filter(|reason| *reason != "query_empty") {
        let message = format!("`{}` was answered by words alone: {}", query.text, means(reason));
        return Err(Failure::cannot_tell(reason, message));
    }
    let Some(grades) = judgements.of(&query.id) else { return Ok(0.0) };
    let grade = |hit: &Value| hit["id"].as_str().and_then(|id| grades.get(id)).copied().unwrap_or(0);
    let ranked: Vec<u32> = nodes(&found).iter().map(grade).collect();
    Ok(Measures::of(&ranked, grades.values().copied()).ndcg_at_10)
}

async fn of_collection(given: &Given, paths: Vec<PathBuf>, output: &Output) -> Result<Vec<Vec<f64>>> {
    let collection = given.open()?;
    let gathered = Models { paths }.gather(output)?;
    let model = gathered.as_ref().map(Gathered::model_files);
    let settings = Settings { model, weights: WEIGHTS.to_vec(), run_files: None };
    let report = stoppable(output, move |watch| evaluate::evaluate(&collection, &settings, watch)).await?;
    let at_each = |query: &QueryReport| {
        query.runs.iter().filter(|run| run.mode == "hybrid").map(|run| run.measures.ndcg_at_10).collect()
    };
    Ok(report.per_query.iter().map(at_each).collect())
}

/// The weight of the tenant, or else that of every tenant.
async fn current(client: &Client) -> Result<f64> {
    let flags = client.run("flags:v1", json!({})).await?;
    let flags = flags["flags"].as_array().cloned().unwrap_or_default();
    let set = flags.iter().find(|flag| flag["name"] == FLAG).and_then(|flag| flag["value"].as_str());
    Ok(set.and_then(|text| text.parse().ok()).unwrap_or(KEYWORD_WEIGHT))
}

/// The weight among those that are tried.
fn nearest(weight: f64) -> f64 {
    let by_distance = |one: &f64, other: &f64| (one - weight).abs().total_cmp(&(other - weight).abs());
    WEIGHTS.into_iter().min_by(by_distance).unwrap_or(KEYWORD_WEIGHT)
}

fn print(tuned: &Tuned, (queries, applied): (usize, bool), output: &Output) {
    let best = tuned.curve.iter().map(|point| point.ndcg_at_10).fold(f64::MIN_POSITIVE, f64::max);
    let row = |point: &Point| {
        let mark = match point.weight {
            weight if weight == tuned.weight => "best",
            weight if weight == tuned.current => "current",
            _ => "",
        };
        let bar = "#".repeat((point.ndcg_at_10 / best * BAR_CHARS).round() as usize);
        vec![format!("{:.1}", point.weight), format!("{:.4}", point.ndcg_at_10), bar, mark.to_owned()]
    };
    output.table(&["weight", "nDCG@10", "", ""], &tuned.curve.iter().map(row).collect::<Vec<_>>(), "weight");
    let Comparison { difference, better, worse, p } = tuned.against_current;
    output.note(&format!(
        "on queries by which it was not chosen: {:.4}, {difference:+.4} beside {:.1}, better on {better} and worse on {worse} of {queries}, p {p:.4}",
        tuned.cross_validated, tuned.current
    ));
    if applied {
        output.note(&format!("the tenant's weight is {:.1} now", tuned.weight));
    }
}
