//! A node without sockets, in a directory of its own that goes with it: filled with a collection, then asked.

use std::cell::Cell;
use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use index::embed::{MANIFEST, Manifest};
use serde_json::json;
use storage::commands::{Command, SetFlag};
use storage::ids::{ActorId, Lsn};
use storage::model::{Classification, Flag, Licence, Purposes, Retention, SourceSpec, TEXT_BYTES_MAX};
use tempfile::TempDir;
use tokio::sync::mpsc::Sender;

use super::collection::{Collection, Document};
use super::error::{Error, Result};
use super::measures::DEPTH;
use super::{Mode, ModelFiles, Stage, Watch, Way};
use crate::app::App;
use crate::config::Config;
use crate::ingest::files::Format;
use crate::ingest::import::{self, Summary};
use crate::ingest::upload::{self, Event};
use crate::policy::Principal;
use crate::running::Running;
use crate::search::reason::Reason;
use crate::search::{self, Question};
use crate::tokens;

const SOURCE: &str = "collection";
const TYPE: &str = "document";
/// Most documents of a collection.
const DOCUMENTS_MAX: usize = 10_000_000;
/// Texts of a document; what is beyond is not searched.
const TEXTS_MAX: usize = 6;
/// Lines are handed to the import in pieces of about so many bytes.
const PIECE_BYTES: usize = 256 * 1024;
/// Documents are told to who watches after so many.
const TOLD_EVERY: u32 = 256;
/// The index is waited for so long while it makes no progress.
const SEARCHABLE_PATIENCE: Duration = Duration::from_secs(60);
/// Who watches is told of vectors so often.
const VECTORS_TOLD_EVERY: Duration = Duration::from_millis(500);
/// Nobody waits for an answer: the vector stage is not cut off. In milliseconds.
const VECTOR_BUDGET_MS: u64 = 60_000;
/// The memory of a node that has a model, in bytes: the largest that there are fit in.
const MEMORY_WITH_MODEL_BYTES: usize = 2 << 30;

/// Why an answer is by words alone and right all the same.
const BY_WORDS: [Reason; 2] = [Reason::NotAsked, Reason::QueryEmpty];

/// A node that is filled with a collection.
pub(super) struct Sandbox {
    running: Option<Running>,
    principal: Principal,
    names: Names,
    incomplete: Cell<u64>,
    _place: TempDir,
}

/// The collection's ids and the numbers of their documents. The node knows documents by their number: an id such as `12` would
/// be found by every query with that word.
#[derive(Default)]
struct Names {
    numbers: HashMap<Arc<str>, (u32, u64)>,
    names: Vec<Arc<str>>,
    /// Documents whose id was there before.
    again: u64,
    cut: u64,
}

impl Sandbox {
    /// A node filled with a collection, and what the reader of a result should know of it.
    pub(super) fn filled_with(
        collection: &Collection,
        model: Option<&ModelFiles>,
        watch: Watch<'_>,
    ) -> Result<(Sandbox, Vec<String>)> {
        let place = tempfile::Builder::new().prefix("intelgraph-evaluate-").tempdir();
        let place = place.map_err(|cause| Error::file(&std::env::temp_dir(), cause))?;
        let data_dir = place.path().join("data");
        let mut config = Config { data_dir, vector_budget_ms: VECTOR_BUDGET_MS, ..Config::default() };
        if let Some(model) = model {
            install(model, &config.data_dir.join("models"))?;
            config.memory_bytes_max = config.memory_bytes_max.max(MEMORY_WITH_MODEL_BYTES);
        }
        let running = Running::start(config)?;
        let principal = owner(&running.app)?;
        let mut sandbox = Sandbox {
            running: Some(running),
            principal,
            names: Names::default(),
            incomplete: Cell::new(0),
            _place: place,
        };
        if model.is_some() {
            sandbox.turn_on_meaning()?;
            // An index that is there before the documents takes them in steps, so that it is seen to get on.
            sandbox.make_vectors(watch)?;
        }
        let notes = sandbox.fill(collection, watch)?;
        if model.is_some() {
            sandbox.make_vectors(watch)?;
        }
        Ok((sandbox, notes))
    }

