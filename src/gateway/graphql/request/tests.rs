use axum::http::HeaderValue;

use super::*;

fn post(body: &str) -> Result<Asked, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Asked::read(
        &Method::POST,
        &Uri::from_static("/graphql"),
        &headers,
        Ok(Bytes::from(body.to_owned())),
        1000,
    )
}

fn get(query: &str) -> Result<Asked, Failure> {
    let uri: Uri = format!("/graphql?{query}").parse().expect("an address");
    Asked::read(&Method::GET, &uri, &HeaderMap::new(), Ok(Bytes::new()), 1000)
}

fn persisted(name: &str) -> Document {
    Document::Persisted(name.to_owned())
}

#[test]
fn an_operation_is_named_in_every_way_that_clients_know() {
    for (body, name) in [
        (r#"{"id":"search:v2","variables":{"q":"x"}}"#, "search:v2"),
        (r#"{"id":"search:v2","vars":{"q":"x"}}"#, "search:v2"),
        (r#"{"id":"search:v2","hash":"sha256-00","vars":{"q":"x"}}"#, "sha256-00"),
        (r#"{"documentId":"sha256:00","variables":{"q":"x"},"extensions":null}"#, "sha256:00"),
        (
            r#"{"operationName":"search","variables":{"q":"x"},"extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}"#,
            "00",
        ),
        (
            r#"{"id":"search:v2","query":"{ ignored }","variables":{"q":"x"},"extensions":{"more":[1]}}"#,
            "search:v2",
        ),
    ] {
        let asked = post(body).unwrap_or_else(|failure| panic!("{body}: {failure:?}"));
        assert_eq!((&asked.document, asked.read_only), (&persisted(name), false), "{body}");
        assert_eq!(asked.variables["q"], "x", "{body}");
    }
    let asked =
        get("id=search%3Av2&variables=%7B%22q%22%3A%22x%22%7D&operationName=search").expect("a request");
    assert_eq!((&asked.document, asked.read_only), (&persisted("search:v2"), true));
    assert_eq!((asked.variables["q"].as_str(), asked.operation_name.as_deref()), (Some("x"), Some("search")));
    let asked =
        get("extensions=%7B%22persistedQuery%22%3A%7B%22sha256Hash%22%3A%2200%22%7D%7D").expect("a request");
    assert_eq!(asked.document, persisted("00"));
    let asked = post(r#"{"query":"{ node { tenant } }"}"#).expect("a request");
    assert_eq!(asked.document, Document::AdHoc("{ node { tenant } }".to_owned()));
}

#[test]
fn what_is_no_request_is_refused() {
    for body in [
        "",
        "{",
        "1",
        "null",
        "\"x\"",
        "{}",
        r#"{"id":1}"#,
        r#"{"id":"a","variables":[1]}"#,
        r#"{"id":"a","variables":"x"}"#,
        r#"{"query":{"a":1}}"#,
        r#"{"id":"a","operationName":1}"#,
        r#"{"id":"a","extensions":[]}"#,
        r#"{"id":"a","variables":{},"vars":{}}"#,
    ] {
        let refused = post(body).expect_err(body);
        assert_eq!((refused.status, refused.code), (StatusCode::BAD_REQUEST, "bad_request"), "{body}");
    }
    assert!(post(r#" [{"id":"node:v1"}]"#).expect_err("a batch").message.contains("one at a time"));
    assert!(get("id=a&variables=x").is_err() && get("").is_err());
    let deep = format!(r#"{{"id":"a","variables":{{"x":{}1{}}}}}"#, "[".repeat(500), "]".repeat(500));
    assert!(post(&deep).is_err());
    let many = format!(r#"{{"id":"a","variables":{{"x":[{}1]}}}}"#, "1,".repeat(VALUES_MAX));
    assert!(post(&many).expect_err("too many").message.contains("values"));
    let text = format!(r#"{{"id":"a","variables":{{"x":"{}"}}}}"#, ",[{".repeat(VALUES_MAX));
    assert!(post(&text).is_ok(), "what is in a text is one value");
    let long = post(&format!(r#"{{"id":"a","variables":"{}"}}"#, "x".repeat(10_000))).expect_err("no object");
    assert!(long.message.len() < 400, "{}", long.message.len());
}

#[test]
fn only_json_is_taken() {
    let with = |content_type: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, content_type.parse().expect("a header"));
        let body = Ok(Bytes::from_static(br#"{"id":"a"}"#));
        Asked::read(&Method::POST, &Uri::from_static("/graphql"), &headers, body, 1000)
            .map_err(|failure| failure.status)
    };
    for taken in ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\""]
    {
        assert!(with(taken).is_ok(), "{taken}");
    }
    for refused in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/graphql",
        "application/json; charset=latin1",
        "multipart/form-data; boundary=x",
        "application/jsonx",
    ] {
        assert_eq!(with(refused).expect_err(refused), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
}
