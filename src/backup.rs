//! Backups: the rows of one view, or those that changed since another, with all that a node needs to go on; on a disk of the
//! client's, checked, and made a data directory again.
//!
//! ```text
//! DEST/format                  the format of all that is here
//! DEST/0001-full/              a backup; it is there whole, or not at all
//!                manifest      what it is, what it builds on, and the SHA-256 of every part
//!                rows-00001    blocks of rows (`storage::backup`), compressed
//!                files-00002   the node's key, closed files of decisions, lists of rejects
//! DEST/0002-increment/         what changed since the one before it
//! ```
//!
//! The node gives a stream of frames (`giving`), the client puts them into files (`taking`): so a node writes nowhere but in its
//! directory, and a backup can go where only the client can write.

mod checking;
mod frames;
mod giving;
mod idle;
mod lost;
mod manifest;
mod place;
mod reading;
mod restoring;
mod taking;

use base64::Engine as _;

pub use checking::check;
pub(crate) use giving::{Backups, Given, Since, give};
pub use manifest::{Manifest, Root};
pub use place::Place;
pub use restoring::{Restored, Witness, restore};
pub use taking::{Taken, Taking};

/// The newest format of backups that this program knows. 2 since increments do not name what was erased.
const FORMAT: u32 = 2;

/// How much who takes a backup gives way to others, of 19.
const NICENESS: i32 = 15;

/// From now on this thread takes what is left of the processors, if the system lets it. Not for the node's side: it shares locks
/// with those to whom it would give way.
pub(crate) fn give_way() {
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

fn damaged(detail: impl Into<String>) -> storage::Error {
    storage::Error::Corrupt { what: "backup", detail: detail.into() }
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn io(path: &std::path::Path, error: &std::io::Error) -> storage::Error {
    storage::Error::io(path, error)
}
