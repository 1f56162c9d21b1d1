//! Positions and identities, each a newtype so that none is taken for another.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $int);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// Position of a record in its tenant's log: the index of its ledger leaf, plus one.
    Lsn(u64)
);
id!(
    /// Number of a durable commit of the whole node; orders replicas and backups, never shown to tenants.
    CommitNo(u64)
);
id!(
    /// A tenant. Part of every key.
    TenantId(u32)
);
id!(
    /// An entity or a relation of one tenant: its id string, interned.
    ThingId(u64)
);
id!(
    /// A distinct label of one tenant, interned. `LabelId::SYSTEM` marks records that no reader asks for.
    LabelId(u32)
);
id!(
    /// A source of one tenant.
    SourceId(u32)
);
id!(
    /// A type or relation kind of one tenant, interned.
    SymbolId(u32)
);
id!(
    /// An import run of one tenant.
    RunId(u64)
);
id!(
    /// An opaque actor: it names nobody, the token table does.
    ActorId(u64)
);
id!(
    /// Counts the lives of a node's ledger: a restore starts the next one.
    Epoch(u32)
);

impl Lsn {
    /// Before the first record: the position of an empty follower.
    pub const NONE: Lsn = Lsn(0);
    /// The first record of every tenant.
    pub const FIRST: Lsn = Lsn(1);

    /// The position after this one.
    #[must_use]
    pub fn next(self) -> Lsn {
        Lsn(self.0 + 1)
    }

    /// The zero-based index of this record's leaf in the tenant's ledger tree.
    #[must_use]
    pub fn leaf_index(self) -> u64 {
        self.0 - 1
    }
}

impl LabelId {
    /// The label of records about the node itself (tenants, labels, sources, tokens, runs).
    pub const SYSTEM: LabelId = LabelId(0);
}

impl ActorId {
    /// The node acting by itself.
    pub const NODE: ActorId = ActorId(0);
}