    fn fill(&mut self, collection: &Collection, watch: Watch<'_>) -> Result<Vec<String>> {
        let request = import::Request { format: Format::Jsonl, source: source(), bytes: None };
        let (sender, mut upload) = upload::channel();
        let (app, principal) = (self.app(), &self.principal);
        let (imported, fed) = std::thread::scope(|scope| {
            let feeding = scope.spawn(move || feed(collection, sender, watch));
            let imported = import::run(app, principal, &request, &mut upload);
            // Who still sends is told that nobody listens.
            drop(upload);
            (imported, feeding.join())
        });
        let names = fed.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // What is wrong with a file is said before what the import made of it.
        self.names = names?;
        let summary = imported?;
        if self.names.names.is_empty() {
            return Err(Error::Collection("the collection has no documents".to_owned()));
        }
        if !app_waits(self.app(), &self.principal, &summary) {
            return Err(Error::Search(
                "the documents are not searchable in time; see the free memory and disk".to_owned(),
            ));
        }
        Ok(self.names.notes(&summary))
    }

    fn turn_on_meaning(&self) -> Result<()> {
        let (tenant, actor) = (self.principal.tenant, ActorId::NODE);
        let (flag, value) = (Flag::VectorPreview, Some("on".to_owned()));
        self.app().write_blocking(Command::SetFlag(SetFlag { tenant, actor, flag, value }))?;
        Ok(())
    }

    /// Waits until every document has its vectors, however long that takes while it gets on.
    fn make_vectors(&self, watch: Watch<'_>) -> Result<()> {
        let (app, tenant) = (self.app(), self.principal.tenant);
        let head = app.store.view()?.head(tenant)?.head();
        let (mut seen, mut since) = (Lsn::NONE, Instant::now());
        while !app.vectors.wait(tenant, head, VECTORS_TOLD_EVERY) {
            if (watch.stop)() {
                return Err(Error::Stopped);
            }
            if let Some(problem) = app.embedding.problem() {
                return Err(Error::Collection(problem));
            }
            let status = app.vectors.status(tenant);
            if status.position > seen {
                (seen, since) = (status.position, Instant::now());
            }
            if since.elapsed() > SEARCHABLE_PATIENCE {
                let why = status.reason.unwrap_or_default();
                return Err(Error::Search(format!("no vectors are made ({}): {why}", status.state)));
            }
            (watch.told)(Stage::Vectors(head.0), seen.0);
        }
        Ok(())
    }

    /// The numbers of the documents that a query finds, and their scores, best first.
    pub(super) fn ask(&self, text: &str, way: Way) -> Result<Vec<(u32, f64)>> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let app = self.app();
        let question = Question {
            text: text.to_owned(),
            limit: DEPTH,
            mode: way.mode,
            keyword_weight: Some(way.weight),
            ..Question::default()
        };
        let view = app.view()?;
        let answer = match way.mode {
            Mode::Keyword => search::search(app, &self.principal, &view, &question, &|| false)?,
            Mode::Vector | Mode::Hybrid => search::hybrid(app, &self.principal, &view, &question, &|| false)?,
        };
        // Only stop words, say: then the words have the answer, and it is the user's too.
        let is_without = answer.vector.reason.is_some_and(|reason| !BY_WORDS.contains(&reason));
        if !answer.complete || is_without {
            self.incomplete.set(self.incomplete.get() + 1);
        }
        Ok(answer.hits.iter().filter_map(|hit| Some((number(&hit.id)?, hit.score))).collect())
    }

    pub(super) fn documents(&self) -> usize {
        self.names.names.len()
    }

    /// The number of a document.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.names.numbers.get(name).map(|(number, _)| *number)
    }

    /// What the collection calls a document.
    pub(super) fn name(&self, number: u32) -> &str {
        &self.names.names[number as usize]
    }

    /// What the reader of a result should know of the answers.
    pub(super) fn note(&self) -> Option<String> {
        let count = self.incomplete.get();
        (count > 0)
            .then(|| format!("{count} searches were cut off or had no vectors; the results are not those of a node with time"))
    }

    fn app(&self) -> &App {
        &self.running.as_ref().expect("it runs until it is dropped").app
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
        }
    }
}

/// Puts a model where a node looks for it.
fn install(model: &ModelFiles, models: &Path) -> Result<()> {
    let (manifest, _) =
        Manifest::parse(&model.manifest).map_err(|why| Error::Collection(format!("the model: {why}")))?;
    let folder = models.join(&manifest.name);
    let failed = |cause| Error::file(&folder, cause);
    std::fs::create_dir_all(&folder).map_err(failed)?;
    std::fs::write(folder.join(MANIFEST), &model.manifest).map_err(failed)?;
    for (name, file) in &model.files {
        std::fs::copy(file, folder.join(name)).map_err(|cause| Error::file(file, cause))?;
    }
    Ok(())
}

