//! How a person comes in without a token in hand: with a browser, by a link that is good once and then by the session
//! that it opened; or by the word of an outside issuer.

use prost::Message;

use crate::error::Result;

/// A session that nobody used for so long is over: 12 hours, in microseconds.
pub const SESSION_IDLE_US_MAX: i64 = 12 * 3_600_000_000;
/// A session is over after so long, used or not: 7 days, in microseconds.
pub const SESSION_US_MAX: i64 = 7 * 24 * 3_600_000_000;
/// Sessions of a token at a time; one more, and the one that was not used for longest gives way.
pub const SESSIONS_MAX: usize = 16;
/// Unused links of a token at a time; one more, and the oldest gives way.
pub const LINKS_MAX: usize = 8;

/// A link was made: who has its code comes in as the holder of a token, once.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct LinkMade {
    /// The public id of the token.
    #[prost(string, tag = "1")]
    pub token: String,
    /// SHA-256 of the code.
    #[prost(bytes = "vec", tag = "2")]
    pub code_sha256: Vec<u8>,
    /// When it ends, microseconds since 1970.
    #[prost(sint64, tag = "3")]
    pub expires_us: i64,
}

/// Somebody signed in as the holder of a token.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SignedIn {
    /// The public id of the token.
    #[prost(string, tag = "1")]
    pub token: String,
    /// SHA-256 of the secret of the session.
    #[prost(bytes = "vec", tag = "2")]
    pub session_sha256: Vec<u8>,
    /// SHA-256 of the code of the link; none if the token itself was shown.
    #[prost(bytes = "vec", optional, tag = "3")]
    pub code_sha256: Option<Vec<u8>>,
    /// When the session ends at the latest, microseconds since 1970.
    #[prost(sint64, tag = "4")]
    pub ends_us: i64,
}

/// A session was ended by its holder.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SignedOut {
    /// The public id of the token.
    #[prost(string, tag = "1")]
    pub token: String,
    /// SHA-256 of the secret of the session.
    #[prost(bytes = "vec", tag = "2")]
    pub session_sha256: Vec<u8>,
}

/// What an outside issuer gives a name: a person or program, or a token.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Message)]
pub struct Subject {
    /// The issuer.
    #[prost(string, tag = "1")]
    pub issuer: String,
    /// The name, unique with this issuer.
    #[prost(string, tag = "2")]
    pub name: String,
}

macro_rules! from_body {
    ($($body:ident $what:literal)+) => {
        $(impl $body {
            /// Reads the body of the record that says so.
            ///
            /// # Errors
            /// `Corrupt` if the bytes are not one.
            pub fn from_body(bytes: &[u8]) -> Result<$body> {
                super::decode(bytes, $what)
            }
        })+
    };
}
from_body!(LinkMade "link" SignedIn "session" SignedOut "end of a session" Subject "subject");
