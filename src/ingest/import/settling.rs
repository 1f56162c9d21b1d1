//! What a run has set aside, and its end: relations whose ends came later are said, the others refused, and the run is
//! recorded with its counts.

use std::sync::{Arc, Mutex, PoisonError};

use storage::commands::{Applied, Assert, Command, Effect, EndRun, IfEndMissing, Unpend};
use storage::ids::{ActorId, Lsn, RunId, SourceId, TenantId};
use storage::model::{Form, Label, MappingUsed, Part, RunCounts, RunEnd, RunState, Said};
use storage::rows::PendingRow;
use storage::{Error, Result};

use super::going::Course;
use super::rejects::{Rejects, path as rejects_path};
use super::{one, refusal};
use crate::app::App;
use crate::ingest::files::Reject;

/// Relations of relations may wait for each other so deep; what is deeper is rejected. Each round reads
/// all that still waits.
const SETTLE_ROUNDS_MAX: usize = 32;
/// Pending relations settled at a time.
const SETTLE_MAX: usize = 4096;

/// Ends the runs that a stopped node left open: what they had set aside is settled, and they are
/// recorded as interrupted.
///
/// # Errors
/// If the store fails.
pub fn recover(app: &App) -> Result<()> {
    let view = app.store.view()?;
    for (tenant, head) in view.tenants()? {
        for (run, row) in view.runs(tenant)?.into_iter().filter(|(_, row)| row.end.is_none()) {
            tracing::warn!(tenant = head.name, %run, process = row.begin.process, "an import was interrupted; ending it");
            let actor = ActorId(row.actor);
            let mut settling = Settling::new(app, tenant, actor, run, row.begin.inputs.clone());
            settling.settle()?;
            settling.end(RunState::Interrupted)?;
        }
    }
    Ok(())
}

/// Runs that failed with the store: what they set aside, and their end, could not be written then.
#[derive(Default)]
pub struct GivenUp(Mutex<Vec<Open>>);

/// A run that has not ended, without what it needs to go on.
struct Open {
    tenant: TenantId,
    actor: ActorId,
    run: RunId,
    inputs: Vec<String>,
    mappings: Vec<MappingUsed>,
    counts: RunCounts,
}

impl GivenUp {
    /// Ends them now that the store takes writes again; those that still cannot be ended wait on.
    pub(super) fn end(&self, app: &App) {
        let runs = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for Open { tenant, actor, run, inputs, mappings, counts } in runs {
            let mut settling =
                Settling { counts, mappings, ..Settling::new(app, tenant, actor, run, inputs) };
            if settling.settle().and_then(|()| settling.end(RunState::Failed)).is_err() {
                settling.give_up();
            }
        }
    }
}

/// Where an object came from.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) input: u32,
    pub(super) line: u64,
    pub(super) form: Form,
    pub(super) id: String,
}

/// What a run has done so far, and what it has set aside.
pub(super) struct Settling<'a> {
    pub(super) app: &'a App,
    pub(super) tenant: TenantId,
    pub(super) actor: ActorId,
    pub(super) run: RunId,
    pub(super) inputs: Vec<String>,
    pub(super) mappings: Vec<MappingUsed>,
    pub(super) counts: RunCounts,
    pub(super) rejects: Rejects,
    /// For who watches.
    pub(super) course: Arc<Course>,
}

