//! What is kept, as plain data: no behaviour beyond encoding, no policy, no storage.

mod assertion;
mod decisions;
mod embedding;
mod epoch;
mod erasure;
mod flag;
mod graph;
mod label;
mod policy;
mod run;
mod session;
mod source;
mod token;

pub use assertion::{
    Assertion, Base, CLAIM_NAME_BYTES_MAX, Claim, EdgeSaid, Form, ID_BYTES_MAX, Part, RECORD_BYTES_MAX, Said,
    Status, TEXT_BYTES_MAX, TYPE_BYTES_MAX, Text,
};
pub use decisions::DecisionSegment;
pub use embedding::{EMBEDDING_COMPONENTS_MAX, EMBEDDING_MODEL_BYTES_MAX, Embedding};
pub use epoch::EpochBegan;
pub(crate) use erasure::check_reason;
pub use erasure::{ErasureDone, Hold, REASON_CHARS_MAX, RedactionBegun, RedactionLifted, Selection};
pub use flag::{Flag, FlagSet, weight};
pub use graph::{
    GRAPH_COORDINATE_MAX, GRAPH_ID_BYTES_MAX, GRAPH_NAME_CHARS_MAX, GRAPH_NODES_MAX, GRAPH_NOTE_CHARS_MAX,
    Graph, GraphNode,
};
pub use label::{Classification, Label, LabelKind, Licence, Purpose, Purposes, Retention};
pub use policy::{POLICY_BYTES_MAX, PolicySet};
pub use run::{MappingUsed, RunBegin, RunCounts, RunEnd, RunState};
pub use session::{
    LINKS_MAX, LinkMade, SESSION_IDLE_US_MAX, SESSION_US_MAX, SESSIONS_MAX, SignedIn, SignedOut, Subject,
};
pub use source::SourceSpec;
pub use token::{Role, TokenSpec};

use prost::Message;

use crate::error::{Error, Result};

/// Decodes a field-numbered body, naming what it was meant to be.
pub(crate) fn decode<M: Message + Default>(bytes: &[u8], what: &'static str) -> Result<M> {
    M::decode(bytes).map_err(|error| Error::Corrupt { what, detail: error.to_string() })
}

/// The bytes as an array of the length that the format fixes.
pub(crate) fn exactly<const N: usize>(bytes: &[u8], what: &'static str) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| Error::Corrupt { what, detail: format!("{} bytes, not {N}", bytes.len()) })
}
