//! Vectors that come with the data, counted by what becomes of them: what is kept and not used is said.

use std::collections::BTreeMap;

use storage::model::{Embedding, Said};

use crate::app::App;

/// Those that are kept and not used, by the reason.
#[derive(Default)]
pub(crate) struct Supplied(BTreeMap<&'static str, u64>);

impl Supplied {
    /// Counts the vectors of what is said of a thing.
    pub(crate) fn count(&mut self, app: &App, said: &Said) {
        for embedding in said.parts.iter().filter_map(|part| part.embedding.as_ref()) {
            let outcome = outcome(app, embedding);
            app.metrics.vector_supplied(outcome);
            if outcome != USED {
                *self.0.entry(outcome).or_default() += 1;
            }
        }
    }

    /// What whoever brought them should know.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(outcome, count)| {
            format!("{count} of the vectors are kept, but not used now: {}", means(outcome))
        })
    }
}

const USED: &str = "used";

fn outcome(app: &App, embedding: &Embedding) -> &'static str {
    let Some(model) = app.embedding.model() else { return "no_model" };
    model.takes(embedding).err().unwrap_or(USED)
}

fn means(outcome: &str) -> &str {
    match outcome {
        "no_model" => "no model is installed",
        "other_model" => "their `model` is not the one in use (intelgraph model list)",
        _ => "they have more or fewer components than those of the model in use (intelgraph model list)",
    }
}
