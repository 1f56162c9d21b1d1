//! The settings of a node, and where each comes from.

use clap::{Args, Subcommand};
use serde_json::json;

use super::output::{Output, plain};
use super::serve::Settings;
use super::{Answer, Failure, Result};
use crate::config::origins;

/// Look at settings
#[derive(Subcommand)]
pub(super) enum Config {
    /// Show every setting as `serve` with the same flags would have it, and where it comes from
    Show(Show),
}

/// The flags that `serve` would be given.
#[derive(Args)]
pub(super) struct Show {
    #[command(flatten)]
    settings: Settings,
}

impl Config {
    pub(super) fn run(self, output: &Output) -> Result {
        let Config::Show(Show { settings }) = self;
        let variables: Vec<_> = super::serve::variables().collect();
        let shown = origins::show(&settings.flags(), &variables)
            .map_err(|error| Failure::bad_input(format!("{error:#}")))?;
        output.result(&json!({ "settings": shown }), |output| {
            let row = |setting: &origins::Shown| {
                let place = setting.place.clone().unwrap_or_default();
                vec![setting.name.clone(), plain(&setting.value), setting.origin.to_owned(), place]
            };
            output.table(
                &["setting", "value", "from", "place"],
                &shown.iter().map(row).collect::<Vec<_>>(),
                "setting",
            );
        });
        Ok(Answer::Yes)
    }
}
