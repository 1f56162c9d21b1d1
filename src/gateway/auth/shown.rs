//! What a request shows to be let in, taken from its headers. What could be read in two ways is refused.

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};

use super::unauthorized;
use crate::gateway::errors::Failure;

/// A header that no page of another origin can send without asking: with it, a body need not be JSON.
const OWN_PAGE_HEADER: &str = "x-ig-csrf";

/// What a request shows. Who sends a token sends it on purpose, and a cookie beside it then counts for nothing: neither
/// does it help a token that is refused.
pub(super) enum Shown<'p> {
    /// A bearer token.
    Token(&'p str),
    /// The cookie of a session, from a page of the node itself.
    Session(&'p str),
}

impl<'p> Shown<'p> {
    pub(super) fn by(parts: &'p Parts, cookie: &str) -> Result<Shown<'p>, Failure> {
        if let Some(value) = only(&parts.headers, header::AUTHORIZATION.as_str())? {
            return bearer(value).map(Shown::Token).ok_or_else(no_token);
        }
        let text = session(&parts.headers, cookie)?.ok_or_else(no_token)?;
        is_own_page(parts)?;
        let is_safe = matches!(parts.method, Method::GET | Method::HEAD);
        if !is_safe && !is_json(&parts.headers) && !parts.headers.contains_key(OWN_PAGE_HEADER) {
            return Err(foreign(&format!("send JSON, or the header `{OWN_PAGE_HEADER}: 1`")));
        }
        Ok(Shown::Session(text))
    }
}

/// Refuses what a page of another origin makes a browser send. Browsers say where a request comes from; what says
/// nothing may read, as that tells its answer to nobody else, but change nothing.
pub(in crate::gateway) fn is_own_page(parts: &Parts) -> Result<(), Failure> {
    let headers = &parts.headers;
    let is_safe = matches!(parts.method, Method::GET | Method::HEAD);
    let own = match (only(headers, "sec-fetch-site")?, only(headers, "origin")?) {
        (Some("same-origin"), _) => true,
        // Typed by the user, or from a bookmark.
        (Some("none"), _) => is_safe,
        (Some(_), _) => false,
        (None, Some(origin)) => origin_is(origin, host(parts)?),
        (None, None) => is_safe,
    };
    if own { Ok(()) } else { Err(foreign("use the node's own pages, or a token")) }
}

/// The host that the request was sent to; HTTP/2 says it with the path.
fn host(parts: &Parts) -> Result<Option<&str>, Failure> {
    let authority = parts.uri.authority().map(|authority| authority.as_str());
    Ok(only(&parts.headers, "host")?.or(authority))
}

/// Whether an origin is the host that the request was sent to. Its scheme is not compared: who ends TLS in front of
/// the node changes it.
fn origin_is(origin: &str, host: Option<&str>) -> bool {
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.is_some_and(|authority| host.is_some_and(|host| host.eq_ignore_ascii_case(authority)))
}

pub(in crate::gateway) fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether a request shows nothing at all to be let in by.
pub(in crate::gateway) fn shows_nothing(headers: &HeaderMap, cookie: &str) -> bool {
    !headers.contains_key(header::AUTHORIZATION) && matches!(session(headers, cookie), Ok(None))
}

/// The value of our cookie. Two of them come from somebody who set one for a narrower path, to be taken for ours.
pub(in crate::gateway) fn session<'h>(
    headers: &'h HeaderMap,
    name: &str,
) -> Result<Option<&'h str>, Failure> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut ours = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    match (ours.next(), ours.next()) {
        (_, Some(_)) => {
            Err(unauthorized("two session cookies; delete this site's cookies and sign in again"))
        }
        (found, None) => Ok(found),
    }
}

/// A header that may be there once: of two, each side of a proxy might believe another.
pub(super) fn only<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Failure> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Failure::bad_request(format!("header `{name}` is there twice; send it once")));
    }
    value.to_str().map(Some).map_err(|_| Failure::bad_request(format!("header `{name}` is not text")))
}

fn no_token() -> Failure {
    unauthorized("no token; send `Authorization: Bearer <token>`")
}

fn foreign(what_to_do: &str) -> Failure {
    let message = format!("this request does not come from a page of this node; {what_to_do}");
    Failure::new(StatusCode::FORBIDDEN, "foreign_origin", message)
}
