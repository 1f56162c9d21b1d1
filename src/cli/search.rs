//! Finds things by words, and says how well that works.

mod evaluate;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::client::{Client, next_cursor, nodes};
use super::output::{Output, plain};
use super::{Answer, Failure, Global, Result};

/// What to look for, and where.
#[derive(Args)]
#[command(subcommand_negates_reqs = true)]
pub(super) struct Search {
    /// The words; "quoted" for a phrase, -word to leave out
    #[arg(value_name = "QUERY", required = true)]
    text: Option<String>,
    #[command(subcommand)]
    about: Option<About>,
    /// How to look
    #[arg(long, value_enum, default_value = "keyword")]
    mode: Mode,
    /// Hits on a page
    #[arg(long, default_value_t = 10)]
    limit: u32,
    /// The next page: the `next_cursor` of the one before
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    /// Only of this type; may be repeated
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Not of this type; may be repeated
    #[arg(long = "not-type", value_name = "TYPE")]
    not_types: Vec<String>,
    /// Only what this source says; may be repeated
    #[arg(long = "source", value_name = "SOURCE")]
    sources: Vec<String>,
    /// Nothing that this source says; may be repeated
    #[arg(long = "not-source", value_name = "SOURCE")]
    not_sources: Vec<String>,
    /// Only what is so classified; may be repeated
    #[arg(long = "classification", value_name = "CLASSIFICATION")]
    classifications: Vec<String>,
    /// Only what was observed since then (RFC 3339)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only what was observed before then (RFC 3339)
    #[arg(long, value_name = "TIME")]
    before: Option<String>,
    /// Also what its source took back
    #[arg(long)]
    include_revoked: bool,
    /// Count hits by type, source, classification and time
    #[arg(long)]
    facets: bool,
    /// Say how each score is made
    #[arg(long)]
    explain: bool,
}

/// What is asked about searches.
#[derive(Subcommand)]
enum About {
    /// Measure how good searches are on a judged collection; asks no node
    Evaluate(evaluate::Evaluate),
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    Keyword,
    Vector,
    Hybrid,
}

impl Search {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        match (self.about, self.text) {
            (Some(_), Some(text)) => {
                let message =
                    format!("`{text}` stands before a command that asks for no words; leave it out");
                Err(Failure::bad_input(message))
            }
            (Some(About::Evaluate(evaluate)), None) => evaluate.run(output).await,
            (None, text) => Search { about: None, text, ..self }.find(global, output).await,
        }
    }

    async fn find(self, global: &Global, output: &Output) -> Result {
        if self.mode == Mode::Vector {
            return Err(Failure::cannot_tell(
                "no_model",
                "mode `vector` needs a model, and none is installed; use --mode keyword",
            ));
        }
        let variables = json!({
            "q": self.text,
            "first": self.limit,
            "after": self.after,
            "types": self.types,
            "notTypes": self.not_types,
            "sources": self.sources,
            "notSources": self.not_sources,
            "classifications": self.classifications,
            "since": self.since,
            "before": self.before,
            "explain": self.explain,
            "includeRevoked": self.include_revoked,
            "facets": self.facets,
        });
        let found = Client::new(global)?.run("search:v4", variables).await?;
        let found = &found["search"];
        output.result(&document(found, self.explain), |output| {
            print_hits(found, output);
            if self.explain {
                print_shares(found, output);
            }
            print_facets(found, output);
        });
        Ok(Answer::Yes)
    }
}

