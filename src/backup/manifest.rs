//! What a backup is and what it is made of: one JSON document, and behind it the SHA-256 of its line.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use storage::{Error, Result};

use super::giving::hex;
use super::{FORMAT, damaged, io};

pub(super) const FILE: &str = "manifest";
const DIGEST: &str = "sha256 ";

/// What a backup is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of the backup.
    pub format: u32,
    /// The format of the rows in it.
    pub data_format: u32,
    /// The program that took it.
    pub program: String,
    /// Its name: that of its directory.
    pub name: String,
    /// The node.
    pub node: String,
    /// The epoch of its ledgers.
    pub epoch: u32,
    /// The last commit in it.
    pub commit: u64,
    /// When it was taken.
    pub taken_at: String,
    /// The backup whose rows it changes; none if it is full.
    pub builds_on: Option<Base>,
    /// Whether it holds every list of rejects that there is: those of the backups before it hold what was erased since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lists_anew: bool,
    /// Its files, in order.
    pub parts: Vec<Part>,
    /// Bytes of the rows in it, before they were compressed.
    pub row_bytes: u64,
    /// The ledger of each tenant.
    pub roots: BTreeMap<String, Root>,
}

/// The backup that an increment builds on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// Its name.
    pub name: String,
    /// The last commit in it.
    pub commit: u64,
    /// SHA-256 of its manifest, hex: that very one.
    pub manifest_sha256: String,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of it, hex.
    pub sha256: String,
}

/// Size and root of a tenant's ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Records in it.
    pub size: u64,
    /// The root, base64.
    pub root: String,
    /// Both, signed by the node.
    pub checkpoint: String,
}

impl Manifest {
    /// Whether it holds everything.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.builds_on.is_none()
    }

    /// Bytes of its parts.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).sum()
    }

    /// Its bytes as a file.
    pub(super) fn encode(&self) -> Vec<u8> {
        let line = serde_json::to_string(self).expect("plain data is written as JSON");
        format!("{line}\n{DIGEST}{}\n", hex(&Sha256::digest(&line))).into_bytes()
    }

    /// SHA-256 of its file, hex.
    pub(super) fn sha256(&self) -> String {
        hex(&Sha256::digest(self.encode()))
    }

    /// Reads the manifest of the backup in a directory.
    pub(super) fn read(directory: &Path) -> Result<Manifest> {
        let path = directory.join(FILE);
        let at = path.display();
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(damaged(format!("`{at}` is missing")));
            }
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(damaged(format!("`{at}`: {error}")));
            }
            text => text.map_err(|error| io(&path, &error))?,
        };
        let not_whole = || damaged(format!("`{at}` is not the file that was written: its digest differs"));
        let (line, digest) = text.split_once('\n').ok_or_else(not_whole)?;
        if digest != format!("{DIGEST}{}\n", hex(&Sha256::digest(line))) {
            return Err(not_whole());
        }
        check_format(line)?;
        serde_json::from_str(line).map_err(|error| damaged(format!("`{at}`: {error}")))
    }
}

/// A newer format may have other fields: it is asked for first.
fn check_format(line: &str) -> Result<()> {
    #[derive(Deserialize)]
    struct Formats {
        format: u32,
        data_format: u32,
    }
    let found: Formats = serde_json::from_str(line).map_err(|error| damaged(error.to_string()))?;
    for (found, known) in [(found.format, FORMAT), (found.data_format, storage::FORMAT)] {
        if found > known {
            return Err(Error::NewerFormat { found, known });
        }
    }
    Ok(())
}
