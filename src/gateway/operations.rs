//! The persisted operations: what every client may run.
//!
//! An operation is asked for by its id, `name:vN`, or by the SHA-256 of its document, and found before anything is parsed.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_graphql::Variables;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::graphql::{Asks, DECLARED};

/// An operation is answered by then, unless it says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Long enough for a search that waits for its index to be opened, or to reach a record.
const SEARCH_TIMEOUT: Duration = Duration::from_secs(40);

/// A search by words and meaning is answered by then, or not at all.
const HYBRID_TIMEOUT: Duration = Duration::from_millis(450);

/// Long enough to go through everything that is kept.
const PURGE_TIMEOUT: Duration = Duration::from_secs(600);

/// Long enough for a drawing of twenty thousand things.
const GRAPH_TIMEOUT: Duration = Duration::from_secs(30);

/// A document that may be run.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The id, `name:vN`.
    pub id: &'static str,
    /// The GraphQL document.
    pub document: &'static str,
    /// An answer comes by then, or the request has failed.
    pub timeout: Duration,
    /// What to use instead, if it is on its way out.
    pub deprecated: Option<&'static str>,
}

/// An operation with what its document says of it.
#[derive(Debug)]
pub struct Persisted {
    /// The operation.
    pub operation: Operation,
    /// Its document, parsed.
    pub(crate) document: ExecutableDocument,
    /// Whether it changes anything.
    pub mutation: bool,
    /// What it uses that is on its way out, itself included, and what to use instead.
    pub(crate) deprecated: Vec<String>,
    asks: Asks,
}

macro_rules! operations {
    ($($name:literal v $version:literal $(in $timeout:expr)? $(, use $instead:literal)?;)+) => {
        /// Every persisted operation, by id.
        pub const ALL: &[Operation] = &[$(Operation {
            id: concat!($name, ":v", $version),
            document: include_str!(concat!("../../sdks/operations/", $name, ".v", $version, ".graphql")),
            timeout: first(&[$($timeout,)? TIMEOUT]),
            deprecated: operations!(@instead $($instead)?),
        },)+];
    };
    (@instead) => { None };
    (@instead $instead:literal) => { Some($instead) };
}

operations! {
    "decisions" v 1, use "decisions:v2";
    "decisions" v 2;
    "doctor" v 1;
    "entity" v 1;
    "entity" v 2;
    "entityDelete" v 1;
    "entityEmbeddings" v 1;
    "entityHistory" v 1;
    "entityRestore" v 1;
    "flagPilots" v 1;
    "flagSet" v 1;
    "flagStop" v 1;
    "flags" v 1;
    "graph" v 1 in GRAPH_TIMEOUT;
    "graphAdd" v 1 in GRAPH_TIMEOUT;
    "graphArrange" v 1 in GRAPH_TIMEOUT;
    "graphBetween" v 1;
    "graphDelete" v 1;
    "graphExpand" v 1 in GRAPH_TIMEOUT;
    "graphNeighbours" v 1 in GRAPH_TIMEOUT;
    "graphSave" v 1 in GRAPH_TIMEOUT;
    "graphShow" v 1 in GRAPH_TIMEOUT;
    "graphs" v 1;
    "holdAdd" v 1;
    "holdRemove" v 1;
    "holds" v 1;
    "ledgerCheckpoint" v 1;
    "ledgerReceipt" v 1;
    "node" v 1;
    "paths" v 1;
    "paths" v 2;
    "policy" v 1;
    "policyExplain" v 1, use "policyExplain:v2";
    "policyExplain" v 2;
    "policyHistory" v 1;
    "policySet" v 1;
    "policySimulate" v 1;
    "purge" v 1 in PURGE_TIMEOUT;
    "redact" v 1;
    "redaction" v 1;
    "redactionLift" v 1;
    "relationKinds" v 1;
    "relations" v 1, use "relations:v2";
    "relations" v 2;
    "relations" v 3;
    "runs" v 1, use "runs:v2";
    "runs" v 2;
    "search" v 1 in SEARCH_TIMEOUT, use "search:v2";
    "search" v 2 in SEARCH_TIMEOUT;
    "search" v 3 in SEARCH_TIMEOUT;
    "search" v 4 in SEARCH_TIMEOUT;
    "searchHybrid" v 1 in HYBRID_TIMEOUT;
    "similar" v 1 in HYBRID_TIMEOUT;
    "sources" v 1;
    "suggest" v 1 in SEARCH_TIMEOUT;
    "tokenAllow" v 1;
    "tokenCreate" v 1;
    "tokenDenials" v 1;
    "tokenDeny" v 1;
    "tokenLink" v 1;
    "tokenList" v 1;
    "tokenRevoke" v 1;
}

const fn first(timeouts: &[Duration]) -> Duration {
    timeouts[0]
}

/// Operations by id and by the hex of their digest. Constants of the program, parsed once.
static BY_NAME: LazyLock<HashMap<String, Arc<Persisted>>> = LazyLock::new(|| {
    let named = ALL.iter().flat_map(|operation| {
        let persisted = Arc::new(Persisted::of(*operation));
        [(operation.id.to_owned(), Arc::clone(&persisted)), (operation.digest_hex(), persisted)]
    });
    named.collect()
});

/// The operation of an id or a digest: `name:vN`, also behind `x-ig:`, or 64 hex digits, also behind `sha256:`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Arc<Persisted>> {
    let bare = ["x-ig:", "sha256:", "sha256-"].iter().find_map(|prefix| name.strip_prefix(prefix));
    BY_NAME.get(bare.unwrap_or(name))
}

/// Every operation as clients in other languages read it: `sdks/operations/manifest.json`.
///
/// A query may be sent with GET, a mutation takes an `Idempotency-Key`; `flags` are those of the tenant that turn on part of it.
#[must_use]
pub fn manifest() -> Value {
    let operations = ALL.iter().filter_map(|operation| find(operation.id)).map(|persisted| {
        let Persisted { operation, mutation, asks, deprecated, .. } = &**persisted;
        json!({
            "id": operation.id,
            "documentId": operation.digest(),
            "hash": format!("sha256-{}", operation.digest_hex()),
            "kind": if *mutation { "mutation" } else { "query" },
            "abac": asks.actions,
            "flags": asks.flags,
            "timeoutMs": operation.timeout.as_millis() as u64,
            "cost": asks.values,
            "deprecated": deprecated,
            "document": operation.document,
        })
    });
    json!({"format": 1, "operations": operations.collect::<Vec<_>>()})
}

impl Operation {
    /// `sha256:` and the digest of the document in hex.
    #[must_use]
    pub fn digest(&self) -> String {
        format!("sha256:{}", self.digest_hex())
    }

    fn digest_hex(&self) -> String {
        Sha256::digest(self.document).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Persisted {
    fn of(operation: Operation) -> Persisted {
        let document =
            parse_query(operation.document).unwrap_or_else(|error| panic!("{}: {error}", operation.id));
        let definition = only(&document);
        let asks = Asks::of(&DECLARED, &document, definition, &Variables::default());
        let itself = operation.deprecated.map(|instead| format!("{}: use {instead}", operation.id));
        Persisted {
            mutation: definition.ty == OperationType::Mutation,
            deprecated: itself.into_iter().chain(asks.deprecated.iter().cloned()).collect(),
            operation,
            document,
            asks,
        }
    }

    /// The operation in the document.
    pub(crate) fn definition(&self) -> &OperationDefinition {
        only(&self.document)
    }
}

fn only(document: &ExecutableDocument) -> &OperationDefinition {
    let (_, definition) = document.operations.iter().next().expect("a persisted document has an operation");
    &definition.node
}
