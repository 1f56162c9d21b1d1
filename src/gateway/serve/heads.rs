//! The heads of requests (HTTP/1.1) as they come in, before the library has tidied them: it drops a length that stands
//! beside `Transfer-Encoding`, or twice, and a proxy in front of us may have gone by the one that was dropped.

/// A longer head is refused by the library.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// Whether the length of a request's body is said once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Nobody looked: the head came together with what was before it.
    Unseen = 0,
    /// It is.
    Clear = 1,
    /// It is said twice.
    Ambiguous = 2,
}

/// Gathers one head after the other.
#[derive(Default)]
pub(super) struct Heads {
    begun: Vec<u8>,
}

impl Heads {
    /// Takes the next bytes; what they say of a body's length once the head is complete.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Option<Framing> {
        if self.begun.is_empty()
            && let Some(head) = head_of(bytes)
        {
            return Some(framing(head));
        }
        let room = HEAD_BYTES_MAX.saturating_sub(self.begun.len());
        self.begun.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let found = head_of(&self.begun).map(framing)?;
        self.begun = Vec::new();
        Some(found)
    }
}

/// Everything up to the first empty line. A line may end without a carriage return, as the library has it.
fn head_of(bytes: &[u8]) -> Option<&[u8]> {
    let ends = memchr::memchr_iter(b'\n', bytes);
    ends.map(|end| end + 1)
        .find(|next| bytes[*next..].starts_with(b"\n") || bytes[*next..].starts_with(b"\r\n"))
        .map(|end| &bytes[..end])
}

fn framing(head: &[u8]) -> Framing {
    let lines = head.split(|byte| *byte == b'\n');
    let says = |line: &&[u8]| {
        [&b"content-length:"[..], b"transfer-encoding:"]
            .iter()
            .any(|name| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))
    };
    if lines.filter(says).count() > 1 { Framing::Ambiguous } else { Framing::Clear }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_said_twice_is_seen_however_the_head_is_cut() {
        let cases = [
            ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", Framing::Clear),
            (
                "POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nTransfer-Encoding: chunked\r\n\r\n",
                Framing::Clear,
            ),
            (
                "POST / HTTP/1.1\r\nContent-Length: 5\r\nTRANSFER-ENCODING: chunked\r\n\r\n",
                Framing::Ambiguous,
            ),
            ("POST / HTTP/1.1\nContent-Length: 5\ncontent-length: 5\n\nx", Framing::Ambiguous),
        ];
        for (text, framing) in cases {
            for piece in [1, 2, 7, 1000] {
                let mut heads = Heads::default();
                let found = text.as_bytes().chunks(piece).find_map(|bytes| heads.feed(bytes));
                assert_eq!(found, Some(framing), "{text:?} in pieces of {piece}");
            }
        }
    }
}
