//! An import: files become commands in bounded memory, each object is answered for, and the run records
//! of itself what it read, what it wrote and how it ended.
//!
//! Reading and committing overlap: while the writer makes one chunk durable the next is being read. A
//! relation may come before the things it joins; such relations wait in a durable table until the end.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use serde::Serialize;
use storage::commands::{Applied, Assert, BeginRun, Command, Effect, IfEndMissing, SetSource};
use storage::ids::{Lsn, SourceId};
use storage::model::{MappingUsed, Part, RunBegin, RunState, Said, SourceSpec};
use storage::{Error, ErrorKind, Result};
use tokio::sync::oneshot;

use super::files::{Fatal, Format, Import, Item, Reject, csv};
use super::supplied::Supplied;
use super::upload::{Digest, Upload};
use crate::app::App;
use crate::commit::Answers;
use crate::policy::Principal;

mod going;
mod position;
pub(crate) mod rejects;
mod settling;

use going::Listed;
pub use going::{Course, Going, Look, Phase};
use position::Position;
pub use rejects::{Rejects, path as rejects_path};
pub use settling::{GivenUp, recover};
use settling::{Line, Settling};

/// A chunk is submitted when it holds so many bytes of claims and texts,
const CHUNK_BYTES_MAX: usize = 128 << 10;
/// or so many commands: what others write waits for one chunk, which is a few milliseconds. The writer takes many at a time if
/// there are no others.
const CHUNK_COMMANDS_MAX: usize = 128;
/// Chunks that wait for the writer while the next is read.
const CHUNKS_IN_FLIGHT_MAX: usize = 96;
/// Who watches is told the counts after so many objects.
const TOLD_EVERY: u64 = 512;
/// An import waits so long for the search index while that makes no progress.
const SEARCHABLE_PATIENCE: Duration = Duration::from_secs(30);

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The format of every file.
    pub format: Format,
    /// The source and its terms.
    pub source: SourceSpec,
    /// How long all of it is as it is sent, in bytes, if that is known.
    pub bytes: Option<u64>,
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
    /// Things passed over, because an import of the same file that was cut off had made them durable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed_at: Option<u64>,
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
    let mut next = upload.next_file();
    if let (None, Some(why)) = (&next, upload.broken()) {
        return Err(Error::invalid("body", why, "a file, or files"));
    }
    let mapping = upload.take_mapping();
    if mapping.is_some() && request.format != Format::Csv {
        return Err(Error::invalid("mapping", &request.format.to_string(), "for format csv alone"));
    }
    let mut running = Running::begin(app, principal, request, upload.bytes_read())?;
    let mut reader = Import::new(request.source.clone());
    reader.mapping = mapping;
    while let Some((name, digest)) = next {
        running.file(&mut reader, &name, digest, upload);
        if running.failure.is_some() {
            break;
        }
        next = upload.next_file();
    }
    if let Some(why) = upload.broken() {
        running.broken.get_or_insert_with(|| why.to_owned());
    }
    running.finish()
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
    position: Position,
    _listed: Listed<'a>,
    resumed_at: Option<u64>,
    failure: Option<Error>,
    broken: Option<String>,
    notes: Vec<String>,
    supplied: Supplied,
}

/// Commands on their way, and where they came from.
#[derive(Default)]
struct Chunk {
    commands: Vec<Command>,
    lines: Vec<Line>,
    /// How far each file has been read behind the commands.
    positions: Vec<Command>,
    bytes: usize,
}

