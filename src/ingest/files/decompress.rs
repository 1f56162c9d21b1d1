//! Compressed files, known by their first bytes and not by their names.
//!
//! Against bombs there is one limit, on the bytes that come out. A limit on the ratio would not help: honest JSON
//! shrinks a hundredfold when it repeats itself, and gzip cannot do more than a thousand. Memory does not depend on
//! either, since every later stage is bounded by object.

use std::io::{self, BufReader, Cursor, Read};

use flate2::read::MultiGzDecoder;

/// Most bytes that a compressed file may hold, unless the caller says otherwise: 64 GiB, about twenty minutes' import.
pub const DECOMPRESSED_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;

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
        "the gzip file is cut off after {bytes} decompressed bytes; get the whole file and import it again"
    )]
    CutOff {
        /// Bytes that came out.
        bytes: u64,
    },
    /// The stream is not what it says.
    #[error("the gzip file is damaged after {bytes} decompressed bytes: {detail}")]
    Damaged {
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
    #[error("the file is compressed with {format}; decompress it first, or use gzip")]
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
            Error::CutOff { .. } => "gzip_cut_off",
            Error::Damaged { .. } => "gzip_damaged",
            Error::TooLarge { .. } => "decompressed_too_large",
            Error::Unsupported { .. } => "unsupported_compression",
        }
    }
}

/// The plain bytes of `reader`, which may be gzip (several members too) or not compressed at all.
///
/// # Errors
/// An [`Error`] inside an [`io::Error`] if it is compressed in another way, or what `reader` fails with.
pub fn open<'a>(mut reader: impl Read + 'a, decompressed_bytes_max: u64) -> io::Result<Box<dyn Read + 'a>> {
    let mut head = Vec::with_capacity(SNIFFED_BYTES);
    reader.by_ref().take(SNIFFED_BYTES as u64).read_to_end(&mut head)?;
    let gzip = head.starts_with(GZIP);
    refuse_others(&head)?;
    let whole = Cursor::new(head).chain(reader);
    if !gzip {
        return Ok(Box::new(whole));
    }
    Ok(Box::new(Gunzip {
        inner: MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, whole)),
        bytes: 0,
        limit: decompressed_bytes_max,
    }))
}

fn refuse_others(head: &[u8]) -> io::Result<()> {
    let format = match head {
        _ if head.starts_with(ZSTD) => "zstd",
        _ if head.starts_with(ZIP) => "zip",
        _ => return Ok(()),
    };
    Err(io::Error::other(Error::Unsupported { format }))
}

struct Gunzip<R> {
    inner: MultiGzDecoder<BufReader<R>>,
    bytes: u64,
    limit: u64,
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer).map_err(|error| self.explain(error))?;
        self.bytes += n as u64;
        if self.bytes > self.limit {
            return Err(io::Error::other(Error::TooLarge { limit: self.limit }));
        }
        Ok(n)
    }
}

impl<R> Gunzip<R> {
    fn explain(&self, error: io::Error) -> io::Error {
        let bytes = self.bytes;
        match error.kind() {
            io::ErrorKind::Interrupted => error,
            io::ErrorKind::UnexpectedEof => io::Error::other(Error::CutOff { bytes }),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                let detail = error.to_string();
                io::Error::other(Error::Damaged { bytes, detail })
            }
            _ => error,
        }
    }
}

#[cfg(test)]
mod tests;
