//! The Explorer: the web app in `ui/`, built into the program with the feature `ui`. It is served to anyone and knows
//! nothing by itself. Without the feature there is a page to sign in, and what it leads to is the API.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::gateway::errors::Failure;
use crate::node;

/// A file of the app, as it was built.
struct File {
    /// Where it is served. All but the page itself have their digest in their name.
    path: &'static str,
    content_type: &'static str,
    etag: &'static str,
    plain: &'static [u8],
    /// The same compressed, by the name of the encoding; the smallest first.
    packed: &'static [(&'static str, &'static [u8])],
}

#[cfg(feature = "ui")]
const FILES: &[File] = &include!("../../../ui/dist/files.rs");

#[cfg(not(feature = "ui"))]
const FILES: &[File] = &[
    signing_in("/index.html", "text/html; charset=utf-8", include_bytes!("explorer/sign-in.html")),
    signing_in("/assets/sign-in.js", "text/javascript; charset=utf-8", include_bytes!("explorer/sign-in.js")),
    signing_in("/assets/sign-in.css", "text/css; charset=utf-8", include_bytes!("explorer/sign-in.css")),
];

#[cfg(not(feature = "ui"))]
const fn signing_in(path: &'static str, content_type: &'static str, plain: &'static [u8]) -> File {
    File { path, content_type, etag: concat!("\"", env!("CARGO_PKG_VERSION"), "\""), plain, packed: &[] }
}

/// The page, whatever it is to show: its script reads the address.
pub(crate) async fn page() -> Response {
    let nonce: String = node::random::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
    let file = find("/index.html").expect("the app has a page");
    let text = String::from_utf8_lossy(file.plain).replace("{nonce}", &nonce);
    let headers = [
        (header::CONTENT_TYPE, file.content_type),
        (header::CONTENT_SECURITY_POLICY, &content_security_policy(&nonce)),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    (headers.map(|(name, value)| (name, value.to_owned())), text).into_response()
}

/// What the page loads: for ever, if its name says what is in it.
pub(crate) async fn asset(Path(name): Path<String>, asked: HeaderMap) -> Result<Response, Failure> {
    let file = find(&format!("/assets/{name}"))
        .ok_or_else(|| Failure::new(StatusCode::NOT_FOUND, "not_found", "no such path"))?;
    let kept = if cfg!(feature = "ui") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [
        (header::CONTENT_TYPE, file.content_type),
        (header::ETAG, file.etag),
        (header::CACHE_CONTROL, kept),
        (header::VARY, "accept-encoding"),
    ];
    if text(&asked, header::IF_NONE_MATCH).split(',').any(|etag| weakly(etag) == file.etag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let accepted = text(&asked, header::ACCEPT_ENCODING);
    let packed = file.packed.iter().find(|(encoding, _)| accepts(accepted, encoding));
    Ok(match packed {
        Some((encoding, bytes)) => (headers, [(header::CONTENT_ENCODING, *encoding)], *bytes).into_response(),
        None => (headers, file.plain).into_response(),
    })
}

fn find(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

/// The page uses what the node itself serves, sends nothing elsewhere, and is shown in no frame. Styles that a library
/// adds while it runs carry the nonce.
fn content_security_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).map(HeaderValue::to_str).and_then(Result::ok).unwrap_or_default()
}

fn weakly(etag: &str) -> &str {
    let etag = etag.trim();
    etag.strip_prefix("W/").unwrap_or(etag)
}

/// Whether an `Accept-Encoding` names an encoding, and not with `q=0`.
fn accepts(accepted: &str, encoding: &str) -> bool {
    accepted.split(',').any(|one| {
        let (name, quality) = one.split_once(';').unwrap_or((one, "q=1"));
        let refused = quality.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case(encoding) && !refused
    })
}

#[cfg(test)]
mod tests;
