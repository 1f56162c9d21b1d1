//! How the memory that a node may use is shared out, on one page. What each part takes is bounded by it where
//! it takes it; memory maps of the index are outside, the system takes them back when others need them.

/// Less than this is no node.
pub(super) const MEMORY_BYTES_MIN: usize = 128 << 20;
/// What is taken before anything is asked of a node: code, threads, the schema, policies.
const BASE_BYTES: usize = 64 << 20;
/// What an import holds at most: two chunks that wait, and one that is read.
const IMPORT_BYTES: usize = 16 << 20;
/// The share of a model of vectors in the memory of a node that is set to nothing else,
const MODEL_SHARE: usize = 8;
/// which is this much; and of what is beyond that.
const MODEL_SHARE_OF: usize = 512 << 20;
const MODEL_SHARE_BEYOND: usize = 2;
/// A writer of the index does not begin with less.
const WRITER_BYTES_MIN: usize = index::text::WRITER_BYTES;
/// More makes no segment better.
const WRITERS_BYTES_MAX: usize = 4 * WRITER_BYTES_MIN;
/// Imports at a time, however much memory there is.
const IMPORTERS_MAX: usize = 16;

/// The parts. What is left is for requests, views and what the allocator keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Page cache of the database, in bytes; the rows of its journal are beside it.
    pub cache_bytes: usize,
    /// All writers of indexes together, in bytes.
    pub writers_bytes: usize,
    /// Largest files of a model of vectors, in bytes: it is in memory whole.
    pub model_bytes: usize,
    /// What the build of a vector segment may take, in bytes.
    pub build_bytes: usize,
    /// Imports at a time; one more is told to come back.
    pub importers: usize,
}

impl Memory {
    /// The parts of so many bytes.
    #[must_use]
    pub fn of(memory_bytes_max: usize) -> Memory {
        let shared = memory_bytes_max.saturating_sub(BASE_BYTES);
        Memory {
            cache_bytes: memory_bytes_max / 4,
            writers_bytes: (shared / 6).clamp(WRITER_BYTES_MIN, WRITERS_BYTES_MAX),
            model_bytes: memory_bytes_max.min(MODEL_SHARE_OF) / MODEL_SHARE
                + memory_bytes_max.saturating_sub(MODEL_SHARE_OF) / MODEL_SHARE_BEYOND,
            build_bytes: memory_bytes_max / 2,
            importers: (shared / 2 / IMPORT_BYTES).clamp(1, IMPORTERS_MAX),
        }
    }
}
