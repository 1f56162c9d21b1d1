use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).expect("memory takes it");
    gzip.finish().expect("memory takes it")
}

/// All bytes, or the first error with what came before it.
fn read(bytes: &[u8], limit: u64) -> Result<Vec<u8>, (Vec<u8>, Error)> {
    let mut out = Vec::new();
    let end = open(bytes, limit).and_then(|mut reader| reader.read_to_end(&mut out));
    match end {
        Ok(_) => Ok(out),
        Err(error) => Err((out, error.downcast().expect("one of ours"))),
    }
}

#[test]
fn plain_bytes_pass() {
    for bytes in [&b""[..], b"{", b"{}", b"{\"a\":1}", b"\x1f", b"\x28\xb5"] {
        assert_eq!(read(bytes, 1).expect("plain"), bytes);
    }
}

#[test]
fn members_of_a_gzip_file_are_joined() {
    let both = [gzip(b"one "), gzip(b"two")].concat();
    assert_eq!(read(&both, 100).expect("gzip"), b"one two");
}

#[test]
fn a_gzip_file_that_is_cut_off_says_so() {
    let text = (0..20_000).map(|i| i.to_string()).collect::<String>();
    let whole = gzip(text.as_bytes());
    for end in [3, 10, whole.len() / 2, whole.len() - 1] {
        let (before, error) = read(&whole[..end], u64::MAX).expect_err("it is cut off");
        assert_eq!(error.code(), "gzip_cut_off", "{end}: {error}");
        assert!(text.as_bytes().starts_with(&before));
    }
}

#[test]
fn a_damaged_gzip_file_says_so() {
    let mut bytes = gzip("some text, some more text".repeat(50).as_bytes());
    let checksum = bytes.len() - 6;
    bytes[checksum] ^= 0xFF;
    let (_, error) = read(&bytes, u64::MAX).expect_err("its checksum is wrong");
    assert_eq!(error.code(), "gzip_damaged");
    let (_, error) = read(b"\x1f\x8b\x07garbage and more", u64::MAX).expect_err("no such method");
    assert_eq!(error.code(), "gzip_damaged");
}

#[test]
fn a_bomb_ends_at_the_limit() {
    let bomb = gzip(&vec![b' '; 50_000_000]);
    assert!(bomb.len() < 60_000);
    let (before, error) = read(&bomb, 1_000_000).expect_err("it is a bomb");
    assert_eq!(error.code(), "decompressed_too_large");
    assert!(before.len() <= 1_000_000);
    assert_eq!(read(&bomb, 50_000_000).expect("just fits").len(), 50_000_000);
}

#[test]
fn other_compressions_are_named() {
    for (bytes, name) in [(&b"\x28\xb5\x2f\xfd..."[..], "zstd"), (b"PK\x03\x04...", "zip")] {
        let (_, error) = read(bytes, 1).expect_err("it is not read");
        assert!(error.to_string().contains(name));
    }
}
