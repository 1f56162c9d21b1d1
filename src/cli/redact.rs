//! Erasing for ever what is said of an entity or by a source.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use super::client::Client;
use super::output::Output;
use super::{Answer, Failure, Global, Result};

/// How often the node is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// Nobody waits longer for an erasure that does not get on.
const PATIENCE: Duration = Duration::from_secs(600);

/// Erases for ever what is said of an entity, with all that joins it to others, or all that a source said.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(super) struct Redact {
    /// The entity, by its id
    #[arg(long, value_name = "ID", group = "what", allow_hyphen_values = true)]
    entity: Option<String>,
    /// The source, by its name
    #[arg(long, value_name = "NAME", group = "what")]
    source: Option<String>,
    /// Why; it is kept for ever, so it should name nobody
    #[arg(long, required_unless_present = "lift", conflicts_with = "lift")]
    reason: Option<String>,
    /// Erase nothing: let what was redacted be brought in again
    #[arg(long)]
    lift: bool,
}

impl Redact {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        let client = Client::new(global)?;
        let document =
            if self.lift { self.lift(&client).await? } else { self.redact(&client, output).await? };
        output.result(&document, |output| {
            let (records, bytes, lsn) = (&document["records"], &document["bytes"], &document["lsn"]);
            match self.lift {
                true => output.line(&format!("it may be brought in again (lsn {lsn})")),
                false => output.line(&format!("erased {records} records, {bytes} bytes (lsn {lsn})")),
            }
        });
        Ok(Answer::Yes)
    }

    async fn redact(&self, client: &Client, output: &Output) -> Result<Value> {
        let variables = json!({"entity": self.entity, "source": self.source, "reason": self.reason});
        let begun = client.run("redact:v1", variables).await?["redact"].take();
        let done = until_done(client, begun, output).await?;
        Ok(json!({"records": done["records"], "bytes": done["bytes"], "lsn": done["lsn"]}))
    }

    async fn lift(&self, client: &Client) -> Result<Value> {
        let variables = json!({"entity": self.entity, "source": self.source});
        let done = client.run("redactionLift:v1", variables).await?;
        Ok(json!({"records": 0, "bytes": 0, "lsn": done["redactionLift"]["lsn"]}))
    }
}

/// Asks until the last byte is gone.
async fn until_done(client: &Client, mut seen: Value, output: &Output) -> Result<Value> {
    let mut since = Instant::now();
    while seen["done"] != true {
        if since.elapsed() > PATIENCE {
            let message = format!(
                "redaction {} is hidden and not yet erased; the node goes on with it, look at its log",
                seen["lsn"]
            );
            return Err(Failure::cannot_tell("not_erased_yet", message));
        }
        tokio::time::sleep(ASK_EVERY).await;
        let now = client.run("redaction:v1", json!({"lsn": seen["lsn"]})).await?["redaction"].take();
        if now != seen {
            output.note(&format!("{} records erased", now["records"]));
            (seen, since) = (now, Instant::now());
        }
    }
    Ok(seen)
}
