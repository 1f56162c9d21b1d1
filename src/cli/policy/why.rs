//! What a policy would change, why it decides as it does, and what it decided.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::Draft;
use super::told;
use crate::cli::client::{Client, next_cursor, nodes};
use crate::cli::output::{Output, plain};
use crate::cli::{Answer, Result};

/// A policy to be tried out.
#[derive(Args)]
pub(in crate::cli) struct Simulate {
    /// The file, or - for standard input
    file: PathBuf,
    /// For the holder of one token only
    #[arg(long, value_name = "ID")]
    token: Option<String>,
    /// For one action only, such as entity.read
    #[arg(long)]
    action: Option<String>,
}

/// Whose decision about what.
#[derive(Args)]
pub(in crate::cli) struct Explain {
    /// A decision of the log, as `policy decisions` shows it
    #[arg(value_name = "DECISION", conflicts_with_all = ["token", "action", "thing", "label", "purpose"])]
    decision: Option<String>,
    /// The public id of a token
    #[arg(long, value_name = "ID", requires = "action", required_unless_present = "decision")]
    token: Option<String>,
    /// What its holder would do, such as entity.read
    #[arg(long, requires = "token")]
    action: Option<String>,
    /// A thing that you may see yourself
    #[arg(long, value_name = "ID", conflicts_with = "label")]
    thing: Option<String>,
    /// A label, by the number that `policy simulate` and `policy decisions` show
    #[arg(long, value_name = "N")]
    label: Option<u32>,
    /// The purpose that the request names [default: it names none]
    #[arg(long)]
    purpose: Option<String>,
}

