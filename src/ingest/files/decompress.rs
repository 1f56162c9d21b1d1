//! Compressed files, known by their first bytes and not by their names.
//!
//! Against bombs there is one limit, on the bytes that come out. A limit on the ratio would not help: honest JSON
//! shrinks a hundredfold when it repeats itself, gzip cannot do more than a thousand, and zstd is bounded by nothing else.
//! Memory does not depend on either, since every later stage is bounded by object; zstd's own is bounded by its window.

use std::io::{self, BufReader, Cursor, Read};

use flate2::read::MultiGzDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

/// Most bytes that a compressed file may hold, unless the caller says otherwise: 64 GiB, about twenty minutes' import.
pub const DECOMPRESSED_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;

/// The largest window of a zstd file, as a power of two: 128 MiB, what `zstd -d` takes without being asked twice.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const ZIP: &[u8] = b"PK\x03\x04";
const SNIFFED_BYTES: usize = 4;
const BUFFER_BYTES: usize = 64 * 1024;

/// Why a compressed file cannot be read; travels inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The stream ends early.
    #[error(
        "the {format} file is cut off after {bytes} decompressed bytes; get the whole file and import it again"
    )]
    CutOff {
        /// How it is compressed.
        format: &'static str,
        /// Bytes that came out.
        bytes: u64,
    },
    /// The stream is not what it says.
    #[error("the {format} file is damaged after {bytes} decompressed bytes: {detail}")]
    Damaged {
        /// How it is compressed.
        format: &'static str,
        /// Bytes that came out.
        bytes: u64,
        /// What the decompressor says.
        detail: String,
    },
    /// More comes out than is allowed.
    #[error("the file holds more than {limit} bytes when decompressed; split it")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// A format that is not read here.
    #[error("the file is compressed with {format}; decompress it first, or use gzip or zstd")]
    Unsupported {
        /// Its name.
        format: &'static str,
    },
}

impl Error {
    /// A stable name for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Error::CutOff { .. } => "compressed_cut_off",
            Error::Damaged { .. } => "compressed_damaged",
            Error::TooLarge { .. } => "decompressed_too_large",
            Error::Unsupported { .. } => "unsupported_compression",
        }
    }
}

/// The plain bytes of `reader`, which may be gzip or zstd (several members or frames too) or not compressed at all.
///
/// # Errors
/// An [`Error`] inside an [`io::Error`] if it is compressed in another way, or what `reader` fails with.
pub fn open<'a>(mut reader: impl Read + 'a, decompressed_bytes_max: u64) -> io::Result<Box<dyn Read + 'a>> {
    let mut head = Vec::with_capacity(SNIFFED_BYTES);
    reader.by_ref().take(SNIFFED_BYTES as u64).read_to_end(&mut head)?;
    if head.starts_with(ZIP) {
        return Err(io::Error::other(Error::Unsupported { format: "zip" }));
    }
    let (is_gzip, is_zstd) = (head.starts_with(GZIP), head.starts_with(ZSTD));
    let whole = Cursor::new(head).chain(reader);
    let limit = decompressed_bytes_max;
    if is_gzip {
        let inner = MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, whole));
        return Ok(Box::new(Unpacked { inner, format: "gzip", bytes: 0, limit }));
    }
    if is_zstd {
        let mut inner = ZstdDecoder::with_buffer(BufReader::with_capacity(BUFFER_BYTES, whole))?;
        inner.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
        return Ok(Box::new(Unpacked { inner, format: "zstd", bytes: 0, limit }));
    }
    Ok(Box::new(whole))
}

/// A decompressor whose output is counted, and whose errors say where they came.
struct Unpacked<R> {
    inner: R,
    format: &'static str,
    bytes: u64,
    limit: u64,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer).map_err(|error| self.explain(error))?;
        self.bytes += n as u64;
        if self.bytes > self.limit {
            return Err(io::Error::other(Error::TooLarge { limit: self.limit }));
        }
        Ok(n)
    }
}

impl<R> Unpacked<R> {
    fn explain(&self, error: io::Error) -> io::Error {
        let (format, bytes) = (self.format, self.bytes);
        match error.kind() {
            io::ErrorKind::Interrupted => error,
            io::ErrorKind::UnexpectedEof => io::Error::other(Error::CutOff { format, bytes }),
            // zstd has no kind of its own for what is damaged.
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::Other => {
                let detail = error.to_string();
                io::Error::other(Error::Damaged { format, bytes, detail })
            }
            _ => error,
        }
    }
}

#[cfg(test)]
mod tests;
