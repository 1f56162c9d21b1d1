use proptest::prelude::*;
use storage::model::{Classification, Purposes, Role};

use super::*;

const NOON: i64 = 1_000_000;

#[test]
fn a_minted_token_lets_in_until_it_expires() {
    let minted = Token::mint([7; TOKEN_RANDOM_BYTES]);
    let spec = spec(&minted);
    let parsed = parse(minted.token.reveal()).unwrap();
    assert_eq!(parsed.id, minted.id);
    assert_eq!(verify(&parsed, &spec, NOON - 1), Ok(()));
    assert_eq!(verify(&parsed, &spec, NOON), Err(TokenProblem::Expired));
}

/// The format is on clients' disks: it never changes.
#[test]
fn the_format_is_fixed() {
    let minted = Token::mint(std::array::from_fn(|n| n as u8));
    assert_eq!(minted.token.reveal(), "ig_tok_0001020304_05060708090a0b0c0d0e0f101112131415161718_a1812ddb");
}

#[test]
fn a_wrong_secret_or_a_wrong_id_is_unknown_even_when_expired() {
    let minted = Token::mint([7; TOKEN_RANDOM_BYTES]);
    let mut random = [7; TOKEN_RANDOM_BYTES];
    random[TOKEN_RANDOM_BYTES - 1] = 8;
    let forged = parse(Token::mint(random).token.reveal()).unwrap();
    assert_eq!(forged.id, minted.id);
    assert_eq!(verify(&forged, &spec(&minted), NOON + 1), Err(TokenProblem::Unknown));

    let genuine = parse(minted.token.reveal()).unwrap();
    let other = TokenSpec { id: "ffffffffff".to_owned(), ..spec(&minted) };
    assert_eq!(verify(&genuine, &other, 0), Err(TokenProblem::Unknown));
}

#[test]
fn what_is_no_token_is_malformed() {
    let token = Token::mint([7; TOKEN_RANDOM_BYTES]).token;
    let cut = &token.reveal()[..TEXT_BYTES - 1];
    let shifted = token.reveal().replacen("07_07", "_0707", 1);
    let long = "x".repeat(1 << 20);
    for text in ["", "ig_tok_", cut, &shifted, &long, &"é".repeat(TEXT_BYTES / 2), &"_".repeat(TEXT_BYTES)] {
        assert_eq!(parse(text).err(), Some(TokenProblem::Malformed), "{text:.80}");
    }
}

#[test]
fn nothing_passes_for_something_else() {
    let uses = [Use::Token, Use::Link, Use::Session];
    for made in uses {
        let minted = Token::mint_for(made, "0001020304".to_owned(), [7; SECRET_BYTES]);
        for wanted in uses {
            let parsed = parse_as(wanted, minted.token.reveal());
            assert_eq!(parsed.is_ok(), made == wanted, "{made:?} as {wanted:?}");
        }
    }
}

#[test]
fn no_secret_is_printed() {
    let minted = Token::mint([0xab; TOKEN_RANDOM_BYTES]);
    let parsed = parse(minted.token.reveal()).unwrap();
    let printed = format!("{:?} {:?} {minted:?} {parsed:?}", minted.token, Some(&minted.token));
    assert!(!printed.contains(&"ab".repeat(SECRET_BYTES)), "{printed}");
    assert!(printed.starts_with("Token(hidden)"), "{printed}");
}

proptest! {
    #[test]
    fn one_changed_character_anywhere_is_refused(
        random in any::<[u8; TOKEN_RANDOM_BYTES]>(),
        changed in any::<char>(),
    ) {
        let token = Token::mint(random).token;
        for at in 0..TEXT_BYTES {
            for wrong in [changed, '0', 'f', 'F', '_'] {
                let text: String = token.reveal().chars().enumerate()
                    .map(|(n, right)| if n == at { wrong } else { right }).collect();
                prop_assert!(text == token.reveal() || parse(&text).is_err(), "{}", text);
            }
        }
    }
}

fn spec(minted: &Minted) -> TokenSpec {
    TokenSpec {
        id: minted.id.clone(),
        secret_sha256: minted.secret_sha256,
        role: Role::Reader,
        clearance: Classification::Public,
        purposes: Purposes::ALL,
        scopes: Vec::new(),
        expires_at_us: NOON,
    }
}
