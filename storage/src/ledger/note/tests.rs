use super::*;

/// The example of Go's `sumdb/note`: another implementation's key and signature.
const GO_VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\
    \n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const GO_SEED: [u8; 32] = [
    0x81, 0x0a, 0x14, 0x02, 0xd5, 0x14, 0x6c, 0x8d, 0x84, 0xf2, 0x44, 0x33, 0x30, 0xf5, 0x40, 0x80, 0xeb,
    0xf9, 0x8e, 0xe1, 0x7d, 0x9c, 0x74, 0xf6, 0x25, 0x2f, 0xc5, 0xd5, 0xc7, 0x28, 0x31, 0x73,
];

pub(in crate::ledger) fn signer() -> Signer {
    Signer::new("intelgraph/node/tenant/1", &[7; 32]).expect("a legal name")
}

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: signer().vkey().name().to_owned(), size: 20_852_163, root: [9; 32] }
}

fn key(text: &str) -> Vkey {
    text.parse().expect("a vkey")
}

#[test]
fn a_note_of_go_opens() {
    let text = open(GO_NOTE, &[key(GO_VKEY)]).expect("Go's own note");
    assert!(text.ends_with("your problem is.\n"));
    assert_eq!(key(GO_VKEY).to_string(), GO_VKEY);
    let signer = Signer::new("PeterNeumann", &GO_SEED).expect("a legal name");
    assert_eq!(signer.sign_text(text).expect("a legal text"), GO_NOTE);
}

#[test]
fn checkpoints_come_back() {
    let note = signer().sign(&checkpoint()).expect("its own origin");
    assert_eq!(Checkpoint::open(&note, signer().vkey()).expect("its own note"), checkpoint());
    assert_eq!(key(&format!("{}\n", signer().vkey())), *signer().vkey());
}

#[test]
fn any_changed_byte_is_refused() {
    let note = signer().sign(&checkpoint()).expect("its own origin");
    for at in 0..note.len() {
        let mut bytes = note.clone().into_bytes();
        bytes[at] ^= 1;
        let opened = String::from_utf8(bytes).map(|note| Checkpoint::open(&note, signer().vkey()));
        assert!(!matches!(opened, Ok(Ok(_))), "byte {at}");
    }
}

#[test]
fn signatures_of_strangers_are_passed_over() {
    let note = signer().sign(&checkpoint()).expect("its own origin");
    let stranger = Signer::new("witness.example", &[8; 32]).expect("a legal name");
    let other = stranger.sign_text(&checkpoint().text()).expect("a legal text");
    let both = format!("{note}{}\n", other.lines().last().expect("a signature"));
    Checkpoint::open(&both, signer().vkey()).expect("ours is among them");
    assert!(matches!(open(&other, &[signer().vkey().clone()]), Err(Error::BadSignature { .. })));
    assert!(matches!(open(&note, &[]), Err(Error::BadSignature { .. })));
}

#[test]
fn one_false_signature_of_a_known_key_spoils_the_note() {
    let note = signer().sign(&checkpoint()).expect("its own origin");
    let elsewhere = signer().sign_text("another text\n").expect("a legal text");
    let both = format!("{note}{}\n", elsewhere.lines().last().expect("a signature"));
    assert!(matches!(Checkpoint::open(&both, signer().vkey()), Err(Error::BadSignature { .. })));
}

#[test]
fn a_key_signs_only_for_its_own_ledger() {
    let foreign = Checkpoint { origin: "intelgraph/node/other/1".into(), ..checkpoint() };
    assert!(matches!(signer().sign(&foreign), Err(Error::Mismatch { .. })));
    let note = signer().sign_text(&foreign.text()).expect("a legal text");
    assert!(matches!(Checkpoint::open(&note, signer().vkey()), Err(Error::Mismatch { .. })));
}

#[test]
fn each_malformed_note_says_why() {
    let root = BASE64_STANDARD.encode([9; 32]);
    let cases = [
        (String::new(), "no empty line"),
        ("text\n".into(), "no empty line"),
        ("text\n\n— a b".into(), "no newline at its end"),
        ("text\n\n— a b\n".into(), "signature line"),
        ("text\n\n- a AAAAAAA=\n".into(), "signature line"),
        ("text\r\n\n— a AAAAAAA=\n".into(), "control character 0x0d"),
        (format!("text\n\n{}", "— a AAAAAAA=\n".repeat(101)), "101 signatures"),
        (" ".repeat(NOTE_BYTES_MAX + 1), "above"),
    ];
    for (note, why) in cases {
        let error = open(&note, &[]).expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
    }
    let cases = [
        (format!("o\n1\n{root}"), "no newline"),
        ("o\n1\n".into(), "2 lines"),
        (format!("\n1\n{root}\n"), "an empty line"),
        (format!("o\n01\n{root}\n"), "`01` is not a number"),
        (format!("o\n+1\n{root}\n"), "`+1` is not a number"),
        (format!("o\n9223372036854775808\n{root}\n"), "is not a number"),
        ("o\n1\nAAAA\n".into(), "is not a hash"),
        (format!("o\n1\n{root}\n\nmore\n"), "an empty line"),
    ];
    for (text, why) in cases {
        let error = Checkpoint::parse(&text).expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
    }
    Checkpoint::parse(&format!("o\n0\n{root}\nextension\n")).expect("extensions are allowed");
}

#[test]
fn each_malformed_vkey_says_why() {
    let (name, rest) = GO_VKEY.split_once('+').expect("a vkey");
    let cases = [
        ("x".to_owned(), "form"),
        (format!("Peter+{rest}"), "key id"),
        (format!("{name}+c74f20a4{}", &rest[8..]), "key id"),
        (format!("{name}+C74F20A3{}", &rest[8..]), "key id"),
        (format!("Peter Neumann+{rest}"), "space"),
        (format!("+{rest}"), "empty"),
        (format!("{name}+c74f20a3+AhpcAA=="), "type"),
        (format!("{name}+c74f20a3+AQAA"), "32 bytes"),
        (format!("{name}+c74f20a3+!"), "its key"),
    ];
    for (text, why) in cases {
        let error = text.parse::<Vkey>().expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn origins_are_key_names() {
    let name = origin("node-1.example", "tenant_a", 3).expect("a legal name");
    assert_eq!(name, "intelgraph/node-1.example/tenant_a/3");
    Signer::new(&name, &[1; 32]).expect("an origin is a key name");
    for bad in ["", "a b", "a+b", "a/b", "a\u{a0}b", "a\nb", "a\u{1f}b"] {
        assert!(origin("node", bad, 1).is_err(), "{bad:?}");
        assert!(origin(bad, "tenant", 1).is_err(), "{bad:?}");
    }
}

#[test]
fn secrets_are_not_printed() {
    assert!(!format!("{:?}", signer()).contains("7, 7"));
}
