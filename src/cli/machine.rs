//! What is asked on the node's own machine, as the user that the node runs as: through its admin socket, without a token.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::serve::{blocking, load};
use super::{Failure, Result};
use crate::admin::{self, Question};
use crate::config::{Config, Flags};
use crate::running::Running;

/// Which node.
#[derive(Args)]
pub(super) struct Machine {
    /// Where the node keeps everything [default: intelgraph-data]
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// The node's settings file (TOML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Machine {
    /// Asks the node that runs.
    pub(super) async fn ask(self, question: &Question) -> Result<Value> {
        let data_dir = self.load()?.data_dir;
        admin::ask(&data_dir, question).await.map_err(|error| no_answer(&data_dir, &error))
    }

    /// Asks the node that runs, or does it on the directory of one that is stopped.
    pub(super) async fn ask_or_act(self, question: Question) -> Result<Value> {
        let config = self.load()?;
        match admin::ask(&config.data_dir, &question).await {
            Ok(answer) => Ok(answer),
            Err(error) if nobody_listens(&error) && config.data_dir.join("format").is_file() => {
                act(config, question).await
            }
            Err(error) => Err(no_answer(&config.data_dir, &error)),
        }
    }

    fn load(self) -> Result<Config> {
        load(Flags { data_dir: self.data_dir, file: self.config, ..Flags::default() })
    }
}

/// The node runs for as long as it takes, and listens to nobody.
async fn act(config: Config, question: Question) -> Result<Value> {
    blocking(move || {
        let running = Running::start(config)?;
        let answer = admin::answer(&running.app, question);
        running.stop();
        answer
    })
    .await
}

fn nobody_listens(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    matches!(kind, Some(ErrorKind::NotFound | ErrorKind::ConnectionRefused))
}

fn no_answer(data_dir: &Path, error: &anyhow::Error) -> Failure {
    let place = data_dir.display();
    if nobody_listens(error) {
        return Failure::cannot_tell(
            "unreachable",
            format!(
                "no node runs on `{place}`; name its directory with --data-dir, or start one with `intelgraph serve`"
            ),
        );
    }
    match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
        Some(ErrorKind::PermissionDenied) => Failure::cannot_tell(
            "denied",
            format!("the node on `{place}` is another user's; run this as the user that it runs as"),
        ),
        _ => Failure::cannot_tell("failed", format!("the node on `{place}`: {error:#}")),
    }
}
