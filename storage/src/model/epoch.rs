//! An epoch of a ledger: it begins when a backup is restored, and goes on with the leaves that the backup holds.

use prost::Message;

use crate::error::Result;

/// The beginning of an epoch.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct EpochBegan {
    /// Its number; the last part of the ledger's origin from here on.
    #[prost(uint32, tag = "1")]
    pub epoch: u32,
    /// The origin of the ledger that was backed up.
    #[prost(string, tag = "2")]
    pub old_origin: String,
    /// The records of it that the backup holds: those in front of this one.
    #[prost(uint64, tag = "3")]
    pub old_size: u64,
    /// The root over them.
    #[prost(bytes = "vec", tag = "4")]
    pub old_root: Vec<u8>,
    /// How many records the lost ledger had besides; none if nobody can tell.
    #[prost(uint64, optional, tag = "5")]
    pub lacking: Option<u64>,
}

impl EpochBegan {
    /// Reads the body of its record.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are not one.
    pub fn from_body(bytes: &[u8]) -> Result<EpochBegan> {
        super::decode(bytes, "beginning of an epoch")
    }
}
