//! The anchor: the last signed checkpoint of every tenant, in a file outside the database.
//!
//! A database file put back from an older copy is consistent in itself. Only something outside it can
//! tell, and the anchor is that: the store must contain every tree that the anchor has seen.

mod redactions;

pub use redactions::{Anchored, anchored};

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ed25519_dalek::SigningKey;
use sha2::{Digest, Sha256};

use crate::commands::Remember;
use crate::directory::replace_file;
use crate::error::{Error, Result};
use crate::ids::{CommitNo, Lsn, TenantId};
use crate::ledger::note::{self, Checkpoint, Signer};
use crate::ledger::receipt::{self, Contents};
use crate::ledger::{self, Hash, proof};
use crate::record::{Content, Record};
use crate::view::View;

/// The anchor file, and the key that signs it.
pub struct Anchor {
    path: PathBuf,
    seed: [u8; 32],
    /// The last commit that was written: several threads write, and none goes back.
    written: Mutex<CommitNo>,
}

/// A signed checkpoint.
#[derive(Clone, Debug)]
pub struct Signed {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The signed note.
    pub note: String,
    /// The key to check it with.
    pub vkey: String,
}

/// A receipt (C2SP tlog-proof) and the checkpoint that it leads to.
#[derive(Clone, Debug)]
pub struct SignedReceipt {
    /// The receipt as a file.
    pub text: String,
    /// The checkpoint in it.
    pub signed: Signed,
}

impl Anchor {
    /// An anchor at a path, signed with an Ed25519 seed.
    #[must_use]
    pub fn new(path: PathBuf, seed: [u8; 32]) -> Anchor {
        Anchor { path, seed, written: Mutex::default() }
    }

    /// Whether there is a file.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Whether this is the seed that it signs with.
    #[must_use]
    pub fn is_signed_with(&self, seed: &[u8; 32]) -> bool {
        self.seed == *seed
    }

    /// The signer of a tenant's ledger: a key is named after its origin.
    ///
    /// # Errors
    /// `Corrupt` if the origin cannot name a key; see [`View::node`].
    pub fn signer(&self, view: &View, tenant: TenantId) -> Result<Signer> {
        Ok(Signer::new(&view.origin(tenant)?, &self.seed)?)
    }

    /// The signed checkpoint of a tenant's ledger as the view shows it.
    ///
    /// # Errors
    /// See [`Anchor::signer`].
    pub fn checkpoint(&self, view: &View, tenant: TenantId) -> Result<String> {
        let head = view.head(tenant)?;
        let frontier = crate::ledger::Frontier::decode(&head.frontier)?;
        let checkpoint =
            Checkpoint { origin: view.origin(tenant)?, size: frontier.size(), root: frontier.root() };
        Ok(self.signer(view, tenant)?.sign(&checkpoint)?)
    }

    /// The ledger of a tenant as the view shows it, signed, with the key to check it.
    ///
    /// # Errors
    /// See [`Anchor::signer`].
    pub fn signed(&self, view: &View, tenant: TenantId) -> Result<Signed> {
        let note = self.checkpoint(view, tenant)?;
        let signer = self.signer(view, tenant)?;
        let checkpoint = Checkpoint::open(&note, signer.vkey())?;
        Ok(Signed { checkpoint, note, vkey: signer.vkey().to_string() })
    }

    /// The receipt of a record: what opens its leaf, the path to the root, and the signed root.
    ///
    /// # Errors
    /// See [`Anchor::signer`].
    pub fn receipt(&self, view: &View, tenant: TenantId, record: &Record) -> Result<SignedReceipt> {
        let signed = self.signed(view, tenant)?;
        let index = record.lsn.leaf_index();
        let path = proof::inclusion(&view.ledger(tenant), signed.checkpoint.size, index)?;
        let contents = match &record.content {
            Content::Held { salt, body } => Contents::Kept { salt: *salt, body: body.clone() },
            Content::Erased { digest } => Contents::Erased { digest: *digest },
        };
        let text = receipt::write(&record.header, &contents, index, &path, &signed.note);
        Ok(SignedReceipt { text, signed })
    }

