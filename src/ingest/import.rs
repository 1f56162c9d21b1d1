//! An import: files become commands in bounded memory, each object is answered for, and the run records
//! of itself what it read, what it wrote and how it ended.
//!
//! Reading and committing overlap: while the writer makes one chunk durable the next is being read. A
//! relation may come before the things it joins; such relations wait in a durable table until the end.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use storage::commands::{
    Applied, Assert, BeginRun, Command, Effect, EndRun, IfEndMissing, SetSource, Unpend,
};
use storage::ids::{ActorId, Lsn, RunId, SourceId, TenantId};
use storage::model::{Form, Label, Part, RunBegin, RunCounts, RunEnd, RunState, Said, SourceSpec};
use storage::rows::PendingRow;
use storage::{Error, ErrorKind, Result};
use tokio::sync::oneshot;

use super::files::{Fatal, Format, Import, Item, Reject};
use super::upload::Upload;
use crate::app::App;
use crate::commit::Answers;
use crate::policy::Principal;

mod rejects;

pub use rejects::{Rejects, path as rejects_path};

/// A chunk is submitted when it holds so many bytes of claims and texts,
const CHUNK_BYTES_MAX: usize = 4 << 20;
/// or so many commands.
const CHUNK_COMMANDS_MAX: usize = 8192;
/// Chunks that wait for the writer while the next is read.
const CHUNKS_IN_FLIGHT_MAX: usize = 2;
/// Relations of relations may wait for each other so deep; what is deeper is rejected. Each round reads
/// all that still waits.
const SETTLE_ROUNDS_MAX: usize = 32;
/// Pending relations settled at a time.
const SETTLE_MAX: usize = 4096;
/// An import waits so long for the search index while that makes no progress.
const SEARCHABLE_PATIENCE: Duration = Duration::from_secs(30);

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The format of every file.
    pub format: Format,
    /// The source and its terms.
    pub source: SourceSpec,
}

/// What an import did.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The run, by which its lineage and rejects are found.
    pub run: String,
    /// Objects read.
    pub read: u64,
    /// Things that were not there before.
    pub created: u64,
    /// Things of which something new was said.
    pub updated: u64,
    /// Things of which nothing new was said.
    pub unchanged: u64,
    /// Objects refused.
    pub rejected: u64,
    /// Entities taken in.
    pub entities: u64,
    /// Relations taken in.
    pub relations: u64,
    /// The file that lists the refused, if there are any.
    pub rejects_file: Option<PathBuf>,
    /// How long it took until everything was durable,
    pub durable_seconds: f64,
    /// and until it was searchable.
    pub seconds: f64,
    /// The last record; searches that reflect it show everything.
    pub lsn: u64,
    /// Whether search reflects it by now.
    pub searchable: bool,
    /// What ended a file before its end, if anything did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What the reader should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Runs an import to its end; returns when everything is durable and searchable, or patience ran out.
///
/// # Errors
/// If the source is refused or the store fails. A file that cannot be read to its end is no error here:
/// the summary says so, and what was read stands.
pub fn run(app: &App, principal: &Principal, request: &Request, upload: &mut Upload) -> Result<Summary> {
    app.given_up.end(app);
    let mut running = Running::begin(app, principal, request)?;
    let mut reader = Import::new(request.source.clone());
    while let Some(name) = upload.next_file() {
        running.file(&mut reader, &name, upload);
        if running.failure.is_some() {
            break;
        }
    }
    if let Some(why) = upload.broken() {
        running.broken.get_or_insert_with(|| why.to_owned());
    }
    running.finish()
}

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

struct Running<'a> {
    started: Instant,
    source: SourceId,
    request: &'a Request,
    purpose: u8,
    settling: Settling<'a>,
    chunk: Chunk,
    in_flight: VecDeque<(oneshot::Receiver<Result<Answers>>, Vec<Line>)>,
    pending: u64,
    failure: Option<Error>,
    broken: Option<String>,
    notes: Vec<String>,
}

/// Commands on their way, and where they came from.
#[derive(Default)]
struct Chunk {
    commands: Vec<Command>,
    lines: Vec<Line>,
    bytes: usize,
}

/// Where an object came from.
#[derive(Clone, Debug)]
struct Line {
    input: u32,
    line: u64,
    form: Form,
    id: String,
}

