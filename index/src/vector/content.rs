//! What of an assertion becomes vectors.

use std::ops::Range;

use sha2::{Digest, Sha256};
use storage::model::{Assertion, Form, Status};
use storage::record::Record;

use super::rows::{RELATION, REVOKED};
use crate::embed::{Encoder, ModelId};
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

/// An assertion that is cut into what becomes vectors.
pub(super) struct Cut {
    pub(super) assertion: Assertion,
    /// See [`embedded`].
    pub(super) text: String,
    /// Where its passages are, and what their vectors are found again by.
    pub(super) passages: Vec<(Range<usize>, [u8; 16])>,
}

impl Cut {
    pub(super) fn of(assertion: Assertion, encoder: &dyn Encoder) -> Cut {
        let text = embedded(&assertion);
        let ranges = encoder.passages(&text).into_iter().take(PASSAGES_MAX);
        let ranges = ranges.filter(|range| text.get(range.clone()).is_some());
        let passages = ranges.map(|range| (range.clone(), text_id(encoder.model(), &text[range]))).collect();
        Cut { assertion, text, passages }
    }
}

/// What a vector is found again by: the model and the text that it was made of.
fn text_id(model: &ModelId, text: &str) -> [u8; 16] {
    let digest = Sha256::new().chain_update(model.digest).chain_update(text).finalize();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
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
