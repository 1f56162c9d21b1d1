//! What the ledger keeps of the decision log: not the decisions, but what vouches for a file of them.

use prost::Message;

use crate::error::Result;

/// A file of the decision log that nothing is added to any more.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct DecisionSegment {
    /// Its number in the tenant, from 1.
    #[prost(uint64, tag = "1")]
    pub number: u64,
    /// SHA-256 of the file.
    #[prost(bytes = "vec", tag = "2")]
    pub sha256: Vec<u8>,
    /// Its length in bytes.
    #[prost(uint64, tag = "3")]
    pub bytes: u64,
}

impl DecisionSegment {
    /// Reads the body of the record of a closed segment.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are not one.
    pub fn from_body(bytes: &[u8]) -> Result<DecisionSegment> {
        super::decode(bytes, "decision segment")
    }
}
