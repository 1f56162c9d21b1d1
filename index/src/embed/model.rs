//! A model that is loaded.

use std::fs;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use rten::{NodeId, RunOptions, ThreadPool, Value};
use rten_tensor::NdTensor;
use sha2::{Digest as _, Sha256};
use tokenizers::{Encoding, Tokenizer};

use super::manifest::{CONFIG, NETWORK, TOKENIZER, WEIGHTS};
use super::{Encoder, Manifest, ModelId, Pooling, QUERY_TOKENS_MAX, Unusable, network, normalise, passages};
use crate::error::{Error, Result};

/// Fewer bytes of text than this make a token: what is further behind is not even looked at.
const TOKEN_BYTES_MAX: usize = 64;
/// Encoded to see whether a model works at all.
const PROBE: &str = "lateral movement";

/// A model, from a folder: a network, and its tokenizer. A text is encoded on one thread; queries have one, and documents
/// another, so that nobody who waits has to wait for a document as well.
pub struct Model {
    id: ModelId,
    manifest: Manifest,
    tokenizer: Tokenizer,
    network: rten::Model,
    inputs: Vec<(NodeId, Input)>,
    output: NodeId,
    queries: Arc<ThreadPool>,
    documents: Arc<ThreadPool>,
    /// Tokens that stand around every text.
    around: usize,
}

/// What a network is told of a text.
#[derive(Clone, Copy)]
enum Input {
    Tokens,
    /// Which tokens count: all, because texts come one at a time.
    Mask,
    /// Which of two texts a token is of.
    Types,
}

impl Model {
    /// Loads the model of a folder, and tries it once.
    ///
    /// # Errors
    /// `Model`, naming what is wrong with it.
    pub fn open(folder: &Path) -> Result<Model> {
        let folder_name = || folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (manifest, id) = Manifest::read(folder).map_err(|why| unusable(&folder_name(), why))?;
        let name = id.name.clone();
        let opened = Model::load(folder, manifest, id).and_then(|model| model.tried());
        opened.map_err(|why| unusable(&name, why))
    }

    /// Compares every file of a folder with the manifest; the model's id.
    ///
    /// # Errors
    /// `Model`, naming the first file that is not as it should be.
    pub fn verify(folder: &Path) -> Result<ModelId> {
        let folder_name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let verified = Manifest::read(folder).and_then(|(manifest, id)| {
            manifest.files.keys().try_for_each(|name| read(folder, &manifest, name).map(drop))?;
            Ok(id)
        });
        verified.map_err(|why| unusable(&folder_name, why))
    }

    /// What it says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The vector of a query, of which [`QUERY_TOKENS_MAX`] tokens count.
    ///
    /// # Errors
    /// As for [`Encoder::encode`].
    pub fn encode_query(&self, text: &str) -> Result<Vec<f32>> {
        self.encode_within(text, self.manifest.tokens_max.min(QUERY_TOKENS_MAX), &self.queries)
    }

    fn encode_within(&self, text: &str, tokens_max: usize, threads: &Arc<ThreadPool>) -> Result<Vec<f32>> {
        let tokens = self.tokens(text, tokens_max)?;
        let vector = guarded("encoding", || self.run(&tokens, threads)).and_then(|vector| vector);
        vector.map_err(|why| unusable(&self.id.name, why))
    }

    fn load(folder: &Path, manifest: Manifest, id: ModelId) -> Result<Model, Unusable> {
        let tokenizer = tokenizer(&read(folder, &manifest, TOKENIZER)?)?;
        let around = guarded("reading its tokenizer", || {
            tokenizer.encode_fast("", true).map(|encoding| encoding.len())
        })?
        .map_err(|error| Unusable::Tokenizer(error.to_string()))?;
        if around + 1 >= manifest.tokens_max {
            return Err(Unusable::Tokenizer(format!("it puts {around} tokens around every text")));
        }
        let network = match manifest.files.contains_key(NETWORK) {
            true => load_network(&rten::ModelOptions::with_all_ops(), read(folder, &manifest, NETWORK)?)?,
            false => {
                let (config, weights) = (read(folder, &manifest, CONFIG)?, read(folder, &manifest, WEIGHTS)?);
                let written = network::write(&config, &weights, manifest.tokens_max)?;
                let mut options = rten::ModelOptions::with_all_ops();
                options.external_data(network::WEIGHTS, weights);
                load_network(&options, written)?
            }
        };
        let (inputs, output) = ends(&network)?;
        let [queries, documents] = [(); 2].map(|()| Arc::new(ThreadPool::with_num_threads(1)));
        Ok(Model { id, manifest, tokenizer, network, inputs, output, queries, documents, around })
    }

    /// Whether it makes vectors of the length that it should.
    fn tried(self) -> Result<Model, Unusable> {
        let tokens = self.cut(PROBE, self.manifest.tokens_max)?;
        guarded("encoding", || self.run(&tokens, &self.queries))??;
        Ok(self)
    }

    fn tokens(&self, text: &str, tokens_max: usize) -> Result<Vec<i32>> {
        let tokens = self.cut(text, tokens_max).map_err(|why| unusable(&self.id.name, why))?;
        match tokens.len() > self.around {
            true => Ok(tokens),
            false => Err(Error::invalid("nothing to encode", "", "a text needs a word at least".to_owned())),
        }
    }

    /// The numbers of the first tokens of a text, and of those around it.
    fn cut(&self, text: &str, tokens_max: usize) -> Result<Vec<i32>, Unusable> {
        let text = &text[..text.floor_char_boundary(tokens_max * TOKEN_BYTES_MAX)];
        let mut encoding = self.tokenise(text)?;
        let room = tokens_max.saturating_sub(self.around);
        encoding.truncate(room, 0, tokenizers::TruncationDirection::Right);
        encoding.take_overflowing();
        let whole =
            guarded("cutting text into tokens", || self.tokenizer.post_process(encoding, None, true))?;
        let whole = whole.map_err(|error| Unusable::Tokenizer(error.to_string()))?;
        Ok(whole.get_ids().iter().map(|id| *id as i32).collect())
    }

