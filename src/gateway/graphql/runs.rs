//! Runs: what was imported when, and how it ended.

use async_graphql::{Context, Object, Result, SimpleObject};
use storage::ids::RunId;
use storage::model::{MappingUsed, RunState};
use storage::rows::RunRow;

use super::connection::{connection, page};
use super::declared::{auth, public};
use super::{DateTime, read};

const LIMIT: usize = 20;
const LIMIT_MAX: usize = 1000;

#[derive(Default)]
pub(super) struct RunsQuery;

/// One import.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
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
    /// What the columns of tables were taken for: which mapping each was read by.
    mappings: Vec<Mapping>,
}

/// The mapping by which a table was read.
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Mapping {
    /// The input, as in `inputs`.
    input: String,
    /// The mapping's format.
    format: u32,
    /// SHA-256 of its text, in hex.
    sha256: String,
    /// Whether nobody declared it: it was made from the input.
    inferred: bool,
}

connection! {
    /// Runs, newest first.
    RunConnection of RunEdge of Run
}

#[Object]
impl RunsQuery {
    /// The last runs, newest first: one's own, or everybody's for who may see everything.
    #[graphql(directive = auth::apply("import.run".to_owned(), None))]
    async fn runs(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<RunConnection> {
        read(context, move |app, principal, view| {
            let first = super::first(first, LIMIT, LIMIT_MAX)?;
            let all = app.sees_everything(view, principal)?;
            let runs = view.runs(principal.tenant)?.into_iter().rev();
            let mine = runs.filter(|(_, row)| all || row.actor == principal.actor.0);
            let page = page(mine, first, after.as_deref(), |(run, _)| format!("run/{run}"))?;
            let edges = page.nodes.into_iter().map(|(node, cursor)| RunEdge { node: node.into(), cursor });
            Ok(RunConnection { edges: edges.collect(), page_info: page.info })
        })
        .await
    }
}

impl From<(RunId, RunRow)> for Run {
    fn from((run, row): (RunId, RunRow)) -> Run {
        let state = row.end.as_ref().map_or(RunState::Running, |end| end.state());
        let end = row.end.unwrap_or_default();
        let mappings = end.mappings.iter().map(|used| Mapping::of(used, &end.inputs)).collect();
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
            mappings,
        }
    }
}

impl Mapping {
    fn of(used: &MappingUsed, inputs: &[String]) -> Mapping {
        Mapping {
            input: inputs.get(used.input as usize).cloned().unwrap_or_default(),
            format: used.format,
            sha256: used.sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            inferred: used.inferred,
        }
    }
}

/// How a run is, or how it ended, in a word.
pub(in crate::gateway) fn state_name(state: RunState) -> &'static str {
    match state {
        RunState::Running => "running",
        RunState::Complete => "complete",
        RunState::Failed => "failed",
        RunState::Interrupted => "interrupted",
    }
}
