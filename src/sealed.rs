//! What the node hands out and takes back, and nobody else can read or make: places in lists, which hold numbers that
//! would tell how much there is that the reader does not see.
//!
//! A synthetic-IV seal over SHA-256: the tag is a keyed digest of purpose and content, the content is masked with a
//! keyed digest of the tag. Equal contents have equal seals.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const TAG_BYTES: usize = 12;
/// What one digest masks.
const CONTENT_BYTES_MAX: usize = 32;

/// Seals some bytes, at most 32, for one purpose.
pub(crate) fn seal(secret: &[u8; 32], purpose: &str, content: &[u8]) -> String {
    assert!(content.len() <= CONTENT_BYTES_MAX, "a sealed place is short");
    let tag = tag(secret, purpose, content);
    let masked = masked(secret, &tag, content);
    tag.iter().chain(&masked).map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that were sealed for this purpose; `None` for anything else.
pub(crate) fn open(secret: &[u8; 32], purpose: &str, sealed: &str) -> Option<Vec<u8>> {
    let bytes = from_hex(sealed)?;
    let (given, masked_content) = bytes.split_first_chunk::<TAG_BYTES>()?;
    if masked_content.len() > CONTENT_BYTES_MAX {
        return None;
    }
    let content = masked(secret, given, masked_content);
    let genuine = tag(secret, purpose, &content).ct_eq(given);
    bool::from(genuine).then_some(content)
}

fn tag(secret: &[u8; 32], purpose: &str, content: &[u8]) -> [u8; TAG_BYTES] {
    let digest = Sha256::new()
        .chain_update(secret)
        .chain_update("tag")
        .chain_update(Sha256::digest(purpose))
        .chain_update(content)
        .finalize();
    let mut tag = [0; TAG_BYTES];
    tag.copy_from_slice(&digest[..TAG_BYTES]);
    tag
}

fn masked(secret: &[u8; 32], tag: &[u8; TAG_BYTES], content: &[u8]) -> Vec<u8> {
    let mask = Sha256::new().chain_update(secret).chain_update("mask").chain_update(tag).finalize();
    content.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || digits.len() > 2 * (TAG_BYTES + CONTENT_BYTES_MAX) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, _) = digits.as_chunks::<2>();
    pairs.iter().map(|&[high, low]| Some((digit(high)? * 16 + digit(low)?) as u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sealed_for_a_purpose_opens_for_it() {
        let secret = [7; 32];
        for content in [&b""[..], b"x", &[0; 32]] {
            let sealed = seal(&secret, "here", content);
            assert_eq!(open(&secret, "here", &sealed).as_deref(), Some(content));
            assert_eq!(open(&secret, "there", &sealed), None);
            assert_eq!(open(&[8; 32], "here", &sealed), None);
            for at in 0..sealed.len() {
                let mut forged = sealed.clone().into_bytes();
                forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
                let forged = String::from_utf8(forged).expect("ASCII");
                assert_eq!(open(&secret, "here", &forged), None, "{forged}");
            }
        }
        for broken in ["", "0", "zz", "é", "00", &"0".repeat(1000)] {
            assert_eq!(open(&secret, "here", broken), None);
        }
        assert!(!seal(&secret, "here", b"\0\0\0\0").ends_with("00000000"), "the content is not to be read");
    }
}
