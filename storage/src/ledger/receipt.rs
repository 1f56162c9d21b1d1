//! Receipts: one record, shown to be in a signed tree, in one text file (C2SP tlog-proof, `.tlog-proof`).
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra <base64: 0x01 || header (40) || salt (16) || body,   or   0x00 || header (40) || digest (32)>
//! index <decimal, from 0>
//! <base64 of a hash, one a line, the leaf's sibling first>
//!
//! <the signed checkpoint>
//! ```
//!
//! The specification leaves `extra` to the application and does not vouch for it; here the proof itself does, since the
//! leaf is made from it. So whoever has SHA-256, base64 and Ed25519 can go from a value on a screen to the signed root:
//!
//! 1. `extra` begins with 1: digest = SHA-256(salt || body), both of which follow the header. With 0 the body was erased,
//!    and its digest follows instead.
//! 2. leaf = SHA-256(0x00 || header || digest); up the path with SHA-256(0x01 || left || right) to the root.
//! 3. The root is the third line of the checkpoint; its three lines, newlines included, are what is signed.

use base64::prelude::{BASE64_STANDARD, Engine};

use super::error::{Error, Result};
use super::leaf::{self, HEADER_BYTES, Header, Leaf, Salt};
use super::note::{self, Checkpoint, Vkey};
use super::proof::verify_inclusion;
use super::tree::Hash;

/// The most bytes in a receipt: a record of 8 MiB in base64, with room to spare.
pub const RECEIPT_BYTES_MAX: usize = 16 << 20;

/// A record that was shown to be in a signed tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The tree that it is in, as signed.
    pub checkpoint: Checkpoint,
    /// Place of the record in the tree, from 0.
    pub index: u64,
    /// The record's header, byte for byte.
    pub header: Header,
    /// The record's body, if it is still there.
    pub contents: Contents,
}

/// What is left of a record beside its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Salt and body: the digest follows from them.
    Kept {
        /// The 16 bytes that stand before the body when it is digested.
        salt: Salt,
        /// The record's body, byte for byte.
        body: Vec<u8>,
    },
    /// Salt and body were erased; their digest stays.
    Erased {
        /// SHA-256(salt || body), as it was before.
        digest: Hash,
    },
}

impl Contents {
    /// The digest that the leaf holds.
    pub fn digest(&self) -> Hash {
        match self {
            Contents::Kept { salt, body } => leaf::digest(salt, body),
            Contents::Erased { digest } => *digest,
        }
    }
}

/// Writes the receipt for record `index`; `proof` leads from its leaf to the root of the signed `checkpoint`.
///
/// Nothing is checked: [`verify`] what was written before it is handed out.
pub fn write(header: &Header, contents: &Contents, index: u64, proof: &[Hash], checkpoint: &str) -> String {
    let extra = BASE64_STANDARD.encode(encode_extra(header, contents));
    let mut text = format!("{MAGIC}\nextra {extra}\nindex {index}\n");
    for hash in proof {
        text.push_str(&BASE64_STANDARD.encode(hash));
        text.push('\n');
    }
    text.push('\n');
    text.push_str(checkpoint);
    text
}

/// Checks a receipt down to the signature, and opens it.
///
/// # Errors
///
/// [`Error::Malformed`]; [`Error::BadSignature`] if `key` did not sign the checkpoint; [`Error::Mismatch`] or
/// [`Error::OutOfRange`] if the record is not shown to be in its tree.
pub fn verify(text: &str, key: &Vkey) -> Result<Receipt> {
    let parsed = parse(text)?;
    let checkpoint = Checkpoint::open(parsed.checkpoint, key)?;
    let leaf = Leaf::new(&parsed.header, &parsed.contents.digest()).hash();
    verify_inclusion(&checkpoint.root, checkpoint.size, parsed.index, &leaf, &parsed.proof)?;
    Ok(Receipt { checkpoint, index: parsed.index, header: parsed.header, contents: parsed.contents })
}

const MAGIC: &str = "c2sp.org/tlog-proof@v1";
const ERASED: u8 = 0;
const KEPT: u8 = 1;

/// A receipt's parts, none of them believed yet.
struct Parsed<'t> {
    header: Header,
    contents: Contents,
    index: u64,
    proof: Vec<Hash>,
    checkpoint: &'t str,
}

fn parse(text: &str) -> Result<Parsed<'_>> {
    if text.len() > RECEIPT_BYTES_MAX {
        return Err(malformed(format!("{} bytes, above {RECEIPT_BYTES_MAX}", text.len())));
    }
    let (head, checkpoint) =
        text.split_once("\n\n").ok_or_else(|| malformed("no empty line before its checkpoint"))?;
    let mut lines = head.split('\n');
    if lines.next() != Some(MAGIC) {
        return Err(malformed(format!("its first line is not `{MAGIC}`")));
    }
    let (header, contents) = decode_extra(field(lines.next(), "extra ")?)?;
    let index = note::decimal("receipt", field(lines.next(), "index ")?)?;
    let proof = lines.map(|line| note::hash("receipt", line)).collect::<Result<_>>()?;
    Ok(Parsed { header, contents, index, proof, checkpoint })
}

fn field<'t>(line: Option<&'t str>, name: &str) -> Result<&'t str> {
    line.and_then(|line| line.strip_prefix(name))
        .ok_or_else(|| malformed(format!("no line `{}`", name.trim_end())))
}

fn encode_extra(header: &Header, contents: &Contents) -> Vec<u8> {
    match contents {
        Contents::Kept { salt, body } => [&[KEPT], &header[..], salt, body].concat(),
        Contents::Erased { digest } => [&[ERASED], &header[..], digest].concat(),
    }
}

fn decode_extra(base64: &str) -> Result<(Header, Contents)> {
    let short = || malformed("its extra data is of the wrong length");
    let bytes =
        BASE64_STANDARD.decode(base64).map_err(|error| malformed(format!("its extra data: {error}")))?;
    let (flag, rest) = bytes.split_first().ok_or_else(short)?;
    let (header, rest) = rest.split_first_chunk::<HEADER_BYTES>().ok_or_else(short)?;
    let contents = match *flag {
        ERASED => Contents::Erased { digest: rest.try_into().map_err(|_| short())? },
        KEPT => {
            let (salt, body) = rest.split_first_chunk().ok_or_else(short)?;
            Contents::Kept { salt: *salt, body: body.to_vec() }
        }
        other => {
            return Err(malformed(format!("its extra data begins with {other}, neither 0 nor 1")));
        }
    };
    Ok((*header, contents))
}

fn malformed(detail: impl Into<String>) -> Error {
    Error::malformed("receipt", detail)
}

#[cfg(test)]
mod tests;