/// Which decisions.
#[derive(Args)]
pub(in crate::cli) struct Decisions {
    /// Of one token only
    #[arg(long, value_name = "ID")]
    token: Option<String>,
    /// Of one action only
    #[arg(long)]
    action: Option<String>,
    /// Denials only
    #[arg(long)]
    denied: bool,
    /// Of one request only: the `x-request-id` of its answer
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// At most so many
    #[arg(long, default_value = "50")]
    limit: u32,
    /// The next page of an earlier answer
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

impl Simulate {
    pub(super) async fn run(self, client: &Client, output: &Output) -> Result {
        let draft = Draft::read(&self.file)?;
        let variables = json!({"text": draft.text, "token": self.token, "action": self.action});
        let found =
            client.run("policySimulate:v1", variables).await.map_err(|failure| draft.refused(failure))?;
        let found = &found["policySimulate"];
        let mut dangers = found["dangers"].clone();
        draft.lines_of_file(&mut dangers);
        let document = json!({
            "gains": changes(&found["gains"]), "losses": changes(&found["losses"]),
            "gains_total": found["gainsTotal"], "losses_total": found["lossesTotal"],
            "compared": found["compared"], "dangers": dangers, "damaged": found["damaged"],
        });
        output.result(&document, |output| print_changes(&document, output));
        for danger in items(&document["dangers"]) {
            output.note(&format!("to be confirmed: {}", told(danger)));
        }
        note_damage(&document, output);
        Ok(Answer::Yes)
    }
}

impl Explain {
    pub(super) async fn run(self, client: &Client, output: &Output) -> Result {
        let variables = json!({
            "decision": self.decision, "token": self.token, "action": self.action, "thing": self.thing,
            "label": self.label, "purpose": self.purpose,
        });
        let found = client.run("policyExplain:v2", variables).await?;
        let decisions: Vec<_> = items(&found["policyExplain"])
            .map(|decision| {
                json!({
                    "principal": decision["principal"], "action": decision["action"], "label": decision["label"],
                    "label_id": decision["labelId"], "version": decision["version"], "allowed": decision["allowed"],
                    "summary": decision["summary"], "requests": decision["requests"], "reasons": decision["reasons"],
                })
            })
            .collect();
        output.result(&json!({"decisions": decisions}), |output| {
            decisions.iter().for_each(|decision| print_decision(decision, output));
        });
        Ok(Answer::Yes)
    }
}

impl Decisions {
    pub(super) async fn run(self, client: &Client, output: &Output) -> Result {
        let variables = json!({
            "token": self.token, "action": self.action, "denied": self.denied, "request": self.request,
            "first": self.limit, "after": self.after,
        });
        let found = client.run("decisions:v2", variables).await?;
        let page = &found["decisions"];
        let decisions: Vec<_> = nodes(page).iter().map(decision).collect();
        let document =
            json!({"decisions": decisions, "next_cursor": next_cursor(page), "damaged": page["damaged"]});
        output.result(&document, |output| {
            let columns = ["id", "last_at", "count", "allowed", "action", "on", "token", "role", "because"];
            let row = |decision: &Value| {
                let cells = columns.map(|column| match column {
                    "on" => on(decision),
                    column => cell(&decision[column]),
                });
                cells.to_vec()
            };
            output.table(&columns, &decisions.iter().map(row).collect::<Vec<_>>(), "decision");
        });
        if let Some(cursor) = document["next_cursor"].as_str() {
            output.note(&format!("more: --after {cursor}"));
        }
        note_damage(&document, output);
        Ok(Answer::Yes)
    }
}

fn decision(decision: &Value) -> Value {
    json!({
        "id": decision["id"], "first_at": decision["firstAt"], "last_at": decision["lastAt"],
        "count": decision["count"], "token": decision["token"], "role": decision["role"],
        "clearance": decision["clearance"], "purposes": decision["purposes"], "scopes": decision["scopes"],
        "compartments": decision["compartments"], "action": decision["action"], "label_id": decision["labelId"],
        "filter": decision["filter"], "version": decision["version"], "allowed": decision["allowed"],
        "because": decision["because"], "requests": decision["requests"],
    })
}

fn changes(list: &Value) -> Value {
    let change = |change: &Value| {
        json!({
            "principal": change["principal"], "action": change["action"], "label": change["label"],
            "label_id": change["labelId"], "used": change["used"],
        })
    };
    items(list).map(change).collect()
}

fn print_changes(document: &Value, output: &Output) {
    let columns = ["", "used", "action", "principal", "label", "label id"];
    let row = |sign: &str, change: &Value| {
        let cells = ["used", "action", "principal", "label", "label_id"].map(|name| plain(&change[name]));
        [sign.to_owned()].into_iter().chain(cells).collect()
    };
    let gains = items(&document["gains"]).map(|change| row("+", change));
    let losses = items(&document["losses"]).map(|change| row("-", change));
    let rows: Vec<Vec<String>> = gains.chain(losses).collect();
    if !rows.is_empty() {
        output.table(&columns, &rows, "rule");
    }
    output.note(&format!(
        "{} newly allowed (+), {} newly denied (-), of {} decisions",
        document["gains_total"], document["losses_total"], document["compared"]
    ));
}

fn print_decision(decision: &Value, output: &Output) {
    output.line(&output.bold(&plain(&decision["summary"])));
    output.line(&format!("  who     {}", plain(&decision["principal"])));
    output.line(&format!("  what    {}", plain(&decision["action"])));
    let id = decision["label_id"].as_u64().map(|id| format!(" (label {id})")).unwrap_or_default();
    output.line(&format!("  on      {}{id}", plain(&decision["label"])));
    if items(&decision["requests"]).next().is_some() {
        output.line(&format!("  request {}", cell(&decision["requests"])));
    }
    let version = match decision["version"].as_u64() {
        Some(0) => "the built-in policy".to_owned(),
        version => format!("policy version {}", version.unwrap_or_default()),
    };
    for reason in items(&decision["reasons"]) {
        let found: Vec<_> = items(&reason["found"])
            .map(|found| format!("{} is {}", plain(&found["name"]), plain(&found["value"])))
            .collect();
        output.line(&format!("  because {}", found.join(", ")));
        output.line(&format!("  {version}, line {}:", reason["line"]));
        plain(&reason["text"]).lines().for_each(|line| output.line(&output.dim(&format!("    {line}"))));
    }
}

/// What a decision of the log is about.
fn on(decision: &Value) -> String {
    match (&decision["label_id"], &decision["filter"]) {
        (Value::Number(label), _) => format!("label {label}"),
        (_, Value::Object(filter)) => format!("{} of {} labels", filter["allowed"], filter["of"]),
        _ => "the tenant".to_owned(),
    }
}

fn note_damage(document: &Value, output: &Output) {
    items(&document["damaged"]).for_each(|damage| output.note(&format!("left out: {}", plain(damage))));
}

pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(" "),
        other => plain(other),
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}
