//! Why a model cannot be used.

/// What is wrong with a model. None of them says anything of the text that was to be encoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The manifest is not one, or says what cannot be.
    #[error("manifest.json: {0}")]
    Manifest(String),
    /// A file is not there.
    #[error("file `{0}` is missing")]
    Missing(String),
    /// A file is not the one that the manifest lists.
    #[error("file `{0}` does not match its digest in the manifest")]
    Digest(String),
    /// The tokenizer cannot be read.
    #[error("tokenizer.json: {0}")]
    Tokenizer(String),
    /// The weights do not make a network that can run.
    #[error("weights: {0}")]
    Weights(String),
    /// The vectors have another length than the manifest says.
    #[error("vectors of {found} components; the manifest says {stated}")]
    Dimension {
        /// What came out.
        found: usize,
        /// What should.
        stated: usize,
    },
    /// The network answered with what is no vector.
    #[error("its answer is {0}")]
    Output(&'static str),
    /// The disk refused.
    #[error("file `{file}`: {error}")]
    Unreadable {
        /// Which file.
        file: String,
        /// Why.
        error: String,
    },
    /// It is on another machine or process, which did not do as it should.
    #[error("{0}")]
    Remote(String),
    /// What runs the network broke off.
    #[error("it stopped unexpectedly while {0}")]
    Stopped(&'static str),
}

impl Unusable {
    /// A stable name for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Unusable::Manifest(_) => "model_manifest",
            Unusable::Missing(_) => "model_file_missing",
            Unusable::Digest(_) => "model_digest",
            Unusable::Tokenizer(_) => "model_tokenizer",
            Unusable::Weights(_) => "model_weights",
            Unusable::Dimension { .. } => "model_dimension",
            Unusable::Output(_) => "model_output",
            Unusable::Unreadable { .. } => "model_unreadable",
            Unusable::Remote(_) => "model_remote",
            Unusable::Stopped(_) => "model_stopped",
        }
    }
}
