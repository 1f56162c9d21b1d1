//! What can be asked of the node, by the names that policies use.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use storage::model::{Label, Licence};

/// Something that a principal wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Find entities by word or meaning.
    EntitySearch,
    /// See an entity's claims and texts.
    EntityRead,
    /// See a relation.
    RelationRead,
    /// See what the ledger recorded.
    LedgerRead,
    /// See that data come from and go to somewhere: the ids of the graph, without a name.
    LineageRead,
    /// See by which names, in the same graph. Decided for each name, which is left out if denied.
    LineageNames,
    /// Have the numbers of an embedding (not: be found by it).
    EmbeddingRead,
    /// Take things out of the node in a file.
    EntityExport,
    /// Add, change or delete things.
    EntityWrite,
    /// Change the terms of a source.
    SourceWrite,
    /// Bring data in, declaring a source if it is new.
    ImportRun,
    /// Make, list and revoke tokens.
    TokenManage,
    /// Set the policy.
    PolicyManage,
    /// Run the node: backup, rollout, other tenants.
    NodeManage,
    /// Take the ledger out, to be checked elsewhere.
    LedgerExport,
    /// See what was decided, of whom.
    DecisionsRead,
    /// Erase for ever what is said of a thing, or by a source, and what has come due.
    EntityRedact,
    /// Keep something from being erased.
    HoldManage,
    /// Turn on and off what is being tried out, and set what goes with it.
    FlagManage,
}

impl Action {
    /// Every action, in order.
    pub const ALL: &'static [Action] = &[
        Action::EntitySearch,
        Action::EntityRead,
        Action::RelationRead,
        Action::LedgerRead,
        Action::LineageRead,
        Action::LineageNames,
        Action::EmbeddingRead,
        Action::EntityExport,
        Action::EntityWrite,
        Action::SourceWrite,
        Action::ImportRun,
        Action::TokenManage,
        Action::PolicyManage,
        Action::NodeManage,
        Action::LedgerExport,
        Action::DecisionsRead,
        Action::EntityRedact,
        Action::HoldManage,
        Action::FlagManage,
    ];

    /// The name in policies and in the decision log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Action::EntitySearch => "entity.search",
            Action::EntityRead => "entity.read",
            Action::RelationRead => "relation.read",
            Action::LedgerRead => "ledger.read",
            Action::LineageRead => "lineage.read",
            Action::LineageNames => "lineage.names",
            Action::EmbeddingRead => "embedding.read",
            Action::EntityExport => "entity.export",
            Action::EntityWrite => "entity.write",
            Action::SourceWrite => "source.write",
            Action::ImportRun => "import.run",
            Action::TokenManage => "token.manage",
            Action::PolicyManage => "policy.manage",
            Action::NodeManage => "node.manage",
            Action::LedgerExport => "ledger.export",
            Action::DecisionsRead => "decisions.read",
            Action::EntityRedact => "entity.redact",
            Action::HoldManage => "hold.manage",
            Action::FlagManage => "flag.manage",
        }
    }

    /// Whether it is decided on labels; the others are decided on the tenant.
    #[must_use]
    pub fn is_read(self) -> bool {
        self <= Action::EntityExport
    }

    /// A label as the policy is asked about it for this action. An embedding is another thing than what it was made of: its
    /// licence is `Restricted-TOS`, unless its source's is `Open-Data-OK`.
    #[must_use]
    pub fn sees(self, label: &Label) -> Cow<'_, Label> {
        if self != Action::EmbeddingRead || label.licence == Licence::OpenDataOk {
            return Cow::Borrowed(label);
        }
        Cow::Owned(Label { licence: Licence::RestrictedTos, ..label.clone() })
    }
}

impl FromStr for Action {
    type Err = storage::Error;

    fn from_str(text: &str) -> storage::Result<Action> {
        let found = Action::ALL.iter().copied().find(|action| action.as_str() == text);
        found.ok_or_else(|| {
            let known: Vec<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
            storage::Error::invalid("unknown action", text, format!("one of {}", known.join(", ")))
        })
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
