//! Signed notes and the checkpoints in them (C2SP signed-note and tlog-checkpoint).
//!
//! A note is a text, a blank line, and lines of signatures. Ours are Ed25519 (type 0x01) with one key name for each
//! ledger: its origin. Signatures of keys that we do not know are passed over, as the specification demands: that is how
//! a witness or a new key can sign beside us.

use std::fmt;
use std::str::FromStr;

use base64::prelude::{BASE64_STANDARD, Engine};
use ed25519_dalek::{SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::error::{Error, Result};
use super::tree::{Hash, SIZE_MAX};

/// The most bytes in a signed note; more is refused unread.
pub const NOTE_BYTES_MAX: usize = 1 << 20;

/// The most signatures on a note.
pub const SIGNATURES_MAX: usize = 100;

/// What a log vouches for: that its tree of `size` leaves has this root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the ledger, and of the key that signs for it: see [`origin`].
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Root over those leaves.
    pub root: Hash,
}

impl Checkpoint {
    /// Opens a signed checkpoint: checks the signature of `key`, and that the origin is that key's name.
    ///
    /// # Errors
    ///
    /// [`Error::BadSignature`], [`Error::Malformed`], or [`Error::Mismatch`] for another ledger's checkpoint.
    pub fn open(note: &str, key: &Vkey) -> Result<Checkpoint> {
        let checkpoint = Checkpoint::parse(open(note, std::slice::from_ref(key))?)?;
        if checkpoint.origin != key.name {
            let detail = format!("`{}` is signed with the key of `{}`", checkpoint.origin, key.name);
            return Err(Error::mismatch("origin of the checkpoint", detail));
        }
        Ok(checkpoint)
    }

    /// The tenant whose ledger it is of, by the origin.
    pub fn tenant(&self) -> &str {
        self.origin.split('/').nth(2).unwrap_or_default()
    }

    /// The epoch of the ledger, by the origin; 0 if the origin is not one of ours.
    pub fn epoch(&self) -> u32 {
        self.origin.split('/').nth(3).and_then(|epoch| epoch.parse().ok()).unwrap_or_default()
    }

    /// The text that is signed: three lines, each ended by a newline.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64_STANDARD.encode(self.root))
    }

    /// Reads the text of a checkpoint; who signed it is another question.
    ///
    /// Lines after the third are for extensions. They are passed over, but must not be empty.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`].
    pub fn parse(text: &str) -> Result<Checkpoint> {
        let lines = text.strip_suffix('\n').ok_or_else(|| malformed("no newline at its end"))?;
        let lines: Vec<&str> = lines.split('\n').collect();
        let &[origin, size, root, ..] = &lines[..] else {
            return Err(malformed(format!(
                "{} lines where origin, size and root were expected",
                lines.len()
            )));
        };
        if lines.contains(&"") {
            return Err(malformed("an empty line"));
        }
        Ok(Checkpoint {
            origin: origin.to_owned(),
            size: decimal("checkpoint", size)?,
            root: hash("checkpoint", root)?,
        })
    }
}

/// The origin of a tenant's ledger, and the name of the key that signs it: `intelgraph/<node>/<tenant>/<epoch>`.
///
/// # Errors
///
/// [`Error::Malformed`] if `node` or `tenant` could not stand in a key name (a space, a plus, a control character,
/// nothing at all), or holds a slash and so could pass for another ledger.
pub fn origin(node: &str, tenant: &str, epoch: u64) -> Result<String> {
    for part in [node, tenant] {
        check_name(part)?;
        if part.contains('/') {
            return Err(Error::malformed("key name", format!("`{part}` holds a slash")));
        }
    }
    Ok(format!("intelgraph/{node}/{tenant}/{epoch}"))
}

/// A key that signs notes.
pub struct Signer {
    vkey: Vkey,
    key: SigningKey,
}

