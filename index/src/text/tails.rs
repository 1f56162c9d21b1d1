//! Which files an index is made of. Each file of the engine ends in a checksum of itself, and never changes; so a
//! file that is whole and ends in another way than it did is that of somebody else, put in its place.
//!
//! `tails.json` in the index's directory: the last bytes of each file, in hex, by its name. It is written after a
//! commit; files that came later are not in it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use tantivy::Index;

use super::home::files_of;
use crate::error::Result;

const NAME: &str = "tails.json";
/// The engine's checksum is among these.
const TAIL_BYTES: u64 = 48;

type Tails = BTreeMap<String, String>;

/// Notes the files of an index as it was last committed.
pub(super) fn note(directory: &Path, index: &Index) -> Result<()> {
    let mut tails = Tails::new();
    for segment in index.load_metas()?.segments {
        for file in files_of(&segment) {
            if let Some(tail) = tail(&directory.join(&file))? {
                tails.insert(file.display().to_string(), tail);
            }
        }
    }
    let beside = directory.join("tails.new");
    fs::write(&beside, serde_json::to_vec(&tails).unwrap_or_default())?;
    fs::rename(beside, directory.join(NAME))?;
    Ok(())
}

/// Checks that the files that were noted, and are there, are the same ones.
pub(super) fn check(directory: &Path) -> Result<(), String> {
    let noted = match fs::read(directory.join(NAME)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        noted => noted.map_err(|error| error.to_string())?,
    };
    let tails: Tails = serde_json::from_slice(&noted).map_err(|error| format!("`{NAME}`: {error}"))?;
    for (file, noted) in tails {
        let tail = tail(&directory.join(&file)).map_err(|error| error.to_string())?;
        if tail.is_some_and(|tail| tail != noted) {
            return Err(format!("`{file}` is another file than it was"));
        }
    }
    Ok(())
}

/// The last bytes of a file; `None` if it is not there.
fn tail(path: &Path) -> Result<Option<String>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
}
