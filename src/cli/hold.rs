//! Holds: what must not be erased.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::Client;
use super::output::{Output, plain};
use super::{Answer, Global, Result};

/// What to do with holds.
#[derive(Subcommand)]
pub(super) enum Hold {
    /// Keep something from being erased, by whomever and by age
    Add(Add),
    /// Remove a hold
    Remove {
        /// Its id, as `list` shows it
        id: String,
    },
    /// List the holds that stand
    List,
}

/// What is held, and why.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(super) struct Add {
    /// An entity, by its id
    #[arg(long, value_name = "ID", group = "what", allow_hyphen_values = true)]
    entity: Option<String>,
    /// All that a source says, by its name
    #[arg(long, value_name = "NAME", group = "what")]
    source: Option<String>,
    /// All of the tenant
    #[arg(long, group = "what")]
    whole_tenant: bool,
    /// Why
    #[arg(long)]
    reason: String,
}

impl Hold {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        let client = Client::new(global)?;
        match self {
            Hold::Add(add) => {
                let variables = json!({
                    "entity": add.entity, "source": add.source, "wholeTenant": add.whole_tenant,
                    "reason": add.reason,
                });
                let hold = client.run("holdAdd:v1", variables).await?["holdAdd"].take();
                let mut document = document(&hold);
                // It is known by the record that set it; nothing is erased.
                document["records"] = json!(1);
                document["bytes"] = json!(0);
                document["lsn"] = plain(&hold["id"]).parse::<u64>().ok().into();
                output.result(&document, |output| output.line(&format!("hold {}", plain(&document["id"]))));
            }
            Hold::Remove { id } => {
                let done = client.run("holdRemove:v1", json!({"id": id})).await?;
                let document = json!({"records": 1, "bytes": 0, "lsn": done["holdRemove"]["lsn"]});
                output.result(&document, |output| output.line(&format!("removed hold {id}")));
            }
            Hold::List => {
                let found = client.all("holds:v1", json!({}), "holds").await?.unwrap_or_default();
                let holds: Vec<_> = found.iter().map(document).collect();
                output.result(&json!({"holds": holds}), |output| {
                    let columns = ["id", "kind", "name", "reason", "set_by", "set_at"];
                    let row = |hold: &Value| columns.map(|name| plain(&hold[name])).to_vec();
                    output.table(&columns, &holds.iter().map(row).collect::<Vec<_>>(), "hold");
                });
            }
        }
        Ok(Answer::Yes)
    }
}

fn document(hold: &Value) -> Value {
    json!({
        "id": hold["id"], "kind": hold["kind"], "name": hold["name"], "reason": hold["reason"],
        "set_by": hold["setBy"], "set_at": hold["setAt"],
    })
}