/// The answer in the names of the contract. No vector stage ran, and the answer says why.
fn document(found: &Value, explain: bool) -> Value {
    let hits = nodes(found).into_iter().map(|hit| {
        let mut shown = json!({
            "id": hit["id"],
            "type": hit["type"],
            "title": hit["title"],
            "score": hit["score"],
            "snippet": hit["snippet"],
            "highlights": hit["highlights"],
        });
        if explain {
            shown["explain"] = json!({
                "keyword_raw": hit["keywordRaw"], "keyword": hit["keyword"],
                "vector_raw": null, "vector": null, "weight": 1.0,
                "shares": hit["why"]["shares"], "factor": hit["why"]["factor"],
            });
        }
        shown
    });
    json!({
        "hits": hits.collect::<Vec<_>>(),
        "facets": facets(found),
        "spans": found["spans"],
        "next_cursor": next_cursor(found),
        "lsn": found["lsn"],
        "took_ms": found["tookMs"],
        "complete": found["complete"],
        "vector": {"used": false, "reason": "no_model", "took_ms": 0.0},
    })
}

/// Counts by type, by source and by classification, in one list; null if they were not asked for.
fn facets(found: &Value) -> Value {
    let lists = ["facets", "classifications"].map(|name| found[name].as_array());
    let all: Vec<Value> = lists.iter().flatten().flat_map(|list| list.iter().cloned()).collect();
    if lists[0].is_some() { all.into() } else { Value::Null }
}

/// Prints hits: for people title, type and id, and the snippet with its words marked; in a pipe a line each.
pub(super) fn print_hits(found: &Value, output: &Output) {
    let hits = nodes(found);
    if !output.is_terminal() {
        return output.table(&["score", "type", "id", "title", "snippet"], &rows(&hits), "hit");
    }
    for hit in &hits {
        let score = hit["score"].as_f64().unwrap_or_default();
        let place = output.dim(&format!("{}  {}", plain(&hit["type"]), plain(&hit["id"])));
        output.line(&format!("{score:.2}  {}  {place}", plain(&hit["title"])));
        let snippet = hit["snippet"].as_str().unwrap_or_default();
        if !snippet.is_empty() {
            let lines = output.marked(snippet, &marks(hit)).replace('\n', " ");
            output.line(&format!("      {lines}"));
        }
    }
    let count = hits.len();
    let took_ms = found["tookMs"].as_f64().unwrap_or_default();
    output.line(&output.dim(&format!("\n{count} hits in {took_ms:.1} ms")));
    if let Some(cursor) = next_cursor(found).as_str() {
        output.line(&output.dim(&format!("more with --after {cursor}")));
    }
}

fn rows(hits: &[Value]) -> Vec<Vec<String>> {
    let row = |hit: &Value| {
        let score = hit["score"].as_f64().unwrap_or_default();
        let rest = ["type", "id", "title", "snippet"].map(|name| plain(&hit[name]));
        [format!("{score:.2}")].into_iter().chain(rest).collect()
    };
    hits.iter().map(row).collect()
}

/// What each score is made of: a line for each hit.
fn print_shares(found: &Value, output: &Output) {
    for hit in nodes(found) {
        let share = |share: &Value| {
            let score = share["score"].as_f64().unwrap_or_default();
            format!("{} in {} {score:.2}", plain(&share["found"]), plain(&share["place"]))
        };
        let shares: Vec<_> = hit["why"]["shares"].as_array().into_iter().flatten().map(share).collect();
        let factor = hit["why"]["factor"].as_f64().unwrap_or(1.0);
        let raw = hit["keywordRaw"].as_f64().unwrap_or_default();
        output.line(&format!("{}: ({}) x {factor:.2} = {raw:.2}", plain(&hit["id"]), shares.join(" + ")));
    }
}

fn print_facets(found: &Value, output: &Output) {
    for facet in facets(found).as_array().into_iter().flatten() {
        output.line(&format!("{}: {}  {}", plain(&facet["field"]), plain(&facet["value"]), facet["count"]));
    }
}

fn marks(hit: &Value) -> Vec<(usize, usize)> {
    let place = |mark: &Value, end: &str| mark[end].as_u64().and_then(|at| usize::try_from(at).ok());
    let marks = hit["highlights"].as_array().into_iter().flatten();
    marks.filter_map(|mark| Some((place(mark, "start")?, place(mark, "end")?))).collect()
}
