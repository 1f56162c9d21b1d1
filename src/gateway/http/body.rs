//! Bodies of requests: read as a whole, or to nowhere.

use std::time::Duration;

use axum::body::BodyDataStream;
use axum::extract::Request;
use axum::http::StatusCode;
use futures_util::StreamExt;

use crate::gateway::errors::Failure;

/// How long somebody may go on sending what is not wanted.
pub(super) const SWALLOW_TIMEOUT: Duration = Duration::from_secs(10);

/// A body of up to so many bytes. Of one that is longer the rest is read to nowhere.
pub(super) async fn whole(request: Request, bytes_max: usize, advice: &str) -> Result<Vec<u8>, Failure> {
    let (mut pieces, mut body) = (request.into_body().into_data_stream(), Vec::new());
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| Failure::bad_request(format!("the body broke off: {error}")))?;
        if body.len() + piece.len() > bytes_max {
            swallow_pieces(pieces);
            let message = format!("more than {bytes_max} bytes; {advice}");
            return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// Reads a refused body to nowhere for a while: a client that is still sending would lose the refusal to a broken pipe.
pub(super) fn swallow(request: Request) {
    swallow_pieces(request.into_body().into_data_stream());
}

/// So it is with what is left of one.
pub(super) fn swallow_pieces(mut pieces: BodyDataStream) {
    tokio::spawn(tokio::time::timeout(SWALLOW_TIMEOUT, async move {
        while let Some(Ok(_)) = pieces.next().await {}
    }));
}
