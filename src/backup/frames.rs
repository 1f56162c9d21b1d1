//! What a backup travels as: frames, each of a kind byte, the length of what follows (4 bytes, big-endian), and that.

use std::collections::BTreeMap;
use std::io::Read;

use bytes::{Buf, BytesMut};
use serde::{Deserialize, Serialize};
use storage::{Error, Result};

use super::{Root, damaged};

/// A frame is never longer: a block and the largest record behind it fit in.
const FRAME_BYTES_MAX: usize = 32 << 20;
const HEAD_BYTES: usize = 5;
/// Fast, and a third of the size.
const COMPRESSION: i32 = 3;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// What the backup is ([`Head`], JSON). The first.
    Head = b'H',
    /// A block of rows: its length (4 bytes), and the block compressed.
    Rows = b'R',
    /// A piece of a file: the length of its path (2 bytes), the path, and the piece compressed as above. Pieces of one path
    /// follow each other.
    File = b'F',
    /// What was given ([`End`], JSON). The last.
    End = b'E',
    /// Why there is no more ([`Failed`], JSON). The last of what is no backup.
    Failed = b'X',
}

/// What a backup is, told before it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Head {
    /// The format of the frames.
    pub(super) format: u32,
    /// The format of the rows.
    pub(super) data_format: u32,
    pub(super) node: String,
    pub(super) epoch: u32,
    pub(super) commit: u64,
    /// The commit since which it holds the changes; everything if there is none.
    pub(super) since: Option<u64>,
    /// Why it holds everything, where only changes were asked for.
    pub(super) why_full: Option<String>,
    /// Whether it holds every list of rejects, since something was erased.
    #[serde(default)]
    pub(super) lists_anew: bool,
    pub(super) taken_at: String,
}

/// What was given, told behind it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct End {
    /// Bytes of the blocks.
    pub(super) row_bytes: u64,
    pub(super) roots: BTreeMap<String, Root>,
    /// SHA-256 of all frames before this one, hex.
    pub(super) sha256: String,
}

/// Why the node could not go on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Failed {
    code: String,
    message: String,
}

impl Failed {
    pub(super) fn of(error: &Error) -> Failed {
        Failed { code: error.code().to_owned(), message: error.to_string() }
    }

    /// The failure as the client has it.
    pub(super) fn into_error(self) -> Error {
        match self.code.as_str() {
            "corrupt" => Error::Corrupt { what: "store", detail: self.message },
            "store_stopped" => Error::Poisoned { cause: self.message },
            _ => Error::BrokeOff(self.message),
        }
    }
}

/// A frame.
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) payload: Vec<u8>,
}

/// A piece of a file.
pub(super) struct Piece {
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
}

impl Frame {
    pub(super) fn json(kind: Kind, value: &impl Serialize) -> Frame {
        Frame { kind, payload: serde_json::to_vec(value).expect("plain data is written as JSON") }
    }

    pub(super) fn rows(block: &[u8]) -> Result<Frame> {
        Ok(Frame { kind: Kind::Rows, payload: compressed(Vec::new(), block)? })
    }

    pub(super) fn file(path: &str, piece: &[u8]) -> Result<Frame> {
        let length = u16::try_from(path.len()).expect("paths of ours are short");
        let mut payload = length.to_be_bytes().to_vec();
        payload.extend_from_slice(path.as_bytes());
        Ok(Frame { kind: Kind::File, payload: compressed(payload, piece)? })
    }

    /// The frame's bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).expect("frames are limited far below 4 GiB");
        let mut bytes = Vec::with_capacity(HEAD_BYTES + self.payload.len());
        bytes.push(self.kind as u8);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// Takes the first frame off a buffer; `None` if it is not all there yet.
    pub(super) fn take(buffer: &mut BytesMut) -> Result<Option<Frame>> {
        let Some(head) = buffer.first_chunk::<HEAD_BYTES>() else {
            return Ok(None);
        };
        let (kind, length) = head_of(head)?;
        if buffer.len() < HEAD_BYTES + length {
            return Ok(None);
        }
        buffer.advance(HEAD_BYTES);
        Ok(Some(Frame { kind, payload: buffer.split_to(length).to_vec() }))
    }

    /// Reads the next frame of a file; `None` at its end.
    pub(super) fn read(from: &mut impl Read) -> Result<Option<Frame>> {
        let mut head = [0; HEAD_BYTES];
        if !fill(from, &mut head)? {
            return Ok(None);
        }
        let (kind, length) = head_of(&head)?;
        let mut payload = vec![0; length];
        if !fill(from, &mut payload)? && length > 0 {
            return Err(damaged("a frame is cut short"));
        }
        Ok(Some(Frame { kind, payload }))
    }

    pub(super) fn parsed<T: for<'d> Deserialize<'d>>(&self) -> Result<T> {
        serde_json::from_slice(&self.payload).map_err(|error| damaged(error.to_string()))
    }

