use super::super::note::tests::signer;
use super::super::tree::tests::naive_root;
use super::*;

const HEADER: Header = [3; 40];

fn kept() -> Contents {
    Contents::Kept { salt: [5; 16], body: b"{\"name\":\"Fancy Bear\"}".to_vec() }
}

/// A receipt for leaf 2 of 3: its path is one hash.
fn receipt(contents: &Contents) -> String {
    let leaf = Leaf::new(&HEADER, &contents.digest()).hash();
    let others = [[1; 32], [2; 32]];
    let root = naive_root(&[others[0], others[1], leaf]);
    let checkpoint = Checkpoint { origin: signer().vkey().name().to_owned(), size: 3, root };
    let signed = signer().sign(&checkpoint).expect("its own origin");
    write(&HEADER, contents, 2, &[naive_root(&others)], &signed)
}

#[test]
fn a_kept_record_comes_back() {
    let opened = verify(&receipt(&kept()), signer().vkey()).expect("own receipt");
    assert_eq!((opened.index, opened.header, &opened.contents), (2, HEADER, &kept()));
    assert_eq!((opened.checkpoint.size, &opened.checkpoint.origin[..]), (3, signer().vkey().name()));
}

#[test]
fn an_erased_record_still_proves_its_place() {
    let erased = Contents::Erased { digest: kept().digest() };
    let opened = verify(&receipt(&erased), signer().vkey()).expect("own receipt");
    assert_eq!(opened.contents, erased);
    let before = verify(&receipt(&kept()), signer().vkey()).expect("own receipt");
    assert_eq!(opened.checkpoint, before.checkpoint, "erasing changes no root");
}

#[test]
fn any_changed_byte_is_refused() {
    for contents in [kept(), Contents::Erased { digest: [4; 32] }] {
        let text = receipt(&contents);
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let opened = String::from_utf8(bytes).map(|text| verify(&text, signer().vkey()));
            assert!(!matches!(opened, Ok(Ok(_))), "byte {at}");
        }
        for length in (0..text.len()).filter(|length| text.is_char_boundary(*length)) {
            assert!(verify(&text[..length], signer().vkey()).is_err(), "length {length}");
        }
    }
}

#[test]
fn each_malformed_receipt_says_why() {
    let text = receipt(&kept());
    let extra = text.lines().nth(1).expect("an extra line");
    let cases = [
        (text.replacen("@v1", "@v2", 1), "first line"),
        (text.replacen(&format!("{extra}\n"), "", 1), "no line `extra`"),
        (text.replacen(extra, "extra AgMD", 1), "wrong length"),
        (text.replacen(extra, "extra ", 1), "wrong length"),
        (text.replacen(extra, &format!("extra {}", BASE64_STANDARD.encode([2; 73])), 1), "begins with 2"),
        (text.replacen("index 2", "index 02", 1), "not a number"),
        (text.replacen("index 2\n", "", 1), "no line `index`"),
        (text.replacen("index 2\n", "index 2\nhash\n", 1), "not a hash"),
        (text.replacen("\n\n", "\n", 2), "no empty line"),
        (text.replacen("index 2", "index 3", 1), "beyond the tree"),
        (text.replacen("index 2", "index 1", 1), "does not match"),
    ];
    for (text, why) in cases {
        let error = verify(&text, signer().vkey()).expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
    }
}