    fn tokenise(&self, text: &str) -> Result<Encoding, Unusable> {
        guarded("cutting text into tokens", || self.tokenizer.encode(text, false))?
            .map_err(|error| Unusable::Tokenizer(error.to_string()))
    }

    fn run(&self, tokens: &[i32], threads: &Arc<ThreadPool>) -> Result<Vec<f32>, Unusable> {
        let shape = [1, tokens.len()];
        let value = |input: Input| match input {
            Input::Tokens => NdTensor::from_data(shape, tokens.to_vec()),
            Input::Mask => NdTensor::full(shape, 1),
            Input::Types => NdTensor::full(shape, 0),
        };
        let inputs = self.inputs.iter().map(|(node, input)| (*node, value(*input).into())).collect();
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(threads)));
        let answers = self.network.run(inputs, &[self.output], Some(options));
        let answer = answers.map_err(|error| Unusable::Weights(error.to_string()))?.pop();
        self.pooled(answer.ok_or(Unusable::Output("nothing"))?, tokens.len())
    }

    /// One vector of those of all tokens.
    fn pooled(&self, answer: Value, tokens: usize) -> Result<Vec<f32>, Unusable> {
        let answer = answer.into_tensor::<f32>().ok_or(Unusable::Output("not of numbers"))?;
        let components = answer.into_data();
        let stated = self.id.dimension;
        if components.len() != tokens * stated {
            return Err(Unusable::Dimension { found: components.len() / tokens.max(1), stated });
        }
        let mut vector = components[..stated].to_vec();
        if self.manifest.pooling == Pooling::Mean {
            for token in components.chunks_exact(stated).skip(1) {
                vector.iter_mut().zip(token).for_each(|(sum, component)| *sum += component);
            }
        }
        match normalise(&mut vector) {
            true => Ok(vector),
            false => Err(Unusable::Output("no direction: all zero, or not finite")),
        }
    }
}

impl Encoder for Model {
    fn model(&self) -> &ModelId {
        &self.id
    }

    fn encode(&self, text: &str) -> Result<Vec<f32>> {
        self.encode_within(text, self.manifest.tokens_max, &self.documents)
    }

    /// What cannot be cut into tokens at all is one passage: to encode it will fail, and say why.
    fn passages(&self, text: &str) -> Vec<Range<usize>> {
        let ends = |piece: &str| {
            let encoding = self.tokenise(piece).ok()?;
            Some(encoding.get_offsets().iter().map(|(_, end)| *end).collect())
        };
        passages::cut(text, self.manifest.tokens_max - self.around, &ends)
    }
}

/// A file, if it is the one that the manifest lists.
fn read(folder: &Path, manifest: &Manifest, name: &str) -> Result<Vec<u8>, Unusable> {
    let listed = &manifest.files[name];
    let path = folder.join(name);
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Unusable::Missing(name.to_owned()),
        _ => Unusable::Unreadable { file: name.to_owned(), error: error.to_string() },
    };
    let differs = || Unusable::Digest(name.to_owned());
    if fs::metadata(&path).map_err(failed)?.len() != listed.bytes {
        return Err(differs());
    }
    let bytes = fs::read(&path).map_err(failed)?;
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if digest == listed.sha256 { Ok(bytes) } else { Err(differs()) }
}

/// Texts come one at a time: none is made as long as others.
fn tokenizer(bytes: &[u8]) -> Result<Tokenizer, Unusable> {
    let read = guarded("reading its tokenizer", || Tokenizer::from_bytes(bytes))?;
    let mut tokenizer = read.map_err(|error| Unusable::Tokenizer(error.to_string()))?;
    tokenizer.with_padding(None);
    let untruncated = tokenizer.with_truncation(None).map(drop);
    untruncated.map_err(|error| Unusable::Tokenizer(error.to_string()))?;
    Ok(tokenizer)
}

fn load_network(options: &rten::ModelOptions, bytes: Vec<u8>) -> Result<rten::Model, Unusable> {
    let loaded = guarded("loading its weights", || options.load(bytes))?;
    loaded.map_err(|error| Unusable::Weights(error.to_string()))
}

/// Where text goes in and vectors come out.
fn ends(network: &rten::Model) -> Result<(Vec<(NodeId, Input)>, NodeId), Unusable> {
    let mut inputs = Vec::new();
    for node in network.input_ids() {
        let info = network.node_info(*node);
        let input = match info.as_ref().and_then(|info| info.name()) {
            Some("input_ids") => Input::Tokens,
            Some("attention_mask") => Input::Mask,
            Some("token_type_ids") => Input::Types,
            other => {
                return Err(Unusable::Weights(format!("no text has an input `{}`", other.unwrap_or(""))));
            }
        };
        inputs.push((*node, input));
    }
    if !inputs.iter().any(|(_, input)| matches!(input, Input::Tokens)) {
        return Err(Unusable::Weights("the network has no input `input_ids`".to_owned()));
    }
    let output = network.output_ids().first().copied();
    Ok((inputs, output.ok_or_else(|| Unusable::Weights("the network has no output".to_owned()))?))
}

fn guarded<T>(doing: &'static str, act: impl FnOnce() -> T) -> Result<T, Unusable> {
    catch_unwind(AssertUnwindSafe(act)).map_err(|_| Unusable::Stopped(doing))
}

fn unusable(name: &str, why: Unusable) -> Error {
    Error::Model { name: name.to_owned(), why }
}
