//! Flags: what is turned on or set for a tenant.

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::Client;
use super::output::{Output, plain};
use super::{Answer, Global, Result};

/// What to do with flags.
#[derive(Subcommand)]
pub(super) enum Flag {
    /// Set a flag for the tenant: vector-preview on|off, keyword-weight 0..1
    Set {
        /// Its name
        name: String,
        /// What to set it to; `default` sets it back
        value: String,
    },
    /// List the flags of the tenant, and what holds
    List,
    /// List the tenants for which a flag is on
    Pilots {
        /// Its name
        #[arg(default_value = "vector-preview")]
        name: String,
    },
    /// Stop what a flag turns on, at once, for every tenant of the node
    Stop {
        /// Its name
        name: String,
    },
    /// Let it go on, as it is set for each tenant
    Resume {
        /// Its name
        name: String,
    },
}

impl Flag {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        let client = Client::new(global)?;
        match self {
            Flag::Set { name, value } => {
                let given = (value != "default").then_some(&value);
                let done = client.run("flagSet:v1", json!({"name": name, "value": given})).await?;
                tell(output, &done["flagSet"], &format!("{name} is {value}"));
            }
            Flag::Stop { name } => {
                let done = client.run("flagStop:v1", json!({"name": name})).await?;
                tell(output, &done["flagStop"], &format!("{name} is stopped for every tenant"));
            }
            Flag::Resume { name } => {
                let done = client.run("flagStop:v1", json!({"name": name, "resume": true})).await?;
                tell(output, &done["flagStop"], &format!("{name} is as it is set for each tenant"));
            }
            Flag::Pilots { name } => {
                let pilots = client.run("flagPilots:v1", json!({"name": name})).await?["flagPilots"].take();
                output.result(&json!({"flag": name, "tenants": pilots}), |output| {
                    let rows: Vec<_> =
                        pilots.as_array().into_iter().flatten().map(|one| vec![plain(one)]).collect();
                    output.table(&["tenant"], &rows, "tenant");
                });
            }
            Flag::List => {
                let found = client.run("flags:v1", json!({})).await?["flags"].take();
                let flags: Vec<_> = found.as_array().into_iter().flatten().map(document).collect();
                output.result(&json!({"flags": flags}), |output| {
                    let columns = ["name", "in_force", "value", "default", "stopped", "set_by", "set_at"];
                    let row = |flag: &Value| columns.map(|name| plain(&flag[name])).to_vec();
                    output.table(&columns, &flags.iter().map(row).collect::<Vec<_>>(), "flag");
                });
            }
        }
        Ok(Answer::Yes)
    }
}

fn tell(output: &Output, done: &Value, what: &str) {
    let document = json!({"changed": done["changed"], "lsn": done["lsn"]});
    output.result(&document, |output| output.line(what));
}

fn document(flag: &Value) -> Value {
    json!({
        "name": flag["name"], "value": flag["value"], "default": flag["default"], "stopped": flag["stopped"],
        "in_force": flag["inForce"], "set_by": flag["setBy"], "set_at": flag["setAt"],
    })
}