impl<'a> Settling<'a> {
    pub(super) fn new(
        app: &'a App,
        tenant: TenantId,
        actor: ActorId,
        run: RunId,
        inputs: Vec<String>,
    ) -> Settling<'a> {
        let rejects = Rejects::new(rejects_path(&app.config.data_dir, tenant, run));
        let (mappings, counts, course) = Default::default();
        Settling { app, tenant, actor, run, inputs, mappings, counts, rejects, course }
    }

    /// Tells who watches how far the run is.
    pub(super) fn tell(&self) {
        self.course.counted(self.counts);
    }

    pub(super) fn answer(&mut self, line: &Line, answer: Result<Applied>) {
        match answer {
            Ok(applied) => self.count(line.form, applied.effect),
            Err(error) => self.reject(line.input, &refusal(&error, &line.id).at(line.line)),
        }
    }

    pub(super) fn count(&mut self, form: Form, effect: Effect) {
        let counts = &mut self.counts;
        match effect {
            Effect::Created => counts.created += 1,
            Effect::Updated => counts.updated += 1,
            Effect::Unchanged => counts.unchanged += 1,
            // Counted when it is settled.
            _ => return,
        }
        match form {
            Form::Entity => counts.entities += 1,
            Form::Relation => counts.relations += 1,
        }
    }

    pub(super) fn reject(&mut self, input: u32, reject: &Reject) {
        self.counts.rejected += 1;
        let file = self.inputs.get(input as usize).map_or("", String::as_str);
        self.rejects.add(file, reject);
    }

    /// Says what waited for its ends, again and again while that helps: a relation may itself be an end.
    pub(super) fn settle(&mut self) -> Result<()> {
        for _ in 0..SETTLE_ROUNDS_MAX {
            if self.settle_round(false)? == 0 {
                break;
            }
        }
        self.settle_round(true)?;
        Ok(())
    }

    /// One pass over the pending table; how many found their ends. In the last pass what is still
    /// without an end is rejected.
    fn settle_round(&mut self, last: bool) -> Result<u64> {
        let mut settled = 0;
        let mut after = 0;
        loop {
            let view = self.app.store.view()?;
            let rows = view.pending(self.tenant, self.run, after, SETTLE_MAX)?;
            let Some((number, _)) = rows.last() else { return Ok(settled) };
            after = number + 1;
            settled += self.settle_some(rows, last)?;
        }
    }

    fn settle_some(&mut self, rows: Vec<(u64, PendingRow)>, last: bool) -> Result<u64> {
        let asserts = rows.iter().map(|(_, row)| self.assert_pending(row)).collect::<Result<Vec<_>>>()?;
        let answers = self.app.commit.submit_blocking(asserts)?;
        let mut done = Vec::new();
        let mut settled = 0;
        for ((number, row), answer) in rows.iter().zip(answers) {
            if matches!(answer, Err(Error::EndMissing { .. })) && !last {
                continue;
            }
            settled += u64::from(answer.is_ok());
            let id = row.parts.first().map(|part| part.assertion.id.clone()).unwrap_or_default();
            self.answer(&Line { input: row.input, line: row.line, form: Form::Relation, id }, answer);
            done.push(Command::Unpend(Unpend { tenant: self.tenant, run: self.run, number: *number }));
        }
        // What is refused for good is listed before it is let go of: a node that stops in between lists it again.
        if last {
            self.rejects.sync();
        }
        self.app.commit.submit_blocking(done)?;
        self.tell();
        Ok(settled)
    }

    fn assert_pending(&self, row: &PendingRow) -> Result<Command> {
        Ok(Command::Assert(Box::new(Assert {
            tenant: self.tenant,
            source: SourceId(row.source),
            actor: self.actor,
            purpose: row.purpose as u8,
            said: said_of(row)?,
            if_end_missing: IfEndMissing::Refuse,
        })))
    }

    pub(super) fn end(&mut self, state: RunState) -> Result<Lsn> {
        let end = RunEnd {
            run: self.run.0,
            state: state as i32,
            counts: self.counts,
            inputs: self.input_datasets(),
            mappings: self.mappings.clone(),
            listed: self.rejects.durable(),
        };
        let command = EndRun { tenant: self.tenant, actor: self.actor, end };
        Ok(one(self.app, Command::EndRun(command))?.lsn)
    }

    /// Leaves the run to be ended by the next import, or at the next start.
    pub(super) fn give_up(&mut self) {
        let (inputs, mappings) = (std::mem::take(&mut self.inputs), std::mem::take(&mut self.mappings));
        let mut runs = self.app.given_up.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (tenant, actor, run, counts) = (self.tenant, self.actor, self.run, self.counts);
        runs.push(Open { tenant, actor, run, inputs, mappings, counts });
    }

    fn input_datasets(&self) -> Vec<String> {
        self.inputs.iter().map(|name| format!("dataset:file:{name}")).collect()
    }
}

/// What a pending row says, as it was read.
fn said_of(row: &PendingRow) -> Result<Said> {
    let parts = row.parts.iter().map(|part| {
        Ok(Part {
            label: Arc::new(Label::decode(&part.label)?),
            claims: part.assertion.claims.clone(),
            texts: part.assertion.texts.clone(),
            embedding: part.assertion.embedding.clone(),
        })
    });
    let parts = parts.collect::<Result<Vec<_>>>()?;
    let first =
        row.parts.first().ok_or_else(|| Error::Corrupt { what: "pending", detail: "no part".to_owned() })?;
    first.assertion.said(parts)
}
