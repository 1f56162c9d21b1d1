//! Where a JSON value ends, found without understanding it.

use memchr::{memchr2, memchr3};

/// Follows a value over any number of chunks.
///
/// An object ends where its braces balance; square brackets are not counted, so that one that is missing spoils its own
/// object and not the rest of the file. Bytes in strings count for nothing.
pub(super) struct Nesting {
    depth: usize,
    opens: [u8; 2],
    closes: [u8; 2],
    string: InString,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum InString {
    No,
    Yes,
    Escaped,
}

impl Nesting {
    /// To follow an object from its opening brace.
    pub(super) fn object() -> Nesting {
        Nesting::of([b'{'; 2], [b'}'; 2])
    }

    /// To follow an object or a list from its opening bracket; both kinds are counted.
    pub(super) fn any() -> Nesting {
        Nesting::of(*b"{[", *b"}]")
    }

    /// To follow a string from its opening quote.
    pub(super) fn string() -> Nesting {
        Nesting::object()
    }

    fn of(opens: [u8; 2], closes: [u8; 2]) -> Nesting {
        Nesting { depth: 0, opens, closes, string: InString::No }
    }

    /// Looks at the next chunk: how many of its bytes belong to the value if it ends in it.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            at += match self.string {
                InString::No => self.outside(&bytes[at..])?,
                InString::Yes => self.inside(&bytes[at..])?,
                InString::Escaped => {
                    self.string = InString::Yes;
                    1
                }
            };
            if self.depth == 0 && self.string == InString::No {
                return Some(at);
            }
        }
        None
    }

    /// Goes to the next byte that matters outside strings.
    fn outside(&mut self, bytes: &[u8]) -> Option<usize> {
        let at = self.next_outside(bytes)?;
        let byte = bytes[at];
        if byte == b'"' {
            self.string = InString::Yes;
        } else if self.opens.contains(&byte) {
            self.depth += 1;
        } else {
            self.depth = self.depth.saturating_sub(1);
        }
        Some(at + 1)
    }

    fn next_outside(&self, bytes: &[u8]) -> Option<usize> {
        if self.opens[0] == self.opens[1] {
            return memchr3(b'"', self.opens[0], self.closes[0], bytes);
        }
        let matters = |byte: &u8| *byte == b'"' || self.opens.contains(byte) || self.closes.contains(byte);
        bytes.iter().position(matters)
    }

    /// Goes to the end of the string, or past its next backslash.
    fn inside(&mut self, bytes: &[u8]) -> Option<usize> {
        let at = memchr2(b'"', b'\\', bytes)?;
        self.string = if bytes[at] == b'"' { InString::No } else { InString::Escaped };
        Some(at + 1)
    }
}
