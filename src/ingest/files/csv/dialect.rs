//! How a CSV file is written: looked up in its first bytes, unless the mapping says it.

use serde::Serialize;

use super::rows::{Found, Rows};

const DELIMITERS: [u8; 4] = *b",;\t|";
/// Rows that a delimiter is tried on.
const ROWS_TRIED: usize = 200;
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Between two cells.
    pub delimiter: u8,
    /// Around a cell that holds a delimiter or a line break; doubled, itself.
    pub quote: u8,
    /// Whether it begins with a byte order mark, which is no part of the first cell.
    pub has_mark: bool,
    /// Whether lines end with a carriage return alone.
    pub ends_with_cr: bool,
}

/// The same, for people and programs.
#[derive(Clone, Debug, Serialize)]
pub struct Written {
    /// Between two cells.
    pub delimiter: char,
    /// Around a cell.
    pub quote: char,
    /// Whether there is a byte order mark.
    pub byte_order_mark: bool,
    /// How lines end: `lf`, `crlf` or `cr`.
    pub line_end: &'static str,
}

impl Dialect {
    /// What the first bytes of a file look like.
    pub(super) fn detect(sample: &[u8], delimiter: Option<u8>, quote: Option<u8>) -> Dialect {
        let has_mark = sample.starts_with(MARK);
        let text = sample.strip_prefix(MARK).unwrap_or(sample);
        let ends_with_cr = !text.contains(&b'\n') && text.contains(&b'\r');
        let plain = Dialect { delimiter: b',', quote: b'"', has_mark, ends_with_cr };
        let quote = quote.unwrap_or_else(|| if is_quoted_with(text, b'\'') { b'\'' } else { b'"' });
        let tried = |delimiter: u8| Dialect { delimiter, quote, ..plain };
        let best = || {
            let scored = DELIMITERS.map(|delimiter| (score(text, tried(delimiter)), delimiter));
            // The first of equals wins, so from the back.
            let best = scored.into_iter().rev().max_by_key(|(score, _)| *score);
            best.filter(|(score, _)| *score > (0, 0)).map_or(b',', |(_, delimiter)| delimiter)
        };
        tried(delimiter.unwrap_or_else(best))
    }

    /// How it is told.
    pub(super) fn written(self, sample: &[u8]) -> Written {
        let crlf = sample.windows(2).take(1 << 16).any(|pair| pair == b"\r\n");
        Written {
            delimiter: self.delimiter.into(),
            quote: self.quote.into(),
            byte_order_mark: self.has_mark,
            line_end: if self.ends_with_cr {
                "cr"
            } else if crlf {
                "crlf"
            } else {
                "lf"
            },
        }
    }
}

/// How well a dialect fits: the permille of rows that have the most frequent number of cells, and that number. One
/// cell a row fits anything, and says nothing.
fn score(text: &[u8], dialect: Dialect) -> (usize, usize) {
    let mut rows = Rows::new(text, dialect);
    let mut widths = Vec::new();
    while let Ok(Some(found)) = rows.next() {
        if let Found::Row(row) = found {
            widths.push(row.len());
        }
        if widths.len() == ROWS_TRIED {
            break;
        }
    }
    widths.sort_unstable();
    let runs = widths.chunk_by(|a, b| a == b);
    let best = runs.max_by_key(|run| run.len()).filter(|run| run[0] > 1);
    best.map_or((0, 0), |run| (run.len() * 1000 / widths.len(), run[0]))
}

/// Whether cells stand in this quote, and none in a double one.
fn is_quoted_with(text: &[u8], quote: u8) -> bool {
    let edge =
        |byte: Option<&u8>| byte.is_none_or(|byte| DELIMITERS.contains(byte) || b"\r\n".contains(byte));
    let opens = |quote: u8| {
        text.iter().enumerate().filter(move |(at, byte)| {
            **byte == quote && edge(at.checked_sub(1).and_then(|before| text.get(before)))
        })
    };
    let closes = |at: usize| {
        let rest = &text[at + 1..];
        memchr::memchr(quote, rest).is_some_and(|end| edge(rest.get(end + 1)))
    };
    let single = opens(quote).take(ROWS_TRIED).filter(|(at, _)| closes(*at)).count();
    single > 1 && opens(b'"').next().is_none()
}
