//! The vector that a line brings. Its components are in no reject, whatever is wrong with it.

use serde_json::value::RawValue;
use storage::model::{EMBEDDING_COMPONENTS_MAX, Embedding};

use super::super::fields::{self, Fields};
use super::super::reject::Reject;

/// The property of a line.
const NAME: &str = "embedding";

/// The vector of a line, if it brings one.
pub(super) fn embedding(fields: &Fields<'_>) -> Result<Option<Embedding>, Reject> {
    let Some(raw) = fields.raw(NAME) else { return Ok(None) };
    if !raw.starts_with('{') {
        return Err(bad("`embedding` must be an object with `model` and `vector`", kind(raw)));
    }
    let fields = fields::parse(raw)?;
    fields.only(&["model", "vector"])?;
    let model = fields.raw("model").unwrap_or("null");
    let model = fields::string(model).ok_or_else(|| bad("`model` must be a name", kind(model)))?;
    let vector = vector(fields.raw("vector").unwrap_or("null"))?;
    Ok(Some(Embedding { model: model.into_owned(), vector }))
}

fn vector(raw: &str) -> Result<Vec<f32>, Reject> {
    let components: Vec<&RawValue> =
        serde_json::from_str(raw).map_err(|_| bad("`vector` must be a list of numbers", kind(raw)))?;
    if components.len() > EMBEDDING_COMPONENTS_MAX {
        let reason = format!("`vector` must have at most {EMBEDDING_COMPONENTS_MAX} components");
        return Err(bad(&reason, &components.len().to_string()));
    }
    components.iter().enumerate().map(|(place, component)| number(place, component.get())).collect()
}

/// A component as the 32 bits that vectors are kept in.
fn number(place: usize, raw: &str) -> Result<f32, Reject> {
    if kind(raw) != "a number" {
        let reason = format!("component {place} of `vector` must be a number");
        return Err(bad(&reason, kind(raw)));
    }
    let component: Option<f64> = serde_json::from_str(raw).ok();
    let component = component.map(|component| component as f32).filter(|component| component.is_finite());
    component
        .ok_or_else(|| bad(&format!("component {place} of `vector` must be at most {:e}", f32::MAX), raw))
}

/// The reject of a line that is no JSON, without the part of it that would be shown if it may be of a vector.
pub(super) fn unnumbered(reject: Reject, line: &str) -> Reject {
    if memchr::memmem::find(line.as_bytes(), NAME.as_bytes()).is_none() {
        return reject;
    }
    Reject { value: String::new(), ..reject }
}

fn bad(reason: &str, value: &str) -> Reject {
    Reject::new("bad_embedding", reason, value)
}

/// What a JSON text is, without saying it.
fn kind(raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b'"') => "a text",
        Some(b'[') => "a list",
        Some(b'{') => "an object",
        Some(b't' | b'f') => "a truth value",
        Some(b'n') | None => "nothing",
        Some(_) => "a number",
    }
}
