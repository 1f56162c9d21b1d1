//! Ground state: one append-only log, committed together with the tables it changes.
//!
//! Start at [`Store::write`]; everything that is ever written passes through it.

#![warn(missing_docs)]

pub mod anchor;
pub mod backup;
pub mod batch;
pub mod changes;
pub mod commands;
pub mod directory;
mod engine;
mod erasing;
pub mod error;
pub mod ids;
pub mod ledger;
pub mod model;
mod packed;
pub mod record;
pub mod rows;
mod space;
mod store;
pub mod tables;
pub mod tx;
mod verify;
mod view;

pub use batch::Stamp;
pub use directory::{CHECKED_BYTES_MAX, Compacted, Directory, Restoring};
pub use engine::{Backend, EngineFile, EngineOptions, Pace};
pub use erasing::ErasureKey;
pub use error::{Error, ErrorKind, EventRejected, Result};
pub use space::Space;
pub use store::{Committed, FORMAT, Options, Store};
pub use verify::{Report, TenantRoot};
pub use view::{Due, Edge, End, Ledger, View};
