//! What of an assertion becomes vectors.

use sha2::{Digest, Sha256};
use storage::model::{Assertion, Form, Status};
use storage::record::Record;

use super::rows::{RELATION, REVOKED};
use crate::embed::{ModelId, normalise};
use crate::text::titles;

/// Passages of one document that become vectors; what follows them is found by its words alone.
pub const PASSAGES_MAX: usize = 64;

/// The text of an assertion that becomes vectors: its names, then its texts, a line each. A passage is a piece of it. Empty
/// if there is neither.
#[must_use]
pub fn embedded(assertion: &Assertion) -> String {
    let mut lines = vec![titles(assertion).join(", ")];
    lines.extend(assertion.texts.iter().map(|text| text.text.clone()));
    lines.retain(|line| !line.trim().is_empty());
    lines.join("\n")
}

/// What a vector is found again by: the model and the text that it was made of.
pub(super) fn text_id(model: &ModelId, text: &str) -> [u8; 16] {
    let digest = Sha256::new().chain_update(model.digest).chain_update(text).finalize();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    id
}

/// The vector that came with an assertion, if it is one of this model, at unit length.
pub(super) fn supplied(model: &ModelId, assertion: &Assertion) -> Option<Vec<f32>> {
    let embedding = assertion.embedding.as_ref().filter(|embedding| model.takes(embedding).is_ok())?;
    let mut vector = embedding.vector.clone();
    normalise(&mut vector).then_some(vector)
}

/// What a vector that came is found again by: the model and itself. No text begins with the byte in front of it.
pub(super) fn supplied_id(model: &ModelId, vector: &[f32]) -> [u8; 16] {
    let mut digest = Sha256::new().chain_update(model.digest).chain_update([0xff]);
    vector.iter().for_each(|component| digest.update(component.to_le_bytes()));
    let mut id = [0; 16];
    id.copy_from_slice(&digest.finalize()[..16]);
    id
}

pub(super) fn flags(assertion: &Assertion) -> u32 {
    let mut flags = 0;
    if assertion.status != u32::from(Status::Active.code()) {
        flags |= REVOKED;
    }
    if assertion.form == u32::from(Form::Relation.code()) {
        flags |= RELATION;
    }
    flags
}

pub(super) fn read(record: &Record) -> Result<Assertion, String> {
    let body = record.body().ok_or("its body was erased")?;
    Assertion::from_body(body).map_err(|error| error.to_string())
}