impl<'a> Running<'a> {
    fn begin(app: &'a App, principal: &Principal, request: &'a Request) -> Result<Running<'a>> {
        let (tenant, actor) = (principal.tenant, principal.actor);
        let source = one(app, Command::SetSource(SetSource { tenant, actor, spec: request.source.clone() }))?;
        let Effect::Source(source) = source.effect else { return Err(unexpected(source)) };
        let begin = RunBegin {
            process: format!("import {}", request.format),
            source: request.source.name.clone(),
            inputs: Vec::new(),
            outputs: vec![format!("dataset:intelgraph:{}/{}", principal.tenant_name, request.source.name)],
        };
        let run = one(app, Command::BeginRun(BeginRun { tenant, actor, begin }))?;
        let Effect::Run(run) = run.effect else { return Err(unexpected(run)) };
        Ok(Running {
            started: Instant::now(),
            source,
            request,
            purpose: principal.recorded_purpose().code(),
            settling: Settling::new(app, tenant, actor, run, Vec::new()),
            chunk: Chunk::default(),
            in_flight: VecDeque::new(),
            pending: 0,
            failure: None,
            broken: None,
            notes: Vec::new(),
        })
    }

    /// Reads one file; what breaks it off is kept for the summary.
    fn file(&mut self, reader: &mut Import, name: &str, upload: &mut Upload) {
        let input = self.settling.inputs.len() as u32;
        self.settling.inputs.push(name.to_owned());
        let format = self.request.format;
        let ended = reader.read(format, upload, &mut |item| {
            self.item(input, item);
            if self.failure.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match ended {
            Ok(summary) if !summary.late_markings.is_empty() => self.notes.push(format!(
                "`{name}` uses markings before it defines them; what uses them has the import's classification. \
                 Name the file twice in one import to put that right"
            )),
            Ok(_) => {}
            Err(fatal) => self.break_off(name, &fatal),
        }
    }

    fn break_off(&mut self, name: &str, fatal: &Fatal) {
        self.broken.get_or_insert_with(|| format!("`{name}`: {fatal}"));
    }

    fn item(&mut self, input: u32, item: Item) {
        self.settling.counts.read += 1;
        match item {
            Item::Reject(reject) => self.settling.reject(input, &reject),
            Item::Said { line, said } => self.said(input, line, said),
        }
    }

    fn said(&mut self, input: u32, line: u64, said: Said) {
        self.pending += 1;
        let if_end_missing = IfEndMissing::Pend { run: self.settling.run, input, line, number: self.pending };
        self.chunk.bytes += size(&said);
        self.chunk.lines.push(Line { input, line, form: said.form, id: said.id.clone() });
        self.chunk.commands.push(Command::Assert(Box::new(Assert {
            tenant: self.settling.tenant,
            source: self.source,
            actor: self.settling.actor,
            purpose: self.purpose,
            said,
            if_end_missing,
        })));
        if self.chunk.bytes >= CHUNK_BYTES_MAX || self.chunk.commands.len() >= CHUNK_COMMANDS_MAX {
            self.submit();
        }
    }

    fn submit(&mut self) {
        let chunk = std::mem::take(&mut self.chunk);
        if chunk.commands.is_empty() {
            return;
        }
        match self.settling.app.commit.submit_soon(chunk.commands, chunk.bytes) {
            Ok(answer) => self.in_flight.push_back((answer, chunk.lines)),
            Err(error) => self.failure = Some(error),
        }
        while self.in_flight.len() > CHUNKS_IN_FLIGHT_MAX {
            self.take_answers();
        }
    }

    fn take_answers(&mut self) {
        let Some((answer, lines)) = self.in_flight.pop_front() else { return };
        match answer.blocking_recv() {
            Ok(Ok(answers)) => {
                for (answer, line) in answers.into_iter().zip(lines) {
                    self.settling.answer(&line, answer);
                }
            }
            Ok(Err(error)) => self.failure = Some(error),
            Err(_) => self.failure = Some(Error::Poisoned { cause: "the node is stopping".to_owned() }),
        }
    }

    fn settle_and_end(&mut self) -> Result<Lsn> {
        self.settling.settle()?;
        let state = if self.broken.is_some() { RunState::Failed } else { RunState::Complete };
        self.settling.end(state)
    }

    fn finish(mut self) -> Result<Summary> {
        self.submit();
        while !self.in_flight.is_empty() {
            self.take_answers();
        }
        let ended = match self.failure.take() {
            Some(failure) => Err(failure),
            None => self.settle_and_end(),
        };
        let lsn = ended.inspect_err(|_| self.settling.give_up())?;
        let durable_seconds = self.started.elapsed().as_secs_f64();
        let rejects_file = self.settling.rejects.close();
        let searchable = self.settling.app.follow.wait(self.settling.tenant, lsn, SEARCHABLE_PATIENCE);
        let counts = self.settling.counts;
        Ok(Summary {
            run: self.settling.run.to_string(),
            read: counts.read,
            created: counts.created,
            updated: counts.updated,
            unchanged: counts.unchanged,
            rejected: counts.rejected,
            entities: counts.entities,
            relations: counts.relations,
            rejects_file,
            durable_seconds,
            seconds: self.started.elapsed().as_secs_f64(),
            lsn: lsn.0,
            searchable,
            error: self.broken,
            notes: self.notes,
        })
    }
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
    counts: RunCounts,
}

impl GivenUp {
    /// Ends them now that the store takes writes again; those that still cannot be ended wait on.
    fn end(&self, app: &App) {
        let runs = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for Open { tenant, actor, run, inputs, counts } in runs {
            let mut settling = Settling { counts, ..Settling::new(app, tenant, actor, run, inputs) };
            if settling.settle().and_then(|()| settling.end(RunState::Failed)).is_err() {
                settling.give_up();
            }
        }
    }
}

/// What a run has done so far, and what it has set aside.
struct Settling<'a> {
    app: &'a App,
    tenant: TenantId,
    actor: ActorId,
    run: RunId,
    inputs: Vec<String>,
    counts: RunCounts,
    rejects: Rejects,
}

