//! The persisted operations: the only documents that the gateway runs.
//!
//! An operation is asked for by its id, `name:vN`, or by the SHA-256 of its document. Nothing that a
//! client sends is ever parsed as GraphQL, so no document can be made to hurt.

use std::collections::HashMap;
use std::sync::LazyLock;

use async_graphql::Request;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
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
    "relations" "runs" "search" "sources" "suggest" "tokenAllow" "tokenCreate" "tokenDeny" "tokenLink" "tokenList" "tokenRevoke"
}

/// Documents by id, and by `sha256:<hex>`. Constants of the program, parsed once and run on every request.
static BY_NAME: LazyLock<HashMap<String, ExecutableDocument>> = LazyLock::new(|| {
    let parsed = |operation: &Operation| {
        parse_query(operation.document).unwrap_or_else(|error| panic!("{}: {error}", operation.id))
    };
    let ids = ALL.iter().map(|operation| (operation.id.to_owned(), parsed(operation)));
    ids.chain(ALL.iter().map(|operation| (operation.digest(), parsed(operation)))).collect()
});

/// A request that runs the operation of an id or a digest.
#[must_use]
pub fn request(name: &str) -> Option<Request> {
    let document = BY_NAME.get(name)?;
    let mut request = Request::new("");
    request.set_parsed_query(document.clone());
    Some(request)
}

impl Operation {
    /// `sha256:` and the digest of the document in hex.
    #[must_use]
    pub fn digest(&self) -> String {
        let digest = Sha256::digest(self.document);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hex}")
    }
}
