//! What an embedder answers, and why that cannot be used. No refusal says anything of a text, a vector or the key.

use std::time::Duration;

use index::embed::normalise;
use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};
use serde::Deserialize;

/// What a component of a vector takes in an answer, in bytes, spaces included.
const COMPONENT_BYTES: usize = 32;
/// What else is in an answer.
const FRAME_BYTES: usize = 64 << 10;

/// Why there are no vectors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the embedder cannot be reached")]
    Unreachable,
    #[error("the embedder broke the connection off")]
    Broken,
    #[error("the embedder did not answer within {} ms", .0.as_millis())]
    Late(Duration),
    #[error("the embedder answers with status {status}")]
    Status {
        status: u16,
        /// It says itself when to come again.
        again: Option<Duration>,
    },
    #[error(
        "the embedder redirects with status {0}, which is not followed; set `embedder_url` to where it is"
    )]
    Redirects(u16),
    #[error("the embedder's answer is longer than {0} bytes, which is enough for what it was asked")]
    TooLong(usize),
    #[error("the embedder's answer is not `{{\"data\":[{{\"embedding\":[..],\"index\":..}}]}}`")]
    NoAnswer,
    #[error("the embedder gave {found} vectors for {wanted} texts, or one of them twice")]
    Count { found: usize, wanted: usize },
    #[error("the embedder's vectors have {found} components; `embedder_dimension` is {stated}")]
    Dimension { found: usize, stated: usize },
    #[error("the embedder gave a vector without direction: all zero, or not of numbers")]
    NoDirection,
    #[error("the node stops")]
    Stopped,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    index: usize,
    /// Some say `null` for what is no number.
    embedding: Vec<Option<f32>>,
}

impl Refusal {
    pub(super) fn of_error(error: &reqwest::Error) -> Refusal {
        if error.is_connect() { Refusal::Unreachable } else { Refusal::Broken }
    }

    /// Whether other texts might not be refused: then one of these is at fault, or every answer is wrong.
    pub(super) fn may_be_of_texts(&self) -> bool {
        match self {
            Refusal::Status { status, .. } => [400, 413, 422].contains(status),
            Refusal::TooLong(_)
            | Refusal::NoAnswer
            | Refusal::Count { .. }
            | Refusal::Dimension { .. }
            | Refusal::NoDirection => true,
            Refusal::Unreachable
            | Refusal::Broken
            | Refusal::Late(_)
            | Refusal::Redirects(_)
            | Refusal::Stopped => false,
        }
    }
}

/// The vectors of an answer, in the order of the texts and of unit length.
pub(super) async fn read(
    mut answer: Response,
    wanted: usize,
    dimension: usize,
) -> Result<Vec<Vec<f32>>, Refusal> {
    let status = answer.status();
    if status.is_redirection() {
        return Err(Refusal::Redirects(status.as_u16()));
    }
    if status != StatusCode::OK {
        return Err(Refusal::Status { status: status.as_u16(), again: again(&answer) });
    }
    let bytes_max = FRAME_BYTES + wanted * dimension * COMPONENT_BYTES;
    let mut bytes = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|error| Refusal::of_error(&error))? {
        if bytes.len() + piece.len() > bytes_max {
            return Err(Refusal::TooLong(bytes_max));
        }
        bytes.extend_from_slice(&piece);
    }
    vectors(&bytes, wanted, dimension)
}

/// What `Retry-After` says in seconds.
fn again(answer: &Response) -> Option<Duration> {
    let text = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    Some(Duration::from_secs(text.trim().parse().ok()?))
}

fn vectors(bytes: &[u8], wanted: usize, dimension: usize) -> Result<Vec<Vec<f32>>, Refusal> {
    let Answer { data } = serde_json::from_slice(bytes).map_err(|_| Refusal::NoAnswer)?;
    let count = Refusal::Count { found: data.len(), wanted };
    if data.len() != wanted {
        return Err(count);
    }
    let mut vectors = vec![Vec::new(); wanted];
    for Item { index, embedding } in data {
        let place = vectors.get_mut(index).filter(|place| place.is_empty()).ok_or(count.clone())?;
        *place = vector(embedding, dimension)?;
    }
    Ok(vectors)
}

fn vector(embedding: Vec<Option<f32>>, stated: usize) -> Result<Vec<f32>, Refusal> {
    if embedding.len() != stated {
        return Err(Refusal::Dimension { found: embedding.len(), stated });
    }
    let mut vector: Vec<f32> = embedding.into_iter().map(|part| part.unwrap_or(f32::NAN)).collect();
    if normalise(&mut vector) { Ok(vector) } else { Err(Refusal::NoDirection) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<Vec<f32>>, Refusal> {
        vectors(text.as_bytes(), 2, 2)
    }

    #[test]
    fn vectors_come_in_the_order_of_their_texts_and_of_unit_length() {
        let answer = r#"{"object":"list","data":[{"index":1,"embedding":[0,-2]},{"index":0,"embedding":[3,4]}],"usage":{}}"#;
        assert_eq!(of(answer), Ok(vec![vec![0.6, 0.8], vec![0.0, -1.0]]));
    }

    #[test]
    fn what_is_no_answer_is_refused_for_what_it_is() {
        let item = |index: usize, embedding: &str| format!(r#"{{"index":{index},"embedding":{embedding}}}"#);
        let data = |items: &[String]| format!(r#"{{"data":[{}]}}"#, items.join(","));
        let good = item(0, "[1,0]");
        for (answer, refusal) in [
            (String::new(), Refusal::NoAnswer),
            ("[]".to_owned(), Refusal::NoAnswer),
            (data(&[good.clone(), item(1, "\"AAAA\"")]), Refusal::NoAnswer),
            (data(&[good.clone(), item(1, "[NaN,1]")]), Refusal::NoAnswer),
            (data(&[good.clone(), item(1, "[null,1]")]), Refusal::NoDirection),
            (data(&[good.clone(), item(1, "[1e39,1]")]), Refusal::NoDirection),
            (data(&[good.clone(), item(1, "[0,-0.0]")]), Refusal::NoDirection),
            (data(&[good.clone(), item(1, "[1]")]), Refusal::Dimension { found: 1, stated: 2 }),
            (data(&[good.clone(), item(1, "[]")]), Refusal::Dimension { found: 0, stated: 2 }),
            (data(&[good.clone(), good.clone()]), Refusal::Count { found: 2, wanted: 2 }),
            (data(&[good.clone(), item(2, "[1,0]")]), Refusal::Count { found: 2, wanted: 2 }),
            (data(std::slice::from_ref(&good)), Refusal::Count { found: 1, wanted: 2 }),
        ] {
            assert_eq!(of(&answer), Err(refusal), "{answer}");
        }
    }
}
