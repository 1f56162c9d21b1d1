//! Vectors of texts: the model in use, and the thread on which it makes those of queries. Where the settings say so the model is
//! another program's, which is asked instead (`remote`).
//!
//! A query is encoded while somebody waits, so it has a deadline, and goes before documents, which are encoded on the
//! thread of whoever follows the log. Vectors of queries are kept for a while; neither they nor the texts are ever in a
//! log or an error.

mod cache;
mod installed;
mod remote;

pub(crate) use installed::{Listed, Staged, check as check_installed, write};
pub use remote::Embedder;

use std::collections::VecDeque;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use index::embed::{Encoder, Model, ModelId};

use self::cache::Cache;
use self::installed::Installed;
use self::remote::{Documents, Remote};

/// Queries that may wait; one more would not be answered in time.
const WAITING_MAX: usize = 64;
/// What is behind this makes no difference to the vector of a query.
const QUERY_BYTES_MAX: usize = 4096;
/// A document waits for queries so long at most: it gets on even when there are always some.
const YIELD_MAX: Duration = Duration::from_millis(100);

/// The encoder, as everybody sees it.
#[derive(Clone)]
pub struct Embedding(Arc<Shared>);

/// Why there is no vector of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoVector {
    /// No model is in use.
    NoModel,
    /// It would have come too late.
    Deadline,
    /// The model failed; the words say nothing of the query.
    Failed(String),
}

struct Shared {
    installed: Installed,
    /// Used in place of any that is installed.
    remote: Option<Arc<Remote>>,
    in_use: RwLock<InUse>,
    cache: Mutex<Cache>,
    queue: Mutex<Queue>,
    /// A query has come, or has been answered.
    moved: Condvar,
}

/// The model in use, and why there is none.
#[derive(Default)]
struct InUse {
    model: Option<Used>,
    problem: Option<String>,
    /// Whether anybody has looked which one to use.
    was_chosen: bool,
}

/// By what documents become vectors.
#[derive(Clone)]
pub enum Encoding {
    /// Nobody knows yet: the node has just begun.
    Unknown,
    /// By nothing.
    NoModel,
    /// By this.
    By(Arc<dyn Encoder>),
}

impl Encoding {
    /// What makes the vectors, if something does.
    #[must_use]
    pub fn encoder(self) -> Option<Arc<dyn Encoder>> {
        if let Encoding::By(encoder) = self { Some(encoder) } else { None }
    }
}

/// A model, as it is asked.
#[derive(Clone)]
enum Used {
    /// On a thread of the node.
    Installed(Arc<Model>),
    /// In another program.
    Remote(Arc<Remote>),
}

impl Used {
    fn id(&self) -> &ModelId {
        match self {
            Used::Installed(model) => model.model(),
            Used::Remote(remote) => remote.id(),
        }
    }
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Asked>,
    is_encoding: bool,
    is_closed: bool,
}

/// A query whose vector somebody waits for.
struct Asked {
    text: String,
    deadline: Instant,
    answer: SyncSender<Result<Arc<[f32]>, NoVector>>,
}

impl Embedding {
    /// Starts the thread over the models installed in a directory, of which it loads the one to use. `chosen` names
    /// it if there are several; it must not be larger than `model_bytes_max`. With an embedder none of them is used.
    ///
    /// # Errors
    /// If the thread cannot be started, or what is left of a model that did not come whole cannot be removed.
    pub fn start(
        home: PathBuf,
        chosen: Option<String>,
        model_bytes_max: usize,
        embedder: Option<Embedder>,
    ) -> std::io::Result<(Embedding, JoinHandle<()>)> {
        let installed = Installed::new(home, chosen, model_bytes_max as u64);
        installed.forget_staged()?;
        let shared = Arc::new(Shared {
            installed,
            remote: embedder.map(Remote::start).transpose()?.map(Arc::new),
            in_use: RwLock::default(),
            cache: Mutex::default(),
            queue: Mutex::default(),
            moved: Condvar::new(),
        });
        let encoding = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("encode".to_owned()).spawn(move || encoding.run())?;
        Ok((Embedding(shared), thread))
    }

    /// The model in use, if there is one.
    #[must_use]
    pub fn model(&self) -> Option<ModelId> {
        self.0.model().map(|model| model.id().clone())
    }