    /// Writes the checkpoints and the redactions of all tenants; durable on return.
    ///
    /// # Errors
    /// `Io` if the file cannot be written; see [`Anchor::signer`].
    pub fn write(&self, view: &View) -> Result<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let commit = CommitNo(view.node()?.commit);
        if commit < *written {
            return Ok(());
        }
        let mut notes = Vec::new();
        for (tenant, _) in view.tenants()? {
            notes.push(self.checkpoint(view, tenant)?);
            notes.extend(redactions::notes(view, tenant, &self.seed)?);
        }
        // An empty file would look like one that was cut short.
        if notes.is_empty() {
            return Ok(());
        }
        replace_file(&self.path, notes.join(SEPARATOR).as_bytes())?;
        *written = commit;
        Ok(())
    }

    /// The trees that the anchor has seen.
    ///
    /// # Errors
    /// `Io` if there is no file, `Corrupt` if it is damaged or not signed by this key.
    pub fn seen(&self) -> Result<Vec<Checkpoint>> {
        let text = self.text()?;
        text.split(SEPARATOR).filter(|note| !redactions::is_note(note)).map(|note| self.open(note)).collect()
    }

    /// The redactions that the anchor has seen.
    ///
    /// # Errors
    /// See [`Anchor::seen`].
    pub fn redactions(&self) -> Result<Vec<Anchored>> {
        anchored(&self.text()?, &self.seed)
    }

    fn text(&self) -> Result<String> {
        let bytes = fs::read(&self.path).map_err(|error| Error::io(&self.path, &error))?;
        String::from_utf8(bytes).map_err(|error| self.damaged(&error.to_string()))
    }

    /// The trees that a file says it has seen, whoever signed it: what can be told before the key is at hand.
    ///
    /// # Errors
    /// `Invalid` if it cannot be read, or is no anchor.
    pub fn claimed(path: &Path) -> Result<Vec<Checkpoint>> {
        let not_one = |how: &str| {
            let limit = format!(
                "{how}; name the file `anchor` of the lost node's data directory, or say --no-anchor if it is gone"
            );
            Error::invalid("not an anchor", &path.display().to_string(), limit)
        };
        let text = fs::read_to_string(path).map_err(|error| not_one(&error.to_string()))?;
        text.split(SEPARATOR)
            .filter(|note| !redactions::is_note(note))
            .map(|note| Checkpoint::parse(note::text(note)?))
            .collect::<ledger::Result<_>>()
            .map_err(|error| not_one(&error.to_string()))
    }

    /// What the store does not remember yet of the key, and of the file once it is there.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn unremembered(&self, view: &View) -> Result<Option<Remember>> {
        let node = view.node()?;
        let (key_sha256, anchored) = (self.key_sha256(), node.anchored || self.exists());
        let is_known = node.key_sha256 == key_sha256 && node.anchored == anchored;
        Ok((!is_known).then_some(Remember { key_sha256, anchored }))
    }

    /// Checks that the key is the one that the store remembers, if it remembers one.
    ///
    /// # Errors
    /// `Corrupt` if it is another; see [`View::node`].
    pub fn check_key(&self, view: &View) -> Result<()> {
        let known = view.node()?.key_sha256;
        if known.is_empty() || known == self.key_sha256() {
            return Ok(());
        }
        let detail = format!(
            "the key in `{}` is another than the ledgers are signed with; put the node's own back, or restore a backup",
            self.path.with_file_name("keys").display()
        );
        Err(Error::Corrupt { what: "signing key", detail })
    }

    fn key_sha256(&self) -> Hash {
        Sha256::digest(SigningKey::from_bytes(&self.seed).verifying_key()).into()
    }

    /// Checks that the key is that of the store, and that the store contains every tree that the anchor has seen. Where there
    /// never was a file there is nothing to check.
    ///
    /// # Errors
    /// `Corrupt` naming the tenant if the store was put back, or if the key is another, or if the anchor is gone or damaged.
    pub fn check(&self, view: &View) -> Result<()> {
        self.check_key(view)?;
        let text = match fs::read(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return self.check_none(view),
            Err(error) => return Err(Error::io(&self.path, &error)),
            Ok(bytes) => String::from_utf8(bytes).map_err(|error| self.damaged(&error.to_string()))?,
        };
        text.split(SEPARATOR).try_for_each(|note| match redactions::is_note(note) {
            true => self.check_redactions(view, note),
            false => self.check_note(view, note),
        })
    }

    /// Whether there never was a file.
    fn check_none(&self, view: &View) -> Result<()> {
        match view.node()?.anchored {
            false => Ok(()),
            true => Err(self.damaged(
                "it is missing, and nothing else tells whether the database is an older copy; put the file back, restore a \
                 backup, or if you know that the database is the last one, start once with `serve --no-anchor`",
            )),
        }
    }

    /// Every redaction that the anchor has seen is in the store.
    fn check_redactions(&self, view: &View, note: &str) -> Result<()> {
        let damaged = |error: crate::ledger::Error| self.damaged(&error.to_string());
        for anchored in redactions::open(note, &self.seed).map_err(damaged)? {
            let tenant = view.tenant(&anchored.tenant)?;
            let known = tenant.map(|tenant| view.redaction(tenant, anchored.begun)).transpose()?.flatten();
            if known.is_none_or(|known| known.hash != anchored.hash) {
                let detail = format!(
                    "tenant `{}` had redaction {} when last anchored, the store has not: it was put back from an older \
                     copy; restore with the anchor",
                    anchored.tenant, anchored.begun
                );
                return Err(Error::Corrupt { what: "ledger", detail });
            }
        }
        Ok(())
    }

    fn damaged(&self, how: &str) -> Error {
        Error::Corrupt { what: "anchor", detail: format!("`{}`: {how}", self.path.display()) }
    }

    fn open(&self, note: &str) -> Result<Checkpoint> {
        let origin = note.lines().next().unwrap_or_default();
        Signer::new(origin, &self.seed)
            .and_then(|signer| Checkpoint::open(note, signer.vkey()))
            .map_err(|error| self.damaged(&error.to_string()))
    }

    fn check_note(&self, view: &View, note: &str) -> Result<()> {
        let seen = self.open(note)?;
        let name = seen.tenant();
        let back = |found: String| Error::Corrupt {
            what: "ledger",
            detail: format!(
                "tenant `{name}` had {} records when last anchored, {found}: the database was put back from an \
                 older copy or damaged; restore a newer backup",
                seen.size
            ),
        };
        let tenant = view.tenant(name)?.ok_or_else(|| back("the store has no such tenant".to_owned()))?;
        let head: Lsn = view.head(tenant)?.head();
        if head.0 < seen.size {
            return Err(back(format!("the store has {head}")));
        }
        if proof::root_at(&view.ledger(tenant), seen.size)? != seen.root {
            return Err(back("the store has others".to_owned()));
        }
        Ok(())
    }
}

/// Between two notes: a line that no note can hold.
const SEPARATOR: &str = "\n---\n";
