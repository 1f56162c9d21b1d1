//! A model that is elsewhere: another program makes the vectors, asked as OpenAI's `POST /v1/embeddings` is.
//!
//! Off unless it is set. What is sent are passages of what is said under labels that may go there, and the questions of those who
//! search by meaning; see `docs/models.md`. Requests run on a thread of their own, so that whoever waits for one does so no
//! longer than he may.

mod answer;
mod pause;
mod settings;

use std::ops::Range;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use index::embed::{Encoder, ModelId, Unusable, estimated};
use reqwest::Client;
use reqwest::header::AUTHORIZATION;
use reqwest::redirect::Policy;
use serde_json::json;
use storage::model::{Label, Licence};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot::{self, Sender};

use self::answer::Refusal;
use self::pause::Pause;
pub use self::settings::Embedder;
pub(crate) use self::settings::Told;
use super::NoVector;

/// Texts of documents that are sent at once.
const BATCH_TEXTS: usize = 32;
/// Documents wait so long for their vectors.
const DOCUMENTS_TIMEOUT: Duration = Duration::from_secs(20);
/// A connection is there by then.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Who waits for an answer that is late hears of it by then.
const GRACE: Duration = Duration::from_millis(500);
/// Tokens of a passage, estimated: most models take 512, and nobody here knows theirs.
const TOKENS_MAX: usize = 300;
/// Sent alone to see whether it is a text that is refused, or every one.
const PROBE: &str = "lateral movement";

/// The program that makes the vectors.
pub(super) struct Remote {
    embedder: Arc<Embedder>,
    http: Client,
    runtime: Handle,
    /// Ends the thread on which requests run, and with it all of them.
    running: Mutex<Option<Sender<()>>>,
    pause: Mutex<Pause>,
}

impl Remote {
    /// Starts the thread for requests. Nothing is sent yet.
    pub(super) fn start(embedder: Embedder) -> std::io::Result<Remote> {
        // A redirect would let whoever answers choose who else gets the texts, and a proxy of the environment is not who was chosen.
        let http = Client::builder().redirect(Policy::none()).no_proxy().connect_timeout(CONNECT_TIMEOUT);
        let http = http.build().map_err(std::io::Error::other)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (running, ended) = oneshot::channel();
        let run = move || {
            let _ = runtime.block_on(ended);
            runtime.shutdown_background();
        };
        std::thread::Builder::new().name("embedder".to_owned()).spawn(run)?;
        embedder.tell();
        Ok(Remote {
            embedder: Arc::new(embedder),
            http,
            runtime: handle,
            running: Mutex::new(Some(running)),
            pause: Mutex::default(),
        })
    }

    pub(super) fn id(&self) -> &ModelId {
        &self.embedder.id
    }

    pub(super) fn told(&self) -> Told {
        self.embedder.told()
    }

