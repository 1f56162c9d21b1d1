//! The ledger: its signed checkpoint, and receipts that lead from a record to it.

use async_graphql::{Context, Object, Result, SimpleObject};
use axum::http::StatusCode;
use storage::View;
use storage::ids::{LabelId, Lsn};
use storage::record::Content;

use super::declared::{auth, public};
use super::read;
use crate::app::App;
use crate::gateway::errors::Failure;
use crate::policy::{Action, Principal};

#[derive(Default)]
pub(super) struct LedgerQuery;

/// A signed checkpoint (C2SP tlog-checkpoint).
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Checkpoint {
    /// The signed note.
    note: String,
    /// The key to check it with.
    vkey: String,
    origin: String,
    size: u64,
    /// The root hash, base64.
    root: String,
}

/// A proof that a record is in the ledger (C2SP tlog-proof).
#[derive(SimpleObject)]
#[graphql(directive = public::apply())]
struct Receipt {
    /// The proof as a file.
    text: String,
    /// The key to check it with.
    vkey: String,
    origin: String,
    /// The leaf, from 0.
    index: u64,
    size: u64,
    /// The root hash, base64.
    root: String,
}

#[Object]
impl LedgerQuery {
    /// The tenant's ledger as it stands, signed.
    #[graphql(directive = auth::apply("ledger.export".to_owned(), None))]
    async fn ledger_checkpoint(&self, context: &Context<'_>) -> Result<Checkpoint> {
        read(context, |app, principal, view| {
            let signed = app.anchor.signed(view, principal.tenant)?;
            Ok(Checkpoint {
                root: base64(&signed.checkpoint.root),
                origin: signed.checkpoint.origin,
                size: signed.checkpoint.size,
                note: signed.note,
                vkey: signed.vkey,
            })
        })
        .await
    }

    /// The receipt of a record. Whoever may read what it says gets the body with it, an auditor its digest.
    #[graphql(directive = auth::apply("ledger.read".to_owned(), None))]
    async fn ledger_receipt(&self, context: &Context<'_>, lsn: u64) -> Result<Receipt> {
        read(context, move |app, principal, view| {
            let lsn = Lsn(lsn);
            let head = view.head(principal.tenant)?.head();
            if lsn < Lsn::FIRST || lsn > head {
                let message = format!("no record at {lsn}; the ledger ends at {head}");
                return Err(Failure::new(StatusCode::NOT_FOUND, "not_found", message));
            }
            let mut record = view.record_shown(principal.tenant, lsn)?;
            match access(app, principal, view, record.label)? {
                Access::Body => {}
                Access::Digest => record.content = Content::Erased { digest: record.digest() },
                Access::None => return Err(Failure::not_found("record", &lsn.to_string())),
            }
            let receipt = app.anchor.receipt(view, principal.tenant, &record)?;
            Ok(Receipt {
                text: receipt.text,
                vkey: receipt.signed.vkey,
                index: lsn.leaf_index(),
                root: base64(&receipt.signed.checkpoint.root),
                origin: receipt.signed.checkpoint.origin,
                size: receipt.signed.checkpoint.size,
            })
        })
        .await
    }
}

/// How much of a record a receipt may show.
enum Access {
    Body,
    Digest,
    None,
}

/// Records about the node itself carry no label; that they were made is for who may take the ledger out.
fn access(app: &App, principal: &Principal, view: &View, label: LabelId) -> Result<Access, Failure> {
    let recorded = app.allowed(view, principal, Action::LedgerRead)?;
    let uses = app.uses(view, principal)?;
    for action in [Action::EntityRead, Action::RelationRead] {
        let allowed = app.allowed(view, principal, action)?;
        if allowed.contains(label) {
            uses.used(action, &allowed, label);
            return Ok(Access::Body);
        }
    }
    let audited = match label {
        LabelId::SYSTEM => app.check(principal, Action::LedgerExport).is_ok(),
        _ => {
            uses.used(Action::LedgerRead, &recorded, label);
            recorded.contains(label)
        }
    };
    Ok(if audited { Access::Digest } else { Access::None })
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
