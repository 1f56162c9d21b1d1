//! One thing: what is said of it, its history, hiding it and showing it again.

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::Client;
use super::output::{Output, plain};
use super::{Answer, Failure, Global, Result};

/// What to do with a thing.
#[derive(Subcommand)]
pub(super) enum Entity {
    /// Show what each source says of it
    Get {
        /// Its id
        id: String,
        /// As the node knew it then (RFC 3339)
        #[arg(long, value_name = "TIME")]
        as_of: Option<String>,
    },
    /// Show everything that was ever said of it
    History {
        /// Its id
        id: String,
    },
    /// Find what is like it: near to what is said of it
    Similar {
        /// Its id
        id: String,
        /// How many
        #[arg(long, default_value_t = 10)]
        limit: u32,
    },
    /// Show the vectors of what is said of it, of those whose numbers may go out; with --json the numbers, too
    Embeddings {
        /// Its id
        id: String,
    },
    /// Hide it from everybody; it can be restored
    Delete {
        /// Its id
        id: String,
    },
    /// Show a deleted thing again
    Restore {
        /// Its id
        id: String,
    },
}

impl Entity {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        let client = Client::new(global)?;
        match self {
            Entity::Get { id, as_of } => get(&client, &id, as_of, output).await,
            Entity::History { id } => history(&client, &id, output).await,
            Entity::Similar { id, limit } => similar(&client, &id, limit, output).await,
            Entity::Embeddings { id } => embeddings(&client, &id, output).await,
            Entity::Delete { id } => change(&client, "entityDelete", &id, output).await,
            Entity::Restore { id } => change(&client, "entityRestore", &id, output).await,
        }
    }
}

async fn get(client: &Client, id: &str, as_of: Option<String>, output: &Output) -> Result {
    let found = client.answer("entity:v1", json!({"id": id, "asOf": as_of})).await?;
    let entity = some(&found["data"]["entity"], id)?;
    let document = json!({
        "id": entity["id"],
        "type": entity["type"],
        "title": entity["title"],
        "labels": entity["labels"],
        "status": entity["status"],
        "attributes": list(&entity["attributes"], |attribute| json!({
            "name": attribute["name"],
            "value": attribute["value"],
            "source": attribute["source"],
            "observed_at": attribute["observedAt"],
            "lsn": attribute["lsn"],
            "shown": attribute["shown"],
        })),
        "receipt": entity["receipt"],
        "elided": elided(&found),
    });
    output.result(&document, |output| print(&document, output));
    Ok(Answer::Yes)
}

async fn similar(client: &Client, id: &str, limit: u32, output: &Output) -> Result {
    let found = client.answer("similar:v1", json!({"id": id, "first": limit})).await?;
    let found = some(&found["data"]["similar"], id)?;
    super::search::need_vectors(&found["vector"])?;
    output.result(&super::search::document(found, false), |output| super::search::print_hits(found, output));
    Ok(Answer::Yes)
}

async fn embeddings(client: &Client, id: &str, output: &Output) -> Result {
    const OPERATION: &str = "entityEmbeddings:v1";
    let first = client.run(OPERATION, json!({"id": id, "first": 1})).await?;
    if let Some(reason) = some(&first["entityEmbeddings"], id)?["reason"].as_str() {
        let message = format!("there are no vectors to be shown: {}", super::search::means(reason));
        return Err(Failure::cannot_tell(reason, message));
    }
    let found = client.all(OPERATION, json!({"id": id}), "entityEmbeddings").await?;
    let document = json!({"id": id, "embeddings": some(&Value::from(found), id)?});
    output.result(&document, |output| {
        let found = document["embeddings"].as_array().into_iter().flatten();
        let columns = ["source", "licence", "model", "dimension", "supplied", "passage"];
        let rows: Vec<_> = found.map(|found| columns.map(|name| plain(&found[name])).to_vec()).collect();
        output.table(&columns, &rows, "vector");
    });
    Ok(Answer::Yes)
}

async fn history(client: &Client, id: &str, output: &Output) -> Result {
    let found = client.all("entityHistory:v1", json!({"id": id}), "entityHistory").await?;
    let changes = some(&Value::from(found), id)?.clone();
    let document = json!({"id": id, "changes": list(&changes, |change| json!({
        "lsn": change["lsn"],
        "recorded_at": change["recordedAt"],
        "replaced_at": change["replacedAt"],
        "source": change["source"],
        "status": change["status"],
        "attributes": change["attributes"],
    }))});
    output.result(&document, |output| {
        let rows: Vec<_> = document["changes"].as_array().into_iter().flatten().map(history_row).collect();
        output.table(&["lsn", "recorded", "replaced", "source", "status", "claims"], &rows, "change");
    });
    Ok(Answer::Yes)
}

fn history_row(change: &Value) -> Vec<String> {
    let names = change["attributes"].as_array().into_iter().flatten().map(|said| plain(&said["name"]));
    let columns = ["lsn", "recorded_at", "replaced_at", "source", "status"].map(|name| plain(&change[name]));
    columns.into_iter().chain([names.collect::<Vec<_>>().join(" ")]).collect()
}

async fn change(client: &Client, operation: &str, id: &str, output: &Output) -> Result {
    let done = client.run(&format!("{operation}:v1"), json!({"id": id})).await?;
    let done = &done[operation];
    output.result(done, |output| {
        let how = if done["changed"] == true { "recorded" } else { "it was so already" };
        output.line(&format!("{how} (lsn {})", done["lsn"]));
    });
    Ok(Answer::Yes)
}

fn print(entity: &Value, output: &Output) {
    output.line(&format!(
        "{}  {}",
        output.bold(&plain(&entity["title"])),
        output.dim(&plain(&entity["type"]))
    ));
    output.line(&format!("{}  {}", plain(&entity["id"]), plain(&entity["status"])));
    let attributes = entity["attributes"].as_array().into_iter().flatten();
    let rows: Vec<_> = attributes
        .map(|attribute| {
            ["name", "value", "source", "observed_at", "lsn"].map(|name| plain(&attribute[name])).to_vec()
        })
        .collect();
    output.table(&["name", "value", "source", "observed", "lsn"], &rows, "attribute");
    let receipt = &entity["receipt"];
    if receipt.is_null() {
        return;
    }
    output.line(&output.dim(&format!("receipt: leaf {} of {}", receipt["index"], plain(&receipt["origin"]))));
}

/// The fields that the reader may not see, as paths within the thing.
fn elided(answer: &Value) -> Vec<&str> {
    let paths = answer["extensions"]["elided"].as_array().into_iter().flatten();
    paths.filter_map(|path| path.as_str()?.strip_prefix("entity.")).collect()
}

/// What is there, or that there is nothing: for absent and hidden things alike.
fn some<'v>(value: &'v Value, id: &str) -> Result<&'v Value> {
    if value.is_null() {
        Err(Failure::from_node("not_found", &format!("no entity `{id}`")))
    } else {
        Ok(value)
    }
}

fn list(values: &Value, each: impl Fn(&Value) -> Value) -> Vec<Value> {
    values.as_array().into_iter().flatten().map(each).collect()
}
