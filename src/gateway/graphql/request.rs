//! From an HTTP request to what is asked for: which document, with which variables. Nothing here reads GraphQL.

use axum::body::Bytes;
use axum::extract::Query;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::gateway::errors::Failure;

/// Values in the body of a request, lists and objects counted with what is in them.
const VALUES_MAX: usize = 20_000;
/// A message about a body shows at most so much of it, in characters.
const MESSAGE_CHARS_MAX: usize = 200;

/// What a request asks for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) document: Document,
    pub(super) operation_name: Option<String>,
    pub(super) variables: Map<String, Value>,
    /// Whether it came in a way in which nothing may be changed.
    pub(super) read_only: bool,
}

/// Which document is to be run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Document {
    /// One that the node has, by a name or digest.
    Persisted(String),
    /// One that the client brings.
    AdHoc(String),
}

/// The body, or the parameters of an address.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    id: Option<String>,
    document_id: Option<String>,
    /// The digest of the document that the client believes `id` to be.
    hash: Option<String>,
    query: Option<String>,
    operation_name: Option<String>,
    #[serde(alias = "vars")]
    variables: Option<Map<String, Value>>,
    /// What clients add; of this only how Apollo's and urql's name a document is read.
    extensions: Option<Map<String, Value>>,
}

/// The parameters of an address: texts, of which two are JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    id: Option<String>,
    document_id: Option<String>,
    hash: Option<String>,
    query: Option<String>,
    operation_name: Option<String>,
    #[serde(alias = "vars")]
    variables: Option<String>,
    extensions: Option<String>,
}

impl Asked {
    /// Reads a request.
    pub(super) fn read(
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: Result<Bytes, BytesRejection>,
        body_bytes_max: usize,
    ) -> Result<Asked, Failure> {
        if *method == Method::POST {
            is_json(headers)?;
            let body = body.map_err(|rejection| unread(&rejection, body_bytes_max))?;
            return Body::of_bytes(&body)?.asked(false);
        }
        let Query(parameters) = Query::<Parameters>::try_from_uri(uri)?;
        parameters.body()?.asked(true)
    }
}

impl Body {
    fn of_bytes(bytes: &[u8]) -> Result<Body, Failure> {
        if bytes.trim_ascii_start().starts_with(b"[") {
            return Err(Failure::bad_request("a list of requests; send one at a time"));
        }
        if values(bytes) > VALUES_MAX {
            return Err(Failure::bad_request(format!(
                "more than {VALUES_MAX} values in the body; send fewer"
            )));
        }
        serde_json::from_slice(bytes).map_err(|error| no_request("body", &error))
    }

    fn asked(self, read_only: bool) -> Result<Asked, Failure> {
        let digest = self.extensions.as_ref().and_then(|extensions| extensions.get("persistedQuery"));
        let digest = digest.and_then(|query| query["sha256Hash"].as_str()).map(str::to_owned);
        let named = self.id.or(self.document_id).or(digest);
        let document = match (named, self.hash, self.query) {
            // Who gives both means the document, and calls it something.
            (Some(_), Some(hash), _) => Document::Persisted(hash),
            (Some(name), None, _) | (None, Some(name), _) => Document::Persisted(name),
            (None, None, Some(text)) => Document::AdHoc(text),
            (None, None, None) => {
                let message = "no `id`; send the id of a persisted operation, such as `search:v2`";
                return Err(Failure::bad_request(message));
            }
        };
        let variables = self.variables.unwrap_or_default();
        Ok(Asked { document, operation_name: self.operation_name, variables, read_only })
    }
}

impl Parameters {
    fn body(self) -> Result<Body, Failure> {
        Ok(Body {
            id: self.id,
            document_id: self.document_id,
            hash: self.hash,
            query: self.query,
            operation_name: self.operation_name,
            variables: parameter("variables", self.variables)?,
            extensions: parameter("extensions", self.extensions)?,
        })
    }
}

fn parameter<T: serde::de::DeserializeOwned>(name: &str, text: Option<String>) -> Result<Option<T>, Failure> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    serde_json::from_str(&text).map_err(|error| no_request(name, &error))
}

fn no_request(what: &str, error: &serde_json::Error) -> Failure {
    let message: String = error.to_string().chars().take(MESSAGE_CHARS_MAX).collect();
    Failure::bad_request(format!("{what} is no GraphQL request: {message}"))
}

/// A browser sends JSON to another site only after asking it, so nothing else is taken.
fn is_json(headers: &HeaderMap) -> Result<(), Failure> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = given.split(';').map(str::trim);
    let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let utf8 = parts
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .all(|(_, charset)| charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8"));
    if json && utf8 {
        return Ok(());
    }
    let given: String = given.chars().take(MESSAGE_CHARS_MAX).collect();
    let message = format!("content type `{given}`; send application/json in UTF-8");
    Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message))
}

/// Why the body could not be read: most likely it is too large.
fn unread(rejection: &BytesRejection, body_bytes_max: usize) -> Failure {
    if rejection.status() != StatusCode::PAYLOAD_TOO_LARGE {
        return Failure::bad_request(rejection.body_text());
    }
    let message = format!("the body has more than {body_bytes_max} bytes; send less, or set body_bytes_max");
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
}

/// How many values a JSON text can hold at most: counted before they take the memory of values.
fn values(json: &[u8]) -> usize {
    let (mut count, mut inside, mut escaped) = (1, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            b',' | b'[' | b'{' if !inside => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests;