impl<'a> Settling<'a> {
    fn new(app: &'a App, tenant: TenantId, actor: ActorId, run: RunId, inputs: Vec<String>) -> Settling<'a> {
        let rejects = Rejects::new(rejects_path(&app.config.data_dir, tenant, run));
        Settling { app, tenant, actor, run, inputs, counts: RunCounts::default(), rejects }
    }

    fn answer(&mut self, line: &Line, answer: Result<Applied>) {
        match answer {
            Ok(applied) => self.count(line.form, applied.effect),
            Err(error) => self.reject(line.input, &refusal(&error, &line.id).at(line.line)),
        }
    }

    fn count(&mut self, form: Form, effect: Effect) {
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

    fn reject(&mut self, input: u32, reject: &Reject) {
        self.counts.rejected += 1;
        let file = self.inputs.get(input as usize).map_or("", String::as_str);
        self.rejects.add(file, reject);
    }

    /// Says what waited for its ends, again and again while that helps: a relation may itself be an end.
    fn settle(&mut self) -> Result<()> {
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
        self.app.commit.submit_blocking(done)?;
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

    fn end(&mut self, state: RunState) -> Result<Lsn> {
        let end = RunEnd {
            run: self.run.0,
            state: state as i32,
            counts: self.counts,
            inputs: self.input_datasets(),
        };
        let command = EndRun { tenant: self.tenant, actor: self.actor, end };
        Ok(one(self.app, Command::EndRun(command))?.lsn)
    }

    /// Leaves the run to be ended by the next import, or at the next start.
    fn give_up(&mut self) {
        let inputs = std::mem::take(&mut self.inputs);
        let mut runs = self.app.given_up.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (tenant, actor, run, counts) = (self.tenant, self.actor, self.run, self.counts);
        runs.push(Open { tenant, actor, run, inputs, counts });
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
        })
    });
    let parts = parts.collect::<Result<Vec<_>>>()?;
    let first =
        row.parts.first().ok_or_else(|| Error::Corrupt { what: "pending", detail: "no part".to_owned() })?;
    first.assertion.said(parts)
}

/// Why an object was refused, as far as who sent it may know.
pub(crate) fn refusal(error: &Error, id: &str) -> Reject {
    // The stored type may be hidden from who imports; that the id is taken cannot be.
    let reason = match error {
        Error::TypeConflict { .. } => {
            "the id is taken by a thing of another type; choose another id".to_owned()
        }
        error => error.to_string(),
    };
    Reject::new(error.code(), reason, id)
}

/// Roughly what a thing weighs, in bytes.
fn size(said: &Said) -> usize {
    let part = |part: &Part| -> usize {
        let claims = part.claims.iter().map(|claim| claim.name.len() + claim.json.len());
        let texts = part.texts.iter().map(|text| text.text.len());
        claims.sum::<usize>() + texts.sum::<usize>()
    };
    said.parts.iter().map(part).sum::<usize>() + 256
}

/// Submits one command and waits for its answer.
fn one(app: &App, command: Command) -> Result<Applied> {
    app.commit
        .submit_blocking(vec![command])?
        .pop()
        .unwrap_or_else(|| Err(Error::Poisoned { cause: "no answer".to_owned() }))
}

fn unexpected(applied: Applied) -> Error {
    Error::Corrupt { what: "commit", detail: format!("unexpected effect {:?}", applied.effect) }
}

/// Whether an import failed for a reason that trying again may cure.
#[must_use]
pub fn is_passing(error: &Error) -> bool {
    error.kind() == ErrorKind::Unavailable
}
