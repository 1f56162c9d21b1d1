use super::*;

fn wanted(accept: &str) -> Result<MediaType, StatusCode> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, accept.parse().expect("a header"));
    MediaType::wanted(&headers).map_err(|failure| failure.status)
}

#[test]
fn the_best_of_what_is_accepted() {
    assert_eq!(MediaType::wanted(&HeaderMap::new()).expect("anything"), MediaType::Json);
    for (accept, media_type) in [
        ("*/*", MediaType::Json),
        ("application/*", MediaType::Json),
        ("application/graphql-response+json", MediaType::GraphQl),
        ("Application/GraphQL-Response+JSON; charset=utf-8", MediaType::GraphQl),
        ("application/json", MediaType::LegacyJson),
        ("application/graphql-response+json, application/json", MediaType::GraphQl),
        ("application/json, application/graphql-response+json;q=0.9", MediaType::LegacyJson),
        (
            "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed",
            MediaType::GraphQl,
        ),
        ("application/json;q=0.5, */*;q=0.1", MediaType::LegacyJson),
        ("application/graphql-response+json;q=0, */*", MediaType::Json),
        ("application/json;q=0, */*;q=0.2", MediaType::GraphQl),
        ("text/html, */*;q=0.1", MediaType::Json),
    ] {
        assert_eq!(wanted(accept), Ok(media_type), "{accept}");
    }
    for accept in
        ["text/html", "*/*;q=0", "application/json;q=0", "application/xml, text/*", "application/json;q=x"]
    {
        assert_eq!(wanted(accept), Err(StatusCode::NOT_ACCEPTABLE), "{accept}");
    }
}

#[test]
fn statuses_are_told_to_who_understands_them() {
    let refused = || Done::refused(vec![async_graphql::ServerError::new("no such field", None)]);
    let status = |done: Done, media_type| done.into_response(media_type).status().as_u16();
    assert_eq!(status(refused(), MediaType::GraphQl), 400);
    assert_eq!(status(refused(), MediaType::Json), 400);
    assert_eq!(status(refused(), MediaType::LegacyJson), 200);
    let begun = || Done { data: Some(async_graphql::Value::Null), ..refused() };
    for media_type in [MediaType::GraphQl, MediaType::Json, MediaType::LegacyJson] {
        assert_eq!(status(begun(), media_type), 200);
    }
}

#[test]
fn a_long_message_is_cut_between_characters() {
    let mut message = "é".repeat(1000);
    shorten(&mut message);
    assert_eq!(message.chars().count(), MESSAGE_CHARS_MAX + 1);
}
