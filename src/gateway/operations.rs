//! The persisted operations: the only documents that the gateway runs.
//!
//! An operation is asked for by its id, `name:vN`, or by the SHA-256 of its document. Nothing that a
//! client sends is ever parsed as GraphQL, so no document can be made to hurt.

use std::collections::HashMap;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// A document that may be run.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The id, `name:vN`.
    pub id: &'static str,
    /// The GraphQL document.
    pub document: &'static str,
}

macro_rules! operations {
    ($($name:literal)+) => {
        /// Every persisted operation, by id.
        pub const ALL: &[Operation] = &[$(Operation {
            id: concat!($name, ":v1"),
            document: include_str!(concat!("../../sdks/operations/", $name, ".v1.graphql")),
        },)+];
    };
}

operations! {
    "entity" "entityDelete" "entityHistory" "entityRestore" "ledgerCheckpoint" "ledgerReceipt" "node" "paths"
    "relations" "runs" "search" "sources" "suggest" "tokenCreate" "tokenList" "tokenRevoke"
}

/// By id, and by `sha256:<hex>` of the document. Constants of the program, looked up on every request.
static BY_NAME: LazyLock<HashMap<String, &'static Operation>> = LazyLock::new(|| {
    let ids = ALL.iter().map(|operation| (operation.id.to_owned(), operation));
    ids.chain(ALL.iter().map(|operation| (operation.digest(), operation))).collect()
});

impl Operation {
    /// The operation of an id or a digest.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Operation> {
        BY_NAME.get(name).copied()
    }

    /// `sha256:` and the digest of the document in hex.
    #[must_use]
    pub fn digest(&self) -> String {
        let digest = Sha256::digest(self.document);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hex}")
    }
}
