//! The label: everything that policy may ask about a thing.

use prost::Message;

use crate::error::Result;

/// Declares an enum whose variants have one spelling outside and one number on disk.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $code:literal $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant = $code,)+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The spelling used everywhere outside.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }

            /// The number used on disk.
            #[must_use]
            pub fn code(self) -> u8 {
                self as u8
            }

            /// The value of a number on disk.
            ///
            /// # Errors
            /// `Corrupt` if no value has that number.
            pub fn from_code(code: u32) -> $crate::Result<Self> {
                Self::ALL.iter().copied().find(|value| u32::from(value.code()) == code).ok_or_else(|| $crate::Error::Corrupt {
                    what: $what,
                    detail: format!("code {code}"),
                })
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::Error;

            fn from_str(text: &str) -> $crate::Result<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    $crate::Error::invalid(concat!("unknown ", $what), text, format!("one of {}", known.join(", ")))
                })
            }
        }
    };
}
pub(crate) use vocabulary;

vocabulary!(
    /// How far a thing may travel, from `Public` to `Secret`.
    Classification, "classification" {
        /// Anybody.
        Public = 1 "public",
        /// Anybody inside.
        Internal = 2 "internal",
        /// Those who need it.
        Confidential = 3 "confidential",
        /// Few.
        Restricted = 4 "restricted",
        /// Fewest; what reaches the store without a classification.
        Secret = 5 "secret",
    }
);

vocabulary!(
    /// What the licence of a source allows.
    Licence, "licence" {
        /// Free use.
        MitOk = 1 "MIT-OK",
        /// Open data.
        OpenDataOk = 2 "Open-Data-OK",
        /// Terms of service restrict use.
        RestrictedTos = 3 "Restricted-TOS",
        /// A client's property.
        ProprietaryClient = 4 "Proprietary-Client",
        /// Readable by nobody without an explicit permit.
        Embargoed = 5 "Embargoed",
    }
);

vocabulary!(
    /// How long a thing is kept after it was last said.
    Retention, "retention" {
        /// Seven days.
        Ephemeral7d = 1 "ephemeral-7d",
        /// Thirty days; personal data always.
        Short30d = 2 "short-30d",
        /// A year: the default.
        Standard365d = 3 "standard-365d",
        /// Five years.
        Long1825d = 4 "long-1825d",
        /// Until the hold is lifted.
        LegalHold = 5 "legal-hold",
    }
);

vocabulary!(
    /// What data may be used for.
    Purpose, "purpose" {
        /// Investigating a case.
        Investigation = 0 "investigation",
        /// Threat intelligence.
        ThreatIntel = 1 "threat-intel",
        /// Fraud and risk.
        FraudRisk = 2 "fraud-risk",
        /// Trust and safety.
        TrustAndSafety = 3 "t&s",
        /// Benchmarking.
        Benchmarking = 4 "benchmarking",
        /// Training models.
        Training = 5 "training",
        /// Showing the product.
        Demo = 6 "demo",
    }
);

vocabulary!(
    /// The kind of thing a label is on.
    LabelKind, "label kind" {
        /// An entity's claims.
        Entity = 1 "entity",
        /// A relation's claims.
        Relation = 2 "relation",
        /// A text that has a label of its own.
        Text = 3 "text",
        /// A dataset of the lineage graph.
        Dataset = 4 "dataset",
        /// A process of the lineage graph.
        Process = 5 "process",
        /// A run of a process.
        Run = 6 "run",
    }
);

impl Retention {
    /// So many days after it was last said a thing of this tier is over; `None`: never.
    #[must_use]
    pub fn days(self) -> Option<u32> {
        match self {
            Retention::Ephemeral7d => Some(7),
            Retention::Short30d => Some(30),
            Retention::Standard365d => Some(365),
            Retention::Long1825d => Some(1825),
            Retention::LegalHold => None,
        }
    }
}

/// A set of purposes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Purposes(u8);

impl Purposes {
    /// Every purpose there is.
    pub const ALL: Purposes = Purposes(0b0111_1111);