impl Signer {
    /// Makes the signer `name` from the 32 secret bytes of an Ed25519 key.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if the name is not a key name.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Signer> {
        let key = SigningKey::from_bytes(seed);
        Ok(Signer { vkey: Vkey::new(name, key.verifying_key())?, key })
    }

    /// The public half, to be handed to those who verify.
    pub fn vkey(&self) -> &Vkey {
        &self.vkey
    }

    /// Signs a checkpoint.
    ///
    /// IMPORTANT: a log must never sign two checkpoints of which one is not the beginning of the other. This function
    /// cannot know what was signed before; its caller signs only what is durable.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] if the origin is not this key's name.
    pub fn sign(&self, checkpoint: &Checkpoint) -> Result<String> {
        if checkpoint.origin != self.vkey.name {
            let detail = format!("the key of `{}` does not sign for `{}`", self.vkey.name, checkpoint.origin);
            return Err(Error::mismatch("origin of the checkpoint", detail));
        }
        self.sign_text(&checkpoint.text())
    }

    /// Signs any text as a note.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if the text does not end in a newline, or holds other control characters.
    pub fn sign_text(&self, text: &str) -> Result<String> {
        check_text(text)?;
        if !text.ends_with('\n') {
            return Err(Error::malformed("note", "no newline at its end"));
        }
        let signature = ed25519_dalek::Signer::sign(&self.key, text.as_bytes());
        let signature = BASE64_STANDARD.encode([&self.vkey.id[..], &signature.to_bytes()].concat());
        Ok(format!("{text}\n{SIGNATURE_MARK}{} {signature}\n", self.vkey.name))
    }
}

impl fmt::Debug for Signer {
    /// The name only: a secret must not reach a log line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("vkey", &self.vkey.to_string()).finish_non_exhaustive()
    }
}

/// A public key that notes are checked against; its text form is `name+hex key id+base64 key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vkey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

impl Vkey {
    /// The name of the key: for a ledger, its [`origin`].
    pub fn name(&self) -> &str {
        &self.name
    }

    fn new(name: &str, key: VerifyingKey) -> Result<Vkey> {
        check_name(name)?;
        let digest: Hash = Sha256::new()
            .chain_update(name)
            .chain_update([b'\n', ED25519])
            .chain_update(key.as_bytes())
            .finalize()
            .into();
        let id = *digest.first_chunk().expect("a digest is longer than a key id");
        Ok(Vkey { name: name.to_owned(), id, key })
    }

    fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(text.as_bytes(), &signature).is_ok())
    }
}

impl fmt::Display for Vkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = u32::from_be_bytes(self.id);
        let key = BASE64_STANDARD.encode([&[ED25519], &self.key.as_bytes()[..]].concat());
        write!(f, "{}+{id:08x}+{key}", self.name)
    }
}

impl FromStr for Vkey {
    type Err = Error;

    /// Reads the text form; white space around it is passed over, as files end in a newline.
    fn from_str(text: &str) -> Result<Vkey> {
        let bad = |detail: &str| Error::malformed("vkey", detail);
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad("it has not the form name+id+key"));
        };
        let bytes = BASE64_STANDARD.decode(key).map_err(|error| bad(&format!("its key: {error}")))?;
        let [ED25519, key @ ..] = &bytes[..] else {
            return Err(bad("its key is not of the Ed25519 type 0x01"));
        };
        let key = key.try_into().map_err(|_| bad("its key is not 32 bytes long"))?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| bad("its key is no point of the curve"))?;
        let vkey = Vkey::new(name, key)?;
        if id != format!("{:08x}", u32::from_be_bytes(vkey.id)) {
            return Err(bad(&format!("its key id `{id}` is not that of its name and key")));
        }
        Ok(vkey)
    }
}

/// Opens a signed note and returns its text.
///
/// # Errors
///
/// [`Error::BadSignature`] if a signature of one of `keys` is false, or if none of them signed; [`Error::Malformed`].
pub fn open<'n>(note: &'n str, keys: &[Vkey]) -> Result<&'n str> {
    let (text, signatures) = split(note)?;
    let mut verified = false;
    for line in signatures {
        let (name, id, signature) = parse_signature(line)?;
        let Some(key) = keys.iter().find(|key| key.name == name && key.id == id) else {
            continue;
        };
        if !key.verifies(text, &signature) {
            return Err(Error::BadSignature {
                key: key.to_string(),
                detail: "it is not a signature of this text",
            });
        }
        verified = true;
    }
    match verified {
        true => Ok(text),
        false => Err(Error::BadSignature { key: names(keys), detail: "the note carries none" }),
    }
}

