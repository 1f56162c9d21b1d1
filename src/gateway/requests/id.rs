//! The id of a request: the client's, if a log may hold it, or one that is made.

use axum::http::HeaderMap;

use super::{REQUEST_ID, header_text};
use crate::node;

/// Longest id that is taken over, in bytes.
const ID_BYTES_MAX: usize = 64;

/// The id of a request with these headers.
pub(super) fn of(headers: &HeaderMap) -> String {
    let given = header_text(headers, &REQUEST_ID).filter(|id| is_well_formed(id));
    given.map_or_else(made, str::to_owned)
}

/// Letters, digits and hyphens: every common kind of id, and no token, which would end up in the log.
fn is_well_formed(id: &str) -> bool {
    (8..=ID_BYTES_MAX).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn made() -> String {
    node::random::<12>().iter().map(|byte| format!("{byte:02x}")).collect()
}