    /// Whether the set holds `purpose`.
    #[must_use]
    pub fn contains(self, purpose: Purpose) -> bool {
        self.0 & (1 << purpose.code()) != 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The purposes in the set, in order.
    pub fn iter(self) -> impl Iterator<Item = Purpose> {
        Purpose::ALL.iter().copied().filter(move |purpose| self.contains(*purpose))
    }

    /// The set as stored: bit n is the purpose with code n.
    #[must_use]
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The set of stored bits; unknown bits are dropped.
    #[must_use]
    pub fn from_bits(bits: u8) -> Purposes {
        Purposes(bits & Purposes::ALL.0)
    }
}

impl FromIterator<Purpose> for Purposes {
    fn from_iter<I: IntoIterator<Item = Purpose>>(purposes: I) -> Purposes {
        Purposes(purposes.into_iter().fold(0, |bits, purpose| bits | 1 << purpose.code()))
    }
}

/// Everything that policy may ask about a thing. Distinct labels of a tenant are few and interned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label {
    /// What kind of thing it is on.
    pub kind: LabelKind,
    /// The entity's type, or the relation's kind.
    pub thing_type: String,
    /// How far the thing may travel.
    pub classification: Classification,
    /// What the licence allows.
    pub licence: Licence,
    /// What it may be used for.
    pub purposes: Purposes,
    /// How long it is kept.
    pub retention: Retention,
    /// Whether it is personal data.
    pub personal: bool,
    /// The name of the source that said it.
    pub source: String,
    /// Compartments that a reader must be in; sorted. A private thing has its owner here.
    pub compartments: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct LabelBody {
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(string, tag = "2")]
    thing_type: String,
    #[prost(uint32, tag = "3")]
    classification: u32,
    #[prost(uint32, tag = "4")]
    licence: u32,
    #[prost(uint32, tag = "5")]
    purposes: u32,
    #[prost(uint32, tag = "6")]
    retention: u32,
    #[prost(bool, tag = "7")]
    personal: bool,
    #[prost(string, tag = "8")]
    source: String,
    #[prost(string, repeated, tag = "9")]
    compartments: Vec<String>,
}

impl Label {
    /// The tier that holds for what stands under it: personal data is kept for thirty days at most, but for a legal hold.
    #[must_use]
    pub fn kept(&self) -> Retention {
        match self.retention {
            Retention::Standard365d | Retention::Long1825d if self.personal => Retention::Short30d,
            retention => retention,
        }
    }

    /// The label of what is open to everybody who comes for one of the purposes.
    #[must_use]
    pub fn open(purposes: Purposes) -> Label {
        Label {
            kind: LabelKind::Entity,
            thing_type: String::new(),
            classification: Classification::Public,
            licence: Licence::OpenDataOk,
            purposes,
            retention: Retention::Standard365d,
            personal: false,
            source: String::new(),
            compartments: Vec::new(),
        }
    }

    /// The stored bytes. Equal labels have equal bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        LabelBody {
            kind: self.kind.code().into(),
            thing_type: self.thing_type.clone(),
            classification: self.classification.code().into(),
            licence: self.licence.code().into(),
            purposes: self.purposes.bits().into(),
            retention: self.retention.code().into(),
            personal: self.personal,
            source: self.source.clone(),
            compartments: self.compartments.clone(),
        }
        .encode_to_vec()
    }

    /// Reads what [`Label::encode`] wrote.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are not a label.
    pub fn decode(bytes: &[u8]) -> Result<Label> {
        let body: LabelBody = super::decode(bytes, "label")?;
        Ok(Label {
            kind: LabelKind::from_code(body.kind)?,
            thing_type: body.thing_type,
            classification: Classification::from_code(body.classification)?,
            licence: Licence::from_code(body.licence)?,
            purposes: Purposes::from_bits(body.purposes as u8),
            retention: Retention::from_code(body.retention)?,
            personal: body.personal,
            source: body.source,
            compartments: body.compartments,
        })
    }
}
