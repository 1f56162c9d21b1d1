//! The part of a file that is in memory: what is being looked at, and a little more.

use std::io::{self, Read};

/// Size of the first buffer, in bytes: an event fits. To clear the second for each took a fifth of the time that 500 events took.
const SMALL_BYTES: usize = 8 * 1024;
/// Size of the second; from there on it doubles while one object does not fit.
const BUFFER_BYTES: usize = 256 * 1024;

/// A reader seen through a buffer. Only the bytes since the last [`Window::mark`] stay in memory.
pub(super) struct Window<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Where the marked bytes start.
    mark: usize,
    /// The next byte to look at.
    at: usize,
    /// Where what has been read ends.
    end: usize,
    /// Offset in the file of the buffer's first byte.
    base: u64,
    /// Line breaks before `counted`, which never passes `mark`.
    breaks: u64,
    counted: usize,
}

impl<R: Read> Window<R> {
    pub(super) fn new(reader: R) -> Window<R> {
        Window {
            reader,
            buffer: vec![0; SMALL_BYTES],
            mark: 0,
            at: 0,
            end: 0,
            base: 0,
            breaks: 0,
            counted: 0,
        }
    }

    /// What has been read and not looked at. Empty does not mean the end: see [`Window::more`].
    pub(super) fn ahead(&self) -> &[u8] {
        &self.buffer[self.at..self.end]
    }

    /// The bytes from the mark to here.
    pub(super) fn marked(&self) -> &[u8] {
        &self.buffer[self.mark..self.at]
    }

    /// Offset in the file of the next byte.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Offset in the file of the mark.
    pub(super) fn mark_offset(&self) -> u64 {
        self.base + self.mark as u64
    }

    /// Lets go of everything before the next byte.
    pub(super) fn mark(&mut self) {
        self.mark = self.at;
    }

    /// The line of the mark, from 1.
    pub(super) fn mark_line(&mut self) -> u64 {
        self.breaks += line_breaks(&self.buffer[self.counted..self.mark]);
        self.counted = self.mark;
        self.breaks + 1
    }

    /// Passes over bytes that were seen [`ahead`](Window::ahead).
    pub(super) fn pass(&mut self, bytes: usize) {
        self.at += bytes;
        debug_assert!(self.at <= self.end, "only what was seen is passed");
    }

    /// The next byte, if there is one.
    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.at == self.end && !self.more()? {
            return Ok(None);
        }
        Ok(Some(self.buffer[self.at]))
    }

    /// How much memory it takes, in bytes.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.buffer.len()
    }

    /// Reads more; false at the end of the file.
    pub(super) fn more(&mut self) -> io::Result<bool> {
        if self.end == self.buffer.len() {
            self.make_room();
        }
        loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(n) => {
                    self.end += n;
                    return Ok(n > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn make_room(&mut self) {
        if self.buffer.len() < BUFFER_BYTES {
            self.buffer.resize(BUFFER_BYTES, 0);
            return;
        }
        if self.mark == 0 {
            self.buffer.resize(self.buffer.len() * 2, 0);
            return;
        }
        self.mark_line();
        self.buffer.copy_within(self.mark..self.end, 0);
        self.base += self.mark as u64;
        self.at -= self.mark;
        self.end -= self.mark;
        (self.mark, self.counted) = (0, 0);
    }
}

fn line_breaks(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