impl<'a> Running<'a> {
    fn begin(
        app: &'a App,
        principal: &Principal,
        request: &'a Request,
        read: Arc<AtomicU64>,
    ) -> Result<Running<'a>> {
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
        let course = Arc::new(Course::new(read, request.bytes, principal.request.clone()));
        let settling = Settling::new(app, tenant, actor, run, Vec::new());
        Ok(Running {
            started: Instant::now(),
            source,
            request,
            purpose: principal.recorded_purpose().code(),
            settling: Settling { course: Arc::clone(&course), ..settling },
            _listed: app.going.list(tenant, run, course),
            chunk: Chunk::default(),
            in_flight: VecDeque::new(),
            pending: 0,
            position: Position::default(),
            resumed_at: None,
            failure: None,
            broken: None,
            notes: Vec::new(),
            supplied: Supplied::default(),
        })
    }

    /// Reads one file; what breaks it off is kept for the summary.
    fn file(&mut self, reader: &mut Import, name: &str, digest: Option<Digest>, upload: &mut Upload) {
        let input = self.settling.inputs.len() as u32;
        self.settling.inputs.push(name.to_owned());
        self.settling.course.at_file(name);
        // How far the file before was read becomes durable with what was read of it.
        self.note_position();
        if let Err(error) = self.start(reader, name, digest) {
            self.failure = Some(error);
            return;
        }
        let format = self.request.format;
        let ended = reader.read(format, name, upload, &mut |item| {
            self.item(input, item);
            if self.failure.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if let Some(csv::Used { sha256, format, inferred }) = reader.take_mapping_used() {
            let sha256 = sha256.to_vec();
            self.settling.mappings.push(MappingUsed { input, format, sha256, inferred });
            if inferred {
                self.notes
                    .push(format!("what the columns of `{name}` are was guessed; see it with --preview"));
            }
        }
        match ended {
            Ok(summary) if !summary.late_markings.is_empty() => self.notes.push(format!(
                "`{name}` uses markings before it defines them; what uses them has the import's classification. \
                 Name the file twice in one import to put that right"
            )),
            Ok(_) => {}
            Err(fatal) => self.break_off(name, &fatal),
        }
    }

    /// Goes on where an import of the same file was cut off, if there was one.
    fn start(&mut self, reader: &Import, name: &str, digest: Option<Digest>) -> Result<()> {
        let whose = (self.settling.tenant, self.source);
        let mapping = reader.mapping.as_ref();
        self.position = Position::at_start(self.settling.app, whose, self.request, mapping, digest)?;
        if let Some((run, things)) = self.position.resumed() {
            *self.resumed_at.get_or_insert(0) += things;
            self.notes
                .push(format!("`{name}`: resumed at record {}, where run {run} was cut off", things + 1));
        }
        Ok(())
    }

    fn note_position(&mut self) {
        let run = self.settling.run;
        self.chunk.positions.extend(self.position.command(self.settling.tenant, self.source, run));
    }

    fn break_off(&mut self, name: &str, fatal: &Fatal) {
        self.broken.get_or_insert_with(|| format!("`{name}`: {fatal}"));
    }

    fn item(&mut self, input: u32, item: Item) {
        self.settling.counts.read += 1;
        if self.settling.counts.read.is_multiple_of(TOLD_EVERY) {
            self.take_ready();
            self.settling.tell();
        }
        match item {
            Item::Reject(reject) => self.settling.reject(input, &reject),
            Item::Said { line, said } => self.said(input, line, said),
        }
    }

    fn said(&mut self, input: u32, line: u64, said: Said) {
        match self.position.pass(&said) {
            Ok(false) => {}
            Ok(true) => return self.settling.count(said.form, Effect::Unchanged),
            Err(error) => {
                self.failure = Some(error);
                return;
            }
        }
        self.pending += 1;
        self.supplied.count(self.settling.app, &said);
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
        if self.chunk.commands.is_empty() {
            return;
        }
        self.note_position();
        let mut chunk = std::mem::take(&mut self.chunk);
        chunk.commands.append(&mut chunk.positions);
        let Settling { app, tenant, .. } = &self.settling;
        match app.commit.submit_soon(*tenant, chunk.commands, chunk.bytes) {
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
            Ok(answers) => self.answered(answers, lines),
            Err(_) => self.failure = Some(Error::Poisoned { cause: "the node is stopping".to_owned() }),
        }
    }

    /// Counts what is durable by now, without waiting for more.
    fn take_ready(&mut self) {
        while let Some((answer, _)) = self.in_flight.front_mut()
            && let Ok(answers) = answer.try_recv()
        {
            let (_, lines) = self.in_flight.pop_front().expect("it is the first");
            self.answered(answers, lines);
        }
    }

    fn answered(&mut self, answers: Result<Answers>, lines: Vec<Line>) {
        match answers {
            Ok(answers) => {
                for (answer, line) in answers.into_iter().zip(lines) {
                    self.settling.answer(&line, answer);
                }
            }
            Err(error) => self.failure = Some(error),
        }
    }

    fn settle_and_end(&mut self) -> Result<Lsn> {
        self.settling.course.settles();
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
        self.notes.extend(self.supplied.notes());
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
            resumed_at: self.resumed_at,
            error: self.broken,
            notes: self.notes,
        })
    }
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
    // What was redacted is not written down again, not even that it was refused.
    let value = if *error == Error::Redacted { "" } else { id };
    Reject::new(error.code(), reason, value)
}

/// Roughly what a thing weighs, in bytes.
fn size(said: &Said) -> usize {
    let part = |part: &Part| -> usize {
        let claims = part.claims.iter().map(|claim| claim.name.len() + claim.json.len());
        let texts = part.texts.iter().map(|text| text.text.len());
        let vector = part.embedding.as_ref().map_or(0, |embedding| 4 * embedding.vector.len());
        claims.sum::<usize>() + texts.sum::<usize>() + vector
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