/// An owner, who may see everything.
fn owner(app: &App) -> Result<Principal> {
    let made =
        tokens::first_owner(app)?.ok_or_else(|| Error::Search("a new node has an owner".to_owned()))?;
    let tenant = app.store.view()?.tenant(tokens::FIRST_TENANT)?;
    let tenant = tenant.ok_or_else(|| Error::Search("a new node has a tenant".to_owned()))?;
    Principal::of_token(&made.spec, ActorId::NODE, (tenant, tokens::FIRST_TENANT), None)
        .map_err(|refused| Error::Search(refused.to_string()))
}

fn source() -> SourceSpec {
    SourceSpec {
        name: SOURCE.to_owned(),
        purposes: Purposes::ALL,
        licence: Licence::OpenDataOk,
        retention: Retention::Standard365d,
        classification: Classification::Public,
        personal: false,
    }
}

fn app_waits(app: &App, principal: &Principal, summary: &Summary) -> bool {
    summary.searchable || app.follow.wait(principal.tenant, Lsn(summary.lsn), SEARCHABLE_PATIENCE)
}

/// Sends every document as a line of JSON, until nobody takes them any more.
fn feed(collection: &Collection, sender: Sender<Event>, watch: Watch<'_>) -> Result<Names> {
    let (mut names, mut piece) = (Names::default(), Vec::with_capacity(PIECE_BYTES));
    let _ = sender.blocking_send(Event::File(SOURCE.to_owned(), None));
    let sent = collection.documents(&mut |document| {
        if (watch.stop)() {
            return Err(Error::Stopped);
        }
        let Some(number) = names.add(&document)? else { return Ok(()) };
        if number.is_multiple_of(TOLD_EVERY) {
            (watch.told)(Stage::Documents, u64::from(number));
        }
        names.cut += u64::from(write_line(&mut piece, number, &document));
        if piece.len() >= PIECE_BYTES {
            // If the import has failed it says so itself.
            let _ = sender.blocking_send(Event::Data(Bytes::from(std::mem::take(&mut piece))));
        }
        Ok(())
    });
    let end = match &sent {
        Ok(()) => {
            let _ = sender.blocking_send(Event::Data(Bytes::from(piece)));
            Event::End
        }
        Err(error) => Event::Broken(error.to_string()),
    };
    let _ = sender.blocking_send(end);
    sent.map(|()| names)
}

/// A document as a line to import; whether it was too long to be searched as a whole.
fn write_line(into: &mut Vec<u8>, number: u32, document: &Document) -> bool {
    let (mut texts, mut rest) = (Vec::new(), document.text.trim());
    while !rest.is_empty() && texts.len() < TEXTS_MAX {
        let (text, after) = rest.split_at(rest.floor_char_boundary(TEXT_BYTES_MAX));
        texts.push(json!({"text": text}));
        rest = after;
    }
    let mut line = json!({"id": id(number), "type": TYPE});
    let title = document.title.trim();
    if !title.is_empty() {
        line["attributes"] = json!({"name": title});
    }
    if !texts.is_empty() {
        line["texts"] = texts.into();
    }
    into.extend_from_slice(line.to_string().as_bytes());
    into.push(b'\n');
    !rest.is_empty()
}

/// One word, and none that anybody asks for: it is the title of a document that has no other.
fn id(number: u32) -> String {
    format!("n{number:011}")
}

fn number(id: &str) -> Option<u32> {
    id.strip_prefix('n')?.parse().ok()
}

impl Names {
    /// The number of a new document; `None` if there is one of that id.
    fn add(&mut self, document: &Document) -> Result<Option<u32>> {
        let mut hasher = DefaultHasher::new();
        document.hash(&mut hasher);
        let (number, hash) = (self.names.len() as u32, hasher.finish());
        if self.names.len() >= DOCUMENTS_MAX {
            return Err(Error::Collection(format!("more than {DOCUMENTS_MAX} documents; take fewer")));
        }
        match self.numbers.entry(Arc::from(document.id.as_str())) {
            Entry::Occupied(known) => {
                self.again += u64::from(known.get().1 != hash);
                Ok(None)
            }
            Entry::Vacant(place) => {
                self.names.push(Arc::clone(place.key()));
                place.insert((number, hash));
                Ok(Some(number))
            }
        }
    }

    fn notes(&self, summary: &Summary) -> Vec<String> {
        let rejects = summary.rejects_file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        let first = rejects.as_deref().and_then(|rejects| rejects.lines().next()).unwrap_or_default();
        let count = |count: u64, note: String| (count > 0).then(|| format!("{count} {note}"));
        [
            count(
                self.again,
                "documents have the id of another before them, and another text; the first stands".to_owned(),
            ),
            count(self.cut, "documents are so long that their ends are not searched".to_owned()),
            count(summary.rejected, format!("documents were refused; the first: {first}")),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
