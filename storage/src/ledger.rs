//! The ledger: a Merkle tree over each tenant's records, whose signed root vouches for all of them.
//!
//! Everything here is arithmetic on bytes that somebody else keeps: no clock, no randomness, no table. Only [`tiles`]
//! touches files, and only those of an export. All formats are public ones, so that a reader needs none of our code to
//! check us: RFC 6962 (proofs as in RFC 9162) for the tree, and C2SP signed-note, tlog-checkpoint, tlog-tiles and
//! tlog-proof for what leaves the node.
//!
//! # The bytes
//!
//! *Leaf.* A record is a header (40 bytes, no names in it), a salt (16 bytes) and a body. Its leaf data is 72 bytes:
//!
//! ```text
//! digest    = SHA-256(salt || body)
//! leaf data = header (40) || digest (32)
//! leaf hash = SHA-256(0x00 || leaf data)
//! node hash = SHA-256(0x01 || left || right)
//! ```
//!
//! Header and digest stay for ever; salt and body may go. So an erased record still proves its place, and without its
//! salt the digest says nothing about what the body was.
//!
//! *Stored hashes.* A tile holds 256 hashes. Hash `i` of tile level `l` is the root over leaves `i * 256^l` up to
//! `(i + 1) * 256^l`. Level 0 (the leaf hashes) is not stored: it is recomputed from the log. Levels from 1 up are
//! stored, one hash for each full subtree, as [`Frontier::push`] reports it: 0.4 % of one hash a record. What is not
//! yet full is the [`Frontier`], kept with the tenant's head.
//!
//! *Checkpoint.* A signed note of three lines: origin, size in decimal, root in base64. The origin,
//! `intelgraph/<node>/<tenant>/<epoch>`, is the name of the key as well, so a signature for one tenant or epoch is
//! none for another.
//!
//! *Receipt.* A `.tlog-proof` file: what opens the leaf, the path to the root, the checkpoint. See [`receipt`].
//!
//! *Export.* A directory in the tlog-tiles layout with `checkpoint` and `vkey` beside it. See [`tiles`].

pub mod leaf;
pub mod note;
pub mod proof;
pub mod receipt;
pub mod tiles;
pub mod tree;

mod error;

pub use error::{Error, Result};
pub use leaf::{HEADER_BYTES, Header, LEAF_BYTES, Leaf, SALT_BYTES, Salt};
pub use note::{Checkpoint, Signer, Vkey};
pub use proof::Hashes;
pub use receipt::{Contents, Receipt};
pub use tiles::Report;
pub use tree::{Coord, EMPTY_ROOT, Frontier, Hash};
