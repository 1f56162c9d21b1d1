//! The page where a browser signs in. It is served to anyone and knows nothing by itself.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::IntoResponse;

/// The page uses what the node itself serves, sends nothing elsewhere, and is shown in no frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                                       base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page.
pub(crate) async fn index() -> impl IntoResponse {
    file("text/html; charset=utf-8", include_str!("page/index.html"))
}

/// What it does.
pub(crate) async fn script() -> impl IntoResponse {
    file("text/javascript; charset=utf-8", include_str!("page/sign-in.js"))
}

/// What it looks like.
pub(crate) async fn style() -> impl IntoResponse {
    file("text/css; charset=utf-8", include_str!("page/sign-in.css"))
}

fn file(content_type: &'static str, text: &'static str) -> (HeaderMap, &'static str) {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    (headers.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect(), text)
}