    /// The vector of a query by then, or why not.
    ///
    /// # Errors
    /// If there is no model, it failed, or it would have been too late.
    pub fn query(&self, text: &str, deadline: Instant) -> Result<Arc<[f32]>, NoVector> {
        let model = self.0.model().ok_or(NoVector::NoModel)?;
        let text = &text[..text.floor_char_boundary(QUERY_BYTES_MAX)];
        if let Some(vector) = self.0.cache().get(model.id(), text) {
            return Ok(vector);
        }
        if let Used::Remote(remote) = &model {
            let vector: Arc<[f32]> = remote.query(text, deadline)?.into();
            self.0.cache().put(remote.id(), text, &vector);
            return Ok(vector);
        }
        let (answer, answered) = sync_channel(1);
        self.0.ask(Asked { text: text.to_owned(), deadline, answer })?;
        match answered.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => Err(NoVector::Deadline),
            // The thread passes over what is too late, and may do so before it is noticed here.
            Err(RecvTimeoutError::Disconnected) if deadline <= Instant::now() => Err(NoVector::Deadline),
            Err(RecvTimeoutError::Disconnected) => {
                Err(NoVector::Failed("the encoder has stopped".to_owned()))
            }
        }
    }

    /// For who follows the log: encodes on the thread of the caller, and lets queries go first; or asks the embedder.
    #[must_use]
    pub fn documents(&self) -> Encoding {
        let in_use = self.0.in_use.read().unwrap_or_else(PoisonError::into_inner);
        match &in_use.model {
            None if !in_use.was_chosen => Encoding::Unknown,
            None => Encoding::NoModel,
            Some(Used::Installed(model)) => {
                Encoding::By(Arc::new(Yielding { model: Arc::clone(model), shared: Arc::clone(&self.0) }))
            }
            Some(Used::Remote(remote)) => Encoding::By(Arc::new(Documents(Arc::clone(remote)))),
        }
    }

    /// The other program that makes the vectors, if one does.
    pub(crate) fn embedder(&self) -> Option<remote::Told> {
        self.0.remote.as_ref().map(|remote| remote.told())
    }

    /// Why no model is in use, if one should be.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.0.in_use.read().unwrap_or_else(PoisonError::into_inner).problem.clone()
    }

    /// Tells the thread to end after its present query.
    pub fn stop(&self) {
        let mut queue = self.0.queue();
        queue.is_closed = true;
        queue.waiting.clear();
        self.0.moved.notify_all();
        drop(queue);
        if let Some(remote) = &self.0.remote {
            remote.stop();
        }
    }
}

impl Shared {
    fn run(&self) {
        let (model, problem) = self.chosen();
        // Somebody may have installed one in the meantime.
        if self.model().is_none() {
            self.use_model(model, problem);
        }
        while let Some(asked) = self.next() {
            let answer = self.answer(&asked);
            // Who asked may be gone.
            let _ = asked.answer.try_send(answer);
            self.queue().is_encoding = false;
            self.moved.notify_all();
        }
    }

    /// The model that is to be used, of those that are installed, or why it cannot be.
    fn chosen(&self) -> (Option<Used>, Option<String>) {
        if let Some(remote) = &self.remote {
            return (Some(Used::Remote(Arc::clone(remote))), None);
        }
        match self.installed.load() {
            Ok(model) => (model.map(|model| Used::Installed(Arc::new(model))), None),
            Err(problem) => {
                tracing::error!(problem, "no model is in use; search goes by words alone");
                (None, Some(problem))
            }
        }
    }

    /// Uses what is to be used now that another is installed or removed.
    fn choose_again(&self) {
        let (model, problem) = self.chosen();
        self.use_model(model, problem);
    }

    fn use_model(&self, model: Option<Used>, problem: Option<String>) {
        *self.in_use.write().unwrap_or_else(PoisonError::into_inner) =
            InUse { model, problem, was_chosen: true };
        self.cache().clear();
    }

    fn model(&self) -> Option<Used> {
        self.in_use.read().unwrap_or_else(PoisonError::into_inner).model.clone()
    }

    fn ask(&self, asked: Asked) -> Result<(), NoVector> {
        let mut queue = self.queue();
        if queue.is_closed || queue.waiting.len() >= WAITING_MAX {
            return Err(NoVector::Deadline);
        }
        queue.waiting.push_back(asked);
        self.moved.notify_all();
        Ok(())
    }

    /// The next query that can still be answered in time; `None` when the node stops.
    fn next(&self) -> Option<Asked> {
        let mut queue = self.queue();
        loop {
            if queue.is_closed {
                return None;
            }
            while let Some(asked) = queue.waiting.pop_front() {
                if asked.deadline > Instant::now() {
                    queue.is_encoding = true;
                    return Some(asked);
                }
            }
            queue = self.moved.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn answer(&self, asked: &Asked) -> Result<Arc<[f32]>, NoVector> {
        let Some(Used::Installed(model)) = self.model() else { return Err(NoVector::NoModel) };
        // The same may have been asked twice at once.
        if let Some(vector) = self.cache().get(model.model(), &asked.text) {
            return Ok(vector);
        }
        let vector = model.encode_query(&asked.text).map_err(|error| NoVector::Failed(error.to_string()))?;
        let vector: Arc<[f32]> = vector.into();
        self.cache().put(model.model(), &asked.text, &vector);
        Ok(vector)
    }

    /// Waits until no query is waiting or being encoded, but not for long.
    fn yield_to_queries(&self) {
        let is_busy = |queue: &mut Queue| queue.is_encoding || !queue.waiting.is_empty();
        drop(self.moved.wait_timeout_while(self.queue(), YIELD_MAX, is_busy));
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The model, for documents.
struct Yielding {
    model: Arc<Model>,
    shared: Arc<Shared>,
}

impl Encoder for Yielding {
    fn model(&self) -> &ModelId {
        self.model.model()
    }

    fn encode(&self, text: &str) -> index::Result<Vec<f32>> {
        self.shared.yield_to_queries();
        self.model.encode(text)
    }

    fn passages(&self, text: &str) -> Vec<Range<usize>> {
        self.model.passages(text)
    }
}

#[cfg(test)]
mod tests;
