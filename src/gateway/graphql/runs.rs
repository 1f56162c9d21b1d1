//! Runs: what was imported when, and how it ended.

use async_graphql::{Context, Object, Result, SimpleObject};
use storage::ids::RunId;
use storage::model::RunState;
use storage::rows::RunRow;

use super::{DateTime, read};
use crate::policy::Action;

const LIMIT: usize = 20;
const LIMIT_MAX: usize = 1000;

#[derive(Default)]
pub(super) struct RunsQuery;

/// One import.
#[derive(SimpleObject)]
struct Run {
    run: String,
    process: String,
    source: String,
    /// `running`, `complete`, `failed` or `interrupted`.
    state: &'static str,
    began: DateTime,
    ended: Option<DateTime>,
    inputs: Vec<String>,
    outputs: Vec<String>,
    read: u64,
    created: u64,
    updated: u64,
    unchanged: u64,
    rejected: u64,
}

#[Object]
impl RunsQuery {
    /// The last runs, newest first: one's own, or everybody's for who may see everything.
    async fn runs(&self, context: &Context<'_>, limit: Option<i32>) -> Result<Vec<Run>> {
        read(context, move |app, principal, view| {
            app.check(principal, Action::ImportRun)?;
            let limit = super::limit(limit, LIMIT, LIMIT_MAX)?;
            let all = app.sees_everything(view, principal)?;
            let runs = view.runs(principal.tenant)?.into_iter().rev();
            let mine = runs.filter(|(_, row)| all || row.actor == principal.actor.0);
            Ok(mine.take(limit).map(Run::from).collect())
        })
        .await
    }
}

impl From<(RunId, RunRow)> for Run {
    fn from((run, row): (RunId, RunRow)) -> Run {
        let state = row.end.as_ref().map_or(RunState::Running, |end| end.state());
        let end = row.end.unwrap_or_default();
        Run {
            run: run.to_string(),
            process: row.begin.process,
            source: row.begin.source,
            state: state_name(state),
            began: DateTime(row.began_us),
            ended: row.ended_us.map(DateTime),
            inputs: if end.inputs.is_empty() { row.begin.inputs } else { end.inputs },
            outputs: row.begin.outputs,
            read: end.counts.read,
            created: end.counts.created,
            updated: end.counts.updated,
            unchanged: end.counts.unchanged,
            rejected: end.counts.rejected,
        }
    }
}

fn state_name(state: RunState) -> &'static str {
    match state {
        RunState::Running => "running",
        RunState::Complete => "complete",
        RunState::Failed => "failed",
        RunState::Interrupted => "interrupted",
    }
}
