//! The redactions in an anchor: by keyed hashes alone, so that an older backup can be rid of what was redacted since,
//! and the file tells nobody whom it was of.
//!
//! ```text
//! <origin of the ledger>/redactions
//! <record with which it began> <thing or source> <refused or lifted> <hash, base64>     one line for each
//!                                                                                       a blank line, the signature
//! ```

use base64::prelude::{BASE64_STANDARD, Engine};

use crate::error::Result;
use crate::ids::{Lsn, TenantId};
use crate::ledger;
use crate::ledger::note::{Signer, open as open_note};
use crate::rows::RedactionRow;
use crate::view::View;

/// A note has a limit of its own; so many lines stay far below it.
const OF_NOTE_MAX: usize = 4096;
const MARK: &str = "/redactions";

/// A redaction as an anchor has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchored {
    /// The tenant's name.
    pub tenant: String,
    /// The record with which it began, in the life of the ledger that was anchored.
    pub begun: Lsn,
    /// Whether it was of all that a source said.
    pub of_source: bool,
    /// Whether it may be brought in again.
    pub lifted: bool,
    /// The keyed hash of the id or the source.
    pub hash: Vec<u8>,
}

/// Every redaction in the text of an anchor, its signatures checked. `seed` is that of the node's key.
///
/// # Errors
/// `Corrupt` if a note with redactions is damaged or signed by another node.
pub fn anchored(text: &str, seed: &[u8; 32]) -> Result<Vec<Anchored>> {
    let mut all = Vec::new();
    for note in text.split(super::SEPARATOR).filter(|note| is_note(note)) {
        all.extend(open(note, seed)?);
    }
    Ok(all)
}

pub(super) fn is_note(note: &str) -> bool {
    note.lines().next().is_some_and(|origin| origin.ends_with(MARK))
}

pub(super) fn notes(view: &View, tenant: TenantId, seed: &[u8; 32]) -> Result<Vec<String>> {
    let name = format!("{}{MARK}", view.origin(tenant)?);
    let signer = Signer::new(&name, seed)?;
    let redactions = view.redactions(tenant)?;
    let text = |lines: &[(Lsn, RedactionRow)]| {
        let lines = lines.iter().map(|(begun, row)| line(*begun, row));
        format!("{name}\n{}", lines.collect::<String>())
    };
    redactions.chunks(OF_NOTE_MAX).map(|lines| Ok(signer.sign_text(&text(lines))?)).collect()
}

fn line(begun: Lsn, row: &RedactionRow) -> String {
    let of = if row.of_source { "source" } else { "thing" };
    let state = if row.is_lifted() { "lifted" } else { "refused" };
    format!("{begun} {of} {state} {}\n", BASE64_STANDARD.encode(&row.hash))
}

pub(super) fn open(note: &str, seed: &[u8; 32]) -> ledger::Result<Vec<Anchored>> {
    let name = note.lines().next().unwrap_or_default();
    let signer = Signer::new(name, seed)?;
    let text = open_note(note, std::slice::from_ref(signer.vkey()))?;
    let tenant = name.split('/').nth(2).unwrap_or_default();
    text.lines().skip(1).map(|line| parse(tenant, line)).collect()
}

fn parse(tenant: &str, line: &str) -> ledger::Result<Anchored> {
    let wrong = || ledger::Error::malformed("redaction in the anchor", format!("`{line}`"));
    let [begun, of, state, hash] = line.split(' ').collect::<Vec<_>>()[..] else { return Err(wrong()) };
    Ok(Anchored {
        tenant: tenant.to_owned(),
        begun: Lsn(begun.parse().map_err(|_| wrong())?),
        of_source: of == "source",
        lifted: state == "lifted",
        hash: BASE64_STANDARD.decode(hash).map_err(|_| wrong())?,
    })
}
