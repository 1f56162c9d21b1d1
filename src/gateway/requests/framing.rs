//! What makes a request mean one thing to us and another to a proxy in front of us: refused, and the connection closed.
//!
//! The library refuses lengths that differ and encodings that it does not know; what it drops is in [`Framing`].

use axum::extract::Request;
use axum::http::{HeaderName, Version, header};

use crate::gateway::errors::Failure;
use crate::gateway::serve::Framing;

/// Headers that decide what a request is; two of them are two requests.
const ONCE: [HeaderName; 9] = [
    header::HOST,
    header::AUTHORIZATION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::TRANSFER_ENCODING,
    HeaderName::from_static("x-ig-tenant"),
    HeaderName::from_static("x-ig-purpose"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("idempotency-key"),
];

/// Refuses what is ambiguous.
pub(super) fn check(request: &Request, framing: Framing) -> Result<(), Failure> {
    let headers = request.headers();
    let is_chunked = headers.contains_key(header::TRANSFER_ENCODING);
    if framing == Framing::Ambiguous || (framing == Framing::Unseen && is_chunked) {
        return Err(Failure::bad_request(
            "the length of the body is said twice, or nobody can tell; send `content-length` or \
             `transfer-encoding`, once, and no request before the last was answered",
        ));
    }
    for name in &ONCE {
        if headers.get_all(name).iter().count() > 1 {
            return Err(Failure::bad_request(format!("header `{name}` stands twice; send it once")));
        }
    }
    let (host, authority) = (headers.get(header::HOST), request.uri().authority());
    if host.is_none() && authority.is_none() && request.version() >= Version::HTTP_11 {
        return Err(Failure::bad_request("no header `host`; HTTP/1.1 wants one"));
    }
    let differs = |host: &[u8]| {
        authority.is_some_and(|authority| !authority.as_str().as_bytes().eq_ignore_ascii_case(host))
    };
    if host.is_some_and(|host| differs(host.as_bytes())) {
        return Err(Failure::bad_request("header `host` names another host than the request does"));
    }
    Ok(())
}
