//! Has a node build the vector segment of a tenant.

use std::time::Duration;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::client::Client;
use super::output::Output;
use super::{Answer, Failure, Global, Result};

const ASK_EVERY: Duration = Duration::from_millis(250);
const PATH: &str = "/api/v1/index/vectors";

/// What to do with an index.
#[derive(Subcommand)]
pub(super) enum Index {
    /// Seal the vectors that came since the last build; without --now, say how the index is doing
    Build(Build),
}

#[derive(Args)]
pub(super) struct Build {
    /// Now, not in the window of the day for it
    #[arg(long)]
    now: bool,
}

impl Index {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        let Index::Build(Build { now }) = self;
        let client = Client::new(global)?;
        let status = if now { build(&client, output).await? } else { ask(&client).await? };
        output.result(&status, |output| print(&status, output));
        let failed = now && status["built"]["ok"] != true;
        Ok(if failed { Answer::No } else { Answer::Yes })
    }
}

/// Begins a build and waits until it has ended.
async fn build(client: &Client, output: &Output) -> Result<Value> {
    let before = client.build_index().await?["builds"].as_u64();
    let bar = progress(output);
    loop {
        let status = ask(client).await?;
        if status["builds"].as_u64() != before {
            bar.finish_and_clear();
            return Ok(status);
        }
        if ["no_model", "missing"].contains(&status["state"].as_str().unwrap_or_default()) {
            bar.finish_and_clear();
            return Err(Failure::cannot_tell("no_index", "the index is gone meanwhile; build again"));
        }
        let of = |field: &str| status["building"][field].as_u64().unwrap_or_default();
        bar.set_length(of("all"));
        bar.set_position(of("done"));
        tokio::time::sleep(ASK_EVERY).await;
    }
}

fn progress(output: &Output) -> ProgressBar {
    if output.quiet {
        return ProgressBar::hidden();
    }
    let template = "{spinner} {pos} of {len} vectors linked, {elapsed}";
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    ProgressBar::new(0).with_style(style)
}

async fn ask(client: &Client) -> Result<Value> {
    Ok(client.get(PATH).await?.json().await?)
}

fn print(status: &Value, output: &Output) {
    let text = |field: &str| status[field].as_str().unwrap_or_default().to_owned();
    output.line(&format!(
        "{}: {} vectors sealed, {} since",
        text("state"),
        status["sealed"],
        status["fresh"]
    ));
    if let Some(detail) = status["built"]["detail"].as_str() {
        output.line(&format!("last build: {detail}"));
    }
    if let Some(recall) = status["recall"].as_f64() {
        output.line(&format!("walks find {:.1} % of what is nearest, as last measured", 100.0 * recall));
    }
}