/// The text of a note, whoever signed it.
///
/// # Errors
///
/// [`Error::Malformed`].
pub fn text(note: &str) -> Result<&str> {
    Ok(split(note)?.0)
}

const SIGNATURE_MARK: &str = "\u{2014} ";

/// The signature type of signed-note for plain Ed25519.
const ED25519: u8 = 0x01;

/// The text of a note that nobody vouches for: good only for saying what is wrong with it.
pub(super) fn unverified_text(note: &str) -> Result<&str> {
    Ok(split(note)?.0)
}

/// Splits a note at its last empty line.
fn split(note: &str) -> Result<(&str, Vec<&str>)> {
    let bad = |detail: &str| Error::malformed("note", detail);
    if note.len() > NOTE_BYTES_MAX {
        return Err(bad(&format!("{} bytes, above {NOTE_BYTES_MAX}", note.len())));
    }
    check_text(note)?;
    let end = note.rfind("\n\n").ok_or_else(|| bad("no empty line before signatures"))?;
    let lines = note[end + 2..].strip_suffix('\n').ok_or_else(|| bad("no newline at its end"))?;
    let lines: Vec<&str> = lines.split('\n').collect();
    if lines.len() > SIGNATURES_MAX {
        return Err(bad(&format!("{} signatures, above {SIGNATURES_MAX}", lines.len())));
    }
    Ok((&note[..=end], lines))
}

/// Takes a signature line apart: key name, key id, and the signature itself.
fn parse_signature(line: &str) -> Result<(&str, [u8; 4], Vec<u8>)> {
    let bad = || Error::malformed("note", format!("signature line `{line}`"));
    let (name, base64) =
        line.strip_prefix(SIGNATURE_MARK).and_then(|rest| rest.split_once(' ')).ok_or_else(bad)?;
    let bytes = BASE64_STANDARD.decode(base64).map_err(|_| bad())?;
    let (id, signature) = bytes.split_first_chunk().ok_or_else(bad)?;
    if signature.is_empty() || check_name(name).is_err() {
        return Err(bad());
    }
    Ok((name, *id, signature.to_vec()))
}

/// Reads a decimal number as these formats write it: no sign, no leading zero, at most [`SIZE_MAX`].
pub(super) fn decimal(what: &'static str, text: &str) -> Result<u64> {
    match text.parse::<u64>() {
        Ok(number) if number <= SIZE_MAX && text == number.to_string() => Ok(number),
        _ => Err(Error::malformed(what, format!("`{text}` is not a number as it should be written"))),
    }
}

/// Reads a hash in base64.
pub(super) fn hash(what: &'static str, base64: &str) -> Result<Hash> {
    let bytes = BASE64_STANDARD.decode(base64).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| Error::malformed(what, format!("`{base64}` is not a hash in base64")))
}

fn check_name(name: &str) -> Result<()> {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    match name.is_empty() || name.contains(forbidden) {
        true => Err(Error::malformed(
            "key name",
            format!("`{}` is empty, or holds a space or a plus", name.escape_debug()),
        )),
        false => Ok(()),
    }
}

fn check_text(text: &str) -> Result<()> {
    match text.bytes().find(|byte| *byte < 0x20 && *byte != b'\n') {
        Some(byte) => Err(Error::malformed("note", format!("it holds the control character 0x{byte:02x}"))),
        None => Ok(()),
    }
}

fn names(keys: &[Vkey]) -> String {
    keys.iter().map(Vkey::to_string).collect::<Vec<_>>().join("`, `")
}

fn malformed(detail: impl Into<String>) -> Error {
    Error::malformed("checkpoint", detail)
}

#[cfg(test)]
pub(super) mod tests;
