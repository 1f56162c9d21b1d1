//! Has a node look at everything that it keeps; on the directory of one that is stopped, looks itself.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::backup::progress;
use super::client::Client;
use super::output::Output;
use super::{Answer, Failure, Global, Result, verify};

const ASK_EVERY: Duration = Duration::from_millis(250);

/// What to look at.
#[derive(Args)]
pub(super) struct Scrub {
    /// The data directory of a node that is stopped; else the node that runs is asked
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

impl Scrub {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        match self.data_dir {
            Some(path) => verify::Verify::of(path).run(output),
            None => ask(&Client::new(global)?, output).await,
        }
    }
}

async fn ask(client: &Client, output: &Output) -> Result {
    let begun = client.scrub().await?;
    let bar = progress(output);
    let last = loop {
        let mut told: Value = client.get("/api/v1/scrub").await?.json().await?;
        if told["running"].is_null() {
            break told["last"].take();
        }
        bar.set_position(told["running"]["bytes"].as_u64().unwrap_or_default());
        tokio::time::sleep(ASK_EVERY).await;
    };
    bar.finish_and_clear();
    if last["began"] != begun["began"] {
        return Err(Failure::cannot_tell("cut_off", "the node was started anew meanwhile; scrub again"));
    }
    let report = &last["report"];
    if report.is_null() {
        let of = |field: &str| last["error"][field].as_str().unwrap_or("failed").to_owned();
        return Err(Failure::cannot_tell(&of("code"), of("message")));
    }
    output.result(report, |output| verify::print(report, client.url(), "bytes of rows", output));
    Ok(if report["ok"] == true { Answer::Yes } else { Answer::No })
}
