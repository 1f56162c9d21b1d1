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
        assert_eq!(error.code(), "compressed_cut_off", "{end}: {error}");
        assert!(text.as_bytes().starts_with(&before));
    }
}

#[test]
fn a_damaged_gzip_file_says_so() {
    let mut bytes = gzip("some text, some more text".repeat(50).as_bytes());
    let checksum = bytes.len() - 6;
    bytes[checksum] ^= 0xFF;
    let (_, error) = read(&bytes, u64::MAX).expect_err("its checksum is wrong");
    assert_eq!(error.code(), "compressed_damaged");
    let (_, error) = read(b"\x1f\x8b\x07garbage and more", u64::MAX).expect_err("no such method");
    assert_eq!(error.code(), "compressed_damaged");
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
    let (_, error) = read(b"PK\x03\x04...", 1).expect_err("it is not read");
    assert!(error.to_string().contains("zip"), "{error}");
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 3).expect("memory takes it")
}

#[test]
fn zstd_is_read_frame_by_frame_and_told_where_it_breaks() {
    let both = [zstd(b"one "), zstd(b"two")].concat();
    assert_eq!(read(&both, 100).expect("zstd"), b"one two");
    let text = (0..20_000).map(|i| i.to_string()).collect::<String>();
    let whole = zstd(text.as_bytes());
    for end in [5, whole.len() / 2, whole.len() - 1] {
        let (before, error) = read(&whole[..end], u64::MAX).expect_err("it is cut off");
        assert_eq!(error.code(), "compressed_cut_off", "{end}: {error}");
        assert!(text.as_bytes().starts_with(&before));
    }
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 40].fill(0xaa);
    let (_, error) = read(&damaged, u64::MAX).expect_err("it is damaged");
    assert_eq!(error.code(), "compressed_damaged", "{error}");
}

#[test]
fn a_zstd_bomb_ends_at_the_limit_and_has_no_larger_window() {
    let bomb = zstd(&vec![b' '; 50_000_000]);
    assert!(bomb.len() < 10_000, "{}", bomb.len());
    let (before, error) = read(&bomb, 1_000_000).expect_err("it is a bomb");
    assert_eq!(error.code(), "decompressed_too_large");
    assert!(before.len() <= 1_000_000);
    // A frame that asks for a window of a gibibyte, and says nothing of how much it holds.
    let (_, error) = read(b"\x28\xb5\x2f\xfd\x00\xa0\x01\x00\x00", u64::MAX).expect_err("too much memory");
    assert_eq!(error.code(), "compressed_damaged", "{error}");
}