    /// The block of rows in it.
    pub(super) fn block(&self) -> Result<Vec<u8>> {
        decompressed(&self.payload)
    }

    /// The piece of a file in it.
    pub(super) fn piece(&self) -> Result<Piece> {
        let cut_short = || damaged("a piece of a file is cut short");
        let (length, rest) = self.payload.split_first_chunk().ok_or_else(cut_short)?;
        let (path, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into()).ok_or_else(cut_short)?;
        let path = String::from_utf8(path.to_vec()).map_err(|error| damaged(error.to_string()))?;
        Ok(Piece { path, bytes: decompressed(rest)? })
    }
}

fn head_of(head: &[u8; HEAD_BYTES]) -> Result<(Kind, usize)> {
    let kinds = [Kind::Head, Kind::Rows, Kind::File, Kind::End, Kind::Failed];
    let kind = kinds.into_iter().find(|kind| *kind as u8 == head[0]);
    let kind = kind.ok_or_else(|| damaged(format!("a frame of kind {}", head[0])))?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    if length > FRAME_BYTES_MAX {
        return Err(damaged(format!("a frame of {length} bytes, at most {FRAME_BYTES_MAX}")));
    }
    Ok((kind, length))
}

/// Fills a buffer; false if there was nothing at all.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> Result<bool> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) if filled == 0 => return Ok(false),
            Ok(0) => return Err(damaged("a frame is cut short")),
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::Io(error.to_string())),
        }
    }
    Ok(true)
}

/// Appends the length of some bytes, and these compressed.
fn compressed(mut to: Vec<u8>, bytes: &[u8]) -> Result<Vec<u8>> {
    let length = u32::try_from(bytes.len()).expect("blocks and pieces are limited far below 4 GiB");
    to.extend_from_slice(&length.to_be_bytes());
    let small = zstd::bulk::compress(bytes, COMPRESSION);
    to.extend(small.map_err(|error| Error::Io(format!("compressing: {error}")))?);
    Ok(to)
}

fn decompressed(bytes: &[u8]) -> Result<Vec<u8>> {
    let (length, small) = bytes.split_first_chunk().ok_or_else(|| damaged("a frame is cut short"))?;
    let length = u32::from_be_bytes(*length) as usize;
    if length > FRAME_BYTES_MAX {
        return Err(damaged(format!("a block of {length} bytes, at most {FRAME_BYTES_MAX}")));
    }
    let whole = zstd::bulk::decompress(small, length).map_err(|error| damaged(error.to_string()))?;
    if whole.len() == length { Ok(whole) } else { Err(damaged("a block of another length than it says")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stopped_the_node_is_told_as_it_told_it() {
        let why = Error::BrokeOff("the store grew; do this when less is written".to_owned());
        assert_eq!(Failed::of(&why).into_error(), why);
        let full =
            Error::io(std::path::Path::new("/data"), &std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert_eq!((full.code(), Failed::of(&full).into_error().to_string()), ("no_space", full.to_string()));
    }

    #[test]
    fn frames_come_back_however_they_are_cut() {
        let frames = [
            Frame::rows(&vec![7; 100_000]).unwrap(),
            Frame::file("keys/ledger.key", b"secret").unwrap(),
            Frame { kind: Kind::End, payload: Vec::new() },
        ];
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
        let (mut buffer, mut back) = (BytesMut::new(), Vec::new());
        for piece in bytes.chunks(7) {
            buffer.extend_from_slice(piece);
            while let Some(frame) = Frame::take(&mut buffer).unwrap() {
                back.push(frame);
            }
        }
        assert_eq!(back.len(), 3);
        assert_eq!(back[0].block().unwrap(), vec![7; 100_000]);
        let piece = back[1].piece().unwrap();
        assert_eq!((piece.path.as_str(), piece.bytes.as_slice()), ("keys/ledger.key", &b"secret"[..]));
        assert!(buffer.is_empty());
        let mut reader = &bytes[..bytes.len() - 1];
        assert!(Frame::read(&mut reader).unwrap().is_some());
        assert!(Frame::read(&mut reader).unwrap().is_some());
        assert!(Frame::read(&mut reader).is_err(), "a frame that is cut short is no end");
    }

    #[test]
    fn bytes_that_are_no_frame_are_refused() {
        for bytes in [&b"Z\0\0\0\0"[..], b"R\xff\xff\xff\xff"] {
            assert!(Frame::take(&mut BytesMut::from(bytes)).is_err());
        }
        for payload in [&b""[..], b"\0", b"\0\0\0\x05nonsense", b"\xff\xff\xff\xff"] {
            let frame = Frame { kind: Kind::Rows, payload: payload.to_vec() };
            assert!(frame.block().is_err() && frame.piece().is_err());
        }
    }
}