    /// Ends all requests, now and later.
    pub(super) fn stop(&self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// The vector of a query by then, or why not.
    pub(super) fn query(&self, text: &str, deadline: Instant) -> Result<Vec<f32>, NoVector> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(NoVector::Deadline);
        }
        match self.ask(&[text], left, Duration::ZERO) {
            Ok(mut vectors) => vectors.pop().ok_or(NoVector::Deadline),
            Err(Refusal::Late(_) | Refusal::Stopped) => Err(NoVector::Deadline),
            Err(refusal) => Err(NoVector::Failed(refusal.to_string())),
        }
    }

    /// The vectors of texts of documents. After a failure that may pass it is not asked again for a while.
    fn documents(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Refusal> {
        if let Some(refusal) = self.pause().holds(Instant::now()) {
            return Err(refusal);
        }
        let answered = self.ask(texts, DOCUMENTS_TIMEOUT, GRACE);
        match &answered {
            Ok(_) => *self.pause() = Pause::default(),
            Err(refusal) if refusal.may_be_of_texts() => {}
            Err(refusal) => self.pause().begin(refusal, Instant::now()),
        }
        answered
    }

    /// Whether the text is refused that was sent alone, and not every one.
    fn is_of_text(&self, refusal: &Refusal) -> bool {
        let is_of_text = refusal.may_be_of_texts() && self.documents(&[PROBE]).is_ok();
        if !is_of_text {
            self.pause().begin(refusal, Instant::now());
        }
        is_of_text
    }

    fn ask(&self, texts: &[&str], within: Duration, grace: Duration) -> Result<Vec<Vec<f32>>, Refusal> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let (tell, told) = sync_channel(1);
        let (http, embedder) = (self.http.clone(), Arc::clone(&self.embedder));
        self.runtime.spawn(async move {
            let answered = tokio::time::timeout(within, request(&http, &embedder, &texts)).await;
            // Who asked may be gone.
            let _ = tell.try_send(answered.unwrap_or(Err(Refusal::Late(within))));
        });
        match told.recv_timeout(within + grace) {
            Ok(answered) => answered,
            Err(RecvTimeoutError::Timeout) => Err(Refusal::Late(within)),
            Err(RecvTimeoutError::Disconnected) => Err(Refusal::Stopped),
        }
    }

    fn pause(&self) -> std::sync::MutexGuard<'_, Pause> {
        self.pause.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn request(http: &Client, embedder: &Embedder, texts: &[String]) -> Result<Vec<Vec<f32>>, Refusal> {
    let body = json!({"model": embedder.id.name, "input": texts});
    let mut request = http.post(embedder.endpoint.clone()).json(&body);
    if let Some(key) = &embedder.key {
        request = request.header(AUTHORIZATION, key.clone());
    }
    let answer = request.send().await.map_err(|error| Refusal::of_error(&error))?;
    answer::read(answer, texts.len(), embedder.id.dimension).await
}

/// The remote model, for documents.
pub(super) struct Documents(pub(super) Arc<Remote>);

impl Documents {
    fn failed(&self, refusal: &Refusal) -> index::Error {
        match refusal {
            Refusal::Stopped => index::Error::Stopped,
            refusal => {
                let name = self.0.id().name.clone();
                index::Error::Model { name, why: Unusable::Remote(refusal.to_string()) }
            }
        }
    }
}

impl Encoder for Documents {
    fn model(&self) -> &ModelId {
        self.0.id()
    }

    fn encode(&self, text: &str) -> index::Result<Vec<f32>> {
        match self.0.documents(&[text]) {
            Ok(mut vectors) => vectors.pop().ok_or_else(refused_text),
            Err(refusal) if refusal.may_be_of_texts() && self.0.is_of_text(&refusal) => Err(refused_text()),
            Err(refusal) => Err(self.failed(&refusal)),
        }
    }

    fn passages(&self, text: &str) -> Vec<Range<usize>> {
        estimated(text, TOKENS_MAX)
    }

    fn at_once(&self) -> usize {
        BATCH_TEXTS
    }

    fn encode_all(&self, texts: &[&str]) -> index::Result<Vec<Vec<f32>>> {
        self.0.documents(texts).map_err(|refusal| match refusal.may_be_of_texts() {
            true => refused_text(),
            false => self.failed(&refusal),
        })
    }

    /// What goes out is out of reach of every rule here. So it goes as an export does, where its licence lets it, and nothing that
    /// is somebody's own or of a person goes at all.
    fn may_have(&self, label: &Label) -> bool {
        label.classification <= self.0.embedder.classification_max
            && matches!(label.licence, Licence::MitOk | Licence::OpenDataOk)
            && label.compartments.is_empty()
            && !label.personal
    }
}

fn refused_text() -> index::Error {
    let (value, limit) = (String::new(), "the embedder takes others".to_owned());
    index::Error::Invalid { what: "a text that the embedder refuses", value, limit }
}

#[cfg(test)]
mod tests;
