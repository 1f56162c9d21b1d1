//! Splits a file into its top-level JSON objects, in one pass and in bounded memory.
//!
//! Nothing is parsed here beyond what it takes to find where an object ends; so an object that is broken inside costs
//! that object only, and the parser sees one small piece at a time.

mod bundle;
mod nesting;
mod window;

use std::io::{self, Read};

use storage::model::RECORD_BYTES_MAX;

use self::bundle::Bundle;
use self::window::Window;
use super::fatal::Fatal;
use super::reject::{Reject, VALUE_CHARS_MAX};

/// How the objects of a file are held together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One object a line; empty lines are ignored.
    Lines,
    /// The elements of `objects` in a STIX bundle.
    Bundle,
}

/// One object as it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Its text, at most [`RECORD_BYTES_MAX`] bytes. Whether it is JSON is not known yet.
    pub text: &'a str,
    /// The line on which it starts, from 1.
    pub line: u64,
    /// Where it starts, in bytes.
    pub offset: u64,
}

/// What comes next in a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// An object.
    Object(Piece<'a>),
    /// Something that is left out; the file goes on.
    Rejected(Reject),
}

/// The objects of a file, one after the other. Each is lent until the next is asked for.
pub struct Objects<R> {
    window: Window<R>,
    bundle: Option<Bundle>,
    started: bool,
}

/// Like [`Found`], but the bytes are those between the window's mark and where it looks.
enum Step {
    Object,
    Rejected(Reject),
    End,
}

impl<R: Read> Objects<R> {
    /// Splits what `reader` holds; it may hand out any number of bytes at a time.
    pub fn new(reader: R, shape: Shape) -> Objects<R> {
        Objects {
            window: Window::new(reader),
            bundle: (shape == Shape::Bundle).then(Bundle::default),
            started: false,
        }
    }

    /// The next object or reject, or none at the end.
    ///
    /// # Errors
    /// What makes the rest unreadable. Everything returned before it stands.
    #[allow(clippy::should_implement_trait, reason = "an iterator cannot lend from its own buffer")]
    pub fn next(&mut self) -> Result<Option<Found<'_>>, Fatal> {
        if !self.started {
            self.skip_byte_order_mark()?;
            self.started = true;
        }
        self.window.mark();
        let step = match &mut self.bundle {
            Some(bundle) => bundle.step(&mut self.window)?,
            None => next_line(&mut self.window)?,
        };
        Ok(match step {
            Step::Object => Some(self.piece()),
            Step::Rejected(reject) => Some(Found::Rejected(reject)),
            Step::End => None,
        })
    }

    /// How many bytes were read so far.
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    fn piece(&mut self) -> Found<'_> {
        let line = self.window.mark_line();
        let offset = self.window.mark_offset();
        match std::str::from_utf8(self.window.marked()) {
            Ok(text) => Found::Object(Piece { text, line, offset }),
            Err(error) => {
                Found::Rejected(not_utf8(self.window.marked(), error.valid_up_to(), offset).at(line))
            }
        }
    }

    fn skip_byte_order_mark(&mut self) -> io::Result<()> {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        while self.window.ahead().len() < MARK.len() && self.window.more()? {}
        if self.window.ahead().starts_with(MARK) {
            self.window.pass(MARK.len());
        }
        Ok(())
    }
}

/// Takes the next line that is not empty. The line break before it is passed over first.
fn next_line<R: Read>(window: &mut Window<R>) -> Result<Step, Fatal> {
    loop {
        let taken = take(window, |bytes| memchr::memchr(b'\n', bytes))?;
        if let Some(shown) = &taken.too_large {
            return Ok(Step::Rejected(too_large("line", &taken, shown)));
        }
        if !window.marked().trim_ascii().is_empty() {
            return Ok(Step::Object);
        }
        if !taken.ended {
            return Ok(Step::End);
        }
        window.pass(1);
        window.mark();
    }
}

/// What [`take`] passed over: the marked bytes, unless they are too large.
struct Taken {
    line: u64,
    bytes: u64,
    /// Whether its end was seen, and not only the end of the file.
    ended: bool,
    /// Its first bytes, if it is over the limit and therefore not in memory.
    too_large: Option<Vec<u8>>,
}

/// Passes over bytes from the mark on until `end` says how many of a chunk still belong, keeping at most
/// [`RECORD_BYTES_MAX`] of them in memory.
fn take<R: Read>(
    window: &mut Window<R>,
    mut end: impl FnMut(&[u8]) -> Option<usize>,
) -> Result<Taken, Fatal> {
    let (line, offset) = (window.mark_line(), window.mark_offset());
    let mut too_large = None;
    let ended = loop {
        let ahead = window.ahead();
        let (bytes, ended) = end(ahead).map_or((ahead.len(), false), |bytes| (bytes, true));
        window.pass(bytes);
        if too_large.is_none() && window.marked().len() > RECORD_BYTES_MAX {
            too_large = Some(window.marked()[..VALUE_CHARS_MAX].to_vec());
        }
        if too_large.is_some() {
            window.mark();
        }
        if ended || !window.more()? {
            break ended;
        }
    };
    Ok(Taken { line, bytes: window.offset() - offset, ended, too_large })
}

fn too_large(what: &str, taken: &Taken, shown: &[u8]) -> Reject {
    let reason = format!("{what} of {} bytes, at most {RECORD_BYTES_MAX}", taken.bytes);
    Reject::new("record_too_large", reason, &String::from_utf8_lossy(shown)).at(taken.line)
}

/// Shows the text around the first byte that is not UTF-8.
fn not_utf8(bytes: &[u8], valid: usize, offset: u64) -> Reject {
    const BEFORE: usize = 60;
    let reason = format!("not UTF-8 at offset {}", offset + valid as u64);
    let shown = &bytes[valid.saturating_sub(BEFORE)..bytes.len().min(valid + VALUE_CHARS_MAX)];
    Reject::new("not_utf8", reason, &String::from_utf8_lossy(shown))
}

#[cfg(test)]
mod tests;
