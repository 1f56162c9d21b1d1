//! A run: one import, and the lineage that it records of itself (datasets -> process -> dataset).

use prost::Message;

use crate::error::Result;

/// The beginning of a run: which process reads which datasets.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RunBegin {
    /// The process, such as `import stix`.
    #[prost(string, tag = "1")]
    pub process: String,
    /// The source whose data the run brings.
    #[prost(string, tag = "2")]
    pub source: String,
    /// What it is known to read when it begins: `dataset:<namespace>:<name>`.
    #[prost(string, repeated, tag = "3")]
    pub inputs: Vec<String>,
    /// What it writes: the tenant's graph, as `dataset:intelgraph:<tenant>/<source>`.
    #[prost(string, repeated, tag = "4")]
    pub outputs: Vec<String>,
}

/// What a run did.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct RunCounts {
    /// Objects read.
    #[prost(uint64, tag = "1")]
    pub read: u64,
    /// Things that were not there before.
    #[prost(uint64, tag = "2")]
    pub created: u64,
    /// Things of which something new was said.
    #[prost(uint64, tag = "3")]
    pub updated: u64,
    /// Things of which nothing new was said.
    #[prost(uint64, tag = "4")]
    pub unchanged: u64,
    /// Objects refused.
    #[prost(uint64, tag = "5")]
    pub rejected: u64,
    /// Entities among what was taken in.
    #[prost(uint64, tag = "6")]
    pub entities: u64,
    /// Relations among what was taken in.
    #[prost(uint64, tag = "7")]
    pub relations: u64,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum RunState {
    /// It has not.
    Running = 0,
    /// Everything was read.
    Complete = 1,
    /// The input broke off or could not be read to its end.
    Failed = 2,
    /// The node stopped under it.
    Interrupted = 3,
}

/// The end of a run.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct RunEnd {
    /// The run.
    #[prost(uint64, tag = "1")]
    pub run: u64,
    /// How it ended.
    #[prost(enumeration = "RunState", tag = "2")]
    pub state: i32,
    /// What it did.
    #[prost(message, required, tag = "3")]
    pub counts: RunCounts,
    /// What it read: `dataset:<namespace>:<name>`, one for each file, in order.
    #[prost(string, repeated, tag = "4")]
    pub inputs: Vec<String>,
    /// The mappings by which tables were read.
    #[prost(message, repeated, tag = "5")]
    pub mappings: Vec<MappingUsed>,
    /// How many lines the list of what it refused has at least: those that are known to be durable.
    #[prost(uint64, tag = "6")]
    pub listed: u64,
}

/// The mapping by which one input was read: what its columns were taken for.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct MappingUsed {
    /// Which input, counted from 0.
    #[prost(uint32, tag = "1")]
    pub input: u32,
    /// The mapping's format.
    #[prost(uint32, tag = "2")]
    pub format: u32,
    /// SHA-256 of its text.
    #[prost(bytes = "vec", tag = "3")]
    pub sha256: Vec<u8>,
    /// Whether nobody declared it: it was made from the input.
    #[prost(bool, tag = "4")]
    pub inferred: bool,
}

impl RunBegin {
    /// Reads the body of the record of a run's beginning.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are not one.
    pub fn from_body(bytes: &[u8]) -> Result<RunBegin> {
        super::decode(bytes, "run")
    }
}

impl RunEnd {
    /// Reads the body of the record of a run's end.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are not one.
    pub fn from_body(bytes: &[u8]) -> Result<RunEnd> {
        super::decode(bytes, "end of a run")
    }
}
