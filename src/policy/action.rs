//! What can be asked of the node, by the names that policies use.

use std::fmt;

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
    /// See where data come from and go to.
    LineageRead,
    /// Have the numbers of an embedding (not: be found by it).
    EmbeddingRead,
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
}

impl Action {
    /// Every action, in order.
    pub const ALL: &'static [Action] = &[
        Action::EntitySearch,
        Action::EntityRead,
        Action::RelationRead,
        Action::LedgerRead,
        Action::LineageRead,
        Action::EmbeddingRead,
        Action::EntityWrite,
        Action::SourceWrite,
        Action::ImportRun,
        Action::TokenManage,
        Action::PolicyManage,
        Action::NodeManage,
        Action::LedgerExport,
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
            Action::EmbeddingRead => "embedding.read",
            Action::EntityWrite => "entity.write",
            Action::SourceWrite => "source.write",
            Action::ImportRun => "import.run",
            Action::TokenManage => "token.manage",
            Action::PolicyManage => "policy.manage",
            Action::NodeManage => "node.manage",
            Action::LedgerExport => "ledger.export",
        }
    }

    /// Whether it is decided on labels; the others are decided on the tenant.
    #[must_use]
    pub fn is_read(self) -> bool {
        self <= Action::EmbeddingRead
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
