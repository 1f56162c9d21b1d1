//! What a record gives to the tree: 72 bytes that stay when its body goes.

use sha2::{Digest, Sha256};

use super::tree::{Hash, leaf_hash};

/// Length of a record's header, in bytes.
pub const HEADER_BYTES: usize = 40;

/// Length of a record's salt, in bytes.
pub const SALT_BYTES: usize = 16;

/// Length of a leaf's data, in bytes: header and digest.
pub const LEAF_BYTES: usize = HEADER_BYTES + 32;

/// A record's header as stored.
pub type Header = [u8; HEADER_BYTES];

/// A record's salt as stored.
pub type Salt = [u8; SALT_BYTES];

/// The data of one leaf: a record's header, then the digest of its salt and body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf(pub [u8; LEAF_BYTES]);

impl Leaf {
    /// Joins a header and the [`digest`] of salt and body.
    pub fn new(header: &Header, digest: &Hash) -> Leaf {
        let mut data = [0; LEAF_BYTES];
        data[..HEADER_BYTES].copy_from_slice(header);
        data[HEADER_BYTES..].copy_from_slice(digest);
        Leaf(data)
    }

    /// The hash that enters the tree.
    pub fn hash(&self) -> Hash {
        leaf_hash(&self.0)
    }
}

/// Digests a record's salt and body; the salt keeps a short body from being guessed once it is erased.
pub fn digest(salt: &Salt, body: &[u8]) -> Hash {
    Sha256::new().chain_update(salt).chain_update(body).finalize().into()
}
