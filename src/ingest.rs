//! Ways in: what arrives becomes commands, and every way in records its own lineage.

pub mod events;
pub mod files;
pub mod import;
pub mod preview;
pub(crate) mod supplied;
pub mod upload;
