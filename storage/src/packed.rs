//! Keys in order, each as what differs from the one before it; lengths are varints.

use prost::{decode_length_delimiter, encode_length_delimiter};

use crate::error::{Error, Result};

/// Appends a key; `last` is the one before it, and this one afterwards.
pub(crate) fn push_key(out: &mut Vec<u8>, last: &mut Vec<u8>, key: &[u8]) {
    let shared = last.iter().zip(key).take_while(|(a, b)| a == b).count();
    push_length(out, shared);
    push_bytes(out, &key[shared..]);
    last.truncate(shared);
    last.extend_from_slice(&key[shared..]);
}

/// Reads the next key into `last`, which is the one before it.
pub(crate) fn take_key(bytes: &mut &[u8], last: &mut Vec<u8>) -> Result<()> {
    let shared = take_length(bytes)?;
    if shared > last.len() {
        return Err(damaged("a key shares more than there is"));
    }
    let rest = take_bytes(bytes)?;
    last.truncate(shared);
    last.extend_from_slice(rest);
    Ok(())
}

/// Appends bytes behind their length.
pub(crate) fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    push_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Reads bytes behind their length.
pub(crate) fn take_bytes<'b>(bytes: &mut &'b [u8]) -> Result<&'b [u8]> {
    let length = take_length(bytes)?;
    bytes.split_off(..length).ok_or_else(|| damaged("cut short"))
}

pub(crate) fn push_length(out: &mut Vec<u8>, length: usize) {
    encode_length_delimiter(length, out).expect("a vector grows as far as it must");
}

pub(crate) fn take_length(bytes: &mut &[u8]) -> Result<usize> {
    decode_length_delimiter(bytes).map_err(|_| damaged("no length"))
}

fn damaged(how: &str) -> Error {
    Error::Corrupt { what: "packed keys", detail: how.to_owned() }
}
