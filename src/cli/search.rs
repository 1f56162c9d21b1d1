//! Finds things by words, and says how well that works.

mod evaluate;
mod tune;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::client::{Client, next_cursor, nodes};
use super::output::{Output, plain};
use super::{Answer, Failure, Global, Result};
use crate::search::reason::Reason;

/// What to look for, and where.
#[derive(Args)]
#[command(subcommand_negates_reqs = true)]
pub(super) struct Search {
    /// The words; "quoted" for a phrase, -word to leave out
    #[arg(value_name = "QUERY", required = true)]
    text: Option<String>,
    #[command(subcommand)]
    about: Option<Box<About>>,
    /// How to look
    #[arg(long, value_enum, default_value = "keyword")]
    mode: Mode,
    /// What words count against meaning, from 0 to 1 [default: the tenant's, else 0.7]
    #[arg(long, visible_alias = "alpha", value_name = "WEIGHT")]
    weight: Option<f64>,
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
    /// Pick the weight of words against meaning by judged queries of the tenant, or by a collection
    Tune(tune::Tune),
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
            (Some(about), None) => match *about {
                About::Evaluate(evaluate) => evaluate.run(output).await,
                About::Tune(tune) => tune.run(global, output).await,
            },
            (None, text) => Search { about: None, text, ..self }.find(global, output).await,
        }
    }

    async fn find(self, global: &Global, output: &Output) -> Result {
        if let Some(weight) = self.weight.filter(|weight| !(0.0..=1.0).contains(weight)) {
            return Err(Failure::bad_input(format!("weight `{weight:?}`: from 0 to 1")));
        }
        let found = self.ask(&Client::new(global)?).await?;
        self.told(&found["vector"], output)?;
        if let Some(percent) = meant_percent(&found) {
            output.note(&format!(
                "by meaning, {percent} % of the log was gone through so far: vectors are being made"
            ));
        }
        output.result(&document(&found, self.explain), |output| {
            print_hits(&found, output);
            if self.explain {
                print_shares(&found, output);
            }
            print_facets(&found, output);
        });
        Ok(Answer::Yes)
    }

    /// Words alone have more time than words and meaning, and search without a window.
    async fn ask(&self, client: &Client) -> Result<Value> {
        let mut variables = self.variables();
        if self.mode == Mode::Keyword {
            return Ok(client.run("search:v4", variables).await?["search"].take());
        }
        variables["mode"] = if self.mode == Mode::Vector { "VECTOR" } else { "HYBRID" }.into();
        variables["keywordWeight"] = json!(self.weight);
        Ok(client.run("searchHybrid:v1", variables).await?["searchHybrid"].take())
    }

    /// Who wanted both is told if there are words alone; who wanted meaning has no answer then.
    fn told(&self, vector: &Value, output: &Output) -> Result<()> {
        let Some(reason) = vector["reason"].as_str().filter(|_| self.mode != Mode::Keyword) else {
            return Ok(());
        };
        if self.mode == Mode::Vector {
            return need_vectors(vector);
        }
        output.note(&format!("by words alone: {}", means(reason)));
        Ok(())
    }

    fn variables(&self) -> Value {
        json!({
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
        })
    }
}

/// What is looked for by meaning alone has no answer without.
pub(super) fn need_vectors(vector: &Value) -> Result<()> {
    let Some(reason) = vector["reason"].as_str() else { return Ok(()) };
    let message = format!("nothing was looked for by meaning: {}", means(reason));
    Err(Failure::cannot_tell(reason, message))
}

/// A reason in words, and what to do; one that a newer node gives has only its name.
pub(super) fn means(reason: &str) -> &str {
    reason.parse().map_or(reason, |known: Reason| known.help())
}

/// How much of the log the vectors reflect, if that is noticeably less than the words do.
fn meant_percent(found: &Value) -> Option<u64> {
    let (meant, known) = (found["vector"]["lsn"].as_u64()?, found["lsn"].as_u64()?);
    let percent = meant * 100 / known.max(1);
    (found["vector"]["used"] == true && percent < 99).then_some(percent)
}

/// The answer in the names of the contract, and why no vector stage ran if none did.
pub(super) fn document(found: &Value, explain: bool) -> Value {
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
                "vector_raw": hit["vectorRaw"], "vector": hit["vector"],
                "weight": hit["weight"].as_f64().unwrap_or(1.0),
                "keyword_rank": hit["keywordRank"], "vector_rank": hit["vectorRank"],
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
        "window_exhausted": found["windowExhausted"].as_bool().unwrap_or_default(),
        "vector": vector(&found["vector"]),
    })
}

/// How it went with looking for meaning; by words alone nobody asked for it.
fn vector(stage: &Value) -> Value {
    json!({
        "used": stage["used"].as_bool().unwrap_or_default(),
        "reason": if stage.is_null() { json!("not_asked") } else { stage["reason"].clone() },
        "took_ms": stage["tookMs"].as_f64().unwrap_or_default(),
        "lsn": stage["lsn"],
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
        let number = |name: &str| hit[name].as_f64();
        if let (Some(cosine), Some(vector)) = (number("vectorRaw"), number("vector")) {
            let (keyword, weight) = (number("keyword").unwrap_or_default(), number("weight").unwrap_or(1.0));
            let score = number("score").unwrap_or_default();
            let rest = 1.0 - weight;
            output.line(&format!(
                "    {weight:.2} x {keyword:.2} + {rest:.2} x {vector:.2} (cosine {cosine:.2}) = {score:.2}"
            ));
        }
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
