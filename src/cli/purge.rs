//! Purging what is over.

use clap::Args;
use serde_json::{Value, json};

use super::client::Client;
use super::output::{Output, plain};
use super::{Answer, Global, Result};

/// Removes what was last said longer ago than it is to be kept. The node does so by itself each day.
#[derive(Args)]
pub(super) struct Purge {
    /// Remove nothing: show what is over
    #[arg(long)]
    dry_run: bool,
    /// Vouch for the clock, after it jumped by more than a day
    #[arg(long, conflicts_with = "dry_run")]
    accept_clock: bool,
}

impl Purge {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        let variables = json!({"dryRun": self.dry_run, "acceptClock": self.accept_clock});
        let document = Client::new(global)?.run("purge:v1", variables).await?["purge"].take();
        output.result(&document, |output| {
            let columns = ["tier", "source", "records", "bytes"];
            let row = |tier: &Value| columns.map(|name| plain(&tier[name])).to_vec();
            let rows: Vec<_> = document["tiers"].as_array().into_iter().flatten().map(row).collect();
            output.table(&columns, &rows, "tier");
            let what = if self.dry_run { "over" } else { "removed" };
            output.line(&format!("{what}: {} records, {} bytes", document["records"], document["bytes"]));
        });
        Ok(Answer::Yes)
    }
}
