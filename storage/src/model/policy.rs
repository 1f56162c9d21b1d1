//! A tenant's policy as it is kept: a text. What it says is for the shell to decide.

use prost::Message;

use crate::error::{Error, Result};

/// Longest text of a policy, in bytes.
pub const POLICY_BYTES_MAX: usize = 256 * 1024;

/// A policy as it was set.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PolicySet {
    /// The text.
    #[prost(string, tag = "1")]
    pub text: String,
    /// The version that it replaced: the position of that one's record; 0 if none was set before.
    #[prost(uint64, tag = "2")]
    pub replaces: u64,
    /// The dangers that whoever set it was told of and wanted all the same.
    #[prost(string, repeated, tag = "3")]
    pub confirmed: Vec<String>,
}

impl PolicySet {
    /// Checks the length.
    ///
    /// # Errors
    /// `Invalid` with the limit.
    pub fn validate(&self) -> Result<()> {
        let bytes = self.text.len();
        if bytes <= POLICY_BYTES_MAX {
            return Ok(());
        }
        Err(Error::invalid("policy of bytes", &bytes.to_string(), format!("at most {POLICY_BYTES_MAX}")))
    }

    /// Reads the body of the record of a policy.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are not one.
    pub fn from_body(bytes: &[u8]) -> Result<PolicySet> {
        super::decode(bytes, "policy")
    }
}
