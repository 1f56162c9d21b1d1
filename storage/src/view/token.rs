//! Who may come in: tokens, and those whom an outside issuer named.

use std::ops::ControlFlow;

use super::View;
use crate::commands::{RequestKey, check_key, subject_key};
use crate::error::Result;
use crate::ids::TenantId;
use crate::model::Subject;
use crate::rows::{DeniedRow, SubjectRow, TokenRow, decode};
use crate::tables::{Key, Table};
use crate::tx::Read;

impl View {
    /// A token by its public id.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn token(&self, id: &str) -> Result<Option<TokenRow>> {
        let row = self.get(Table::Tokens, id.as_bytes())?;
        row.map(|row| decode(&row, "token row")).transpose()
    }

    /// Every token of the node, by id.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn tokens(&self) -> Result<Vec<(String, TokenRow)>> {
        let mut tokens = Vec::new();
        self.scan(Table::Tokens, &[], None, &mut |key, value| {
            tokens.push((String::from_utf8_lossy(key).into_owned(), decode(value, "token row")?));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(tokens)
    }

    /// Refuses the key of a request that was given to another request less than a day before `now_us`.
    ///
    /// # Errors
    /// `KeyReused`, and as for [`View::node`].
    pub fn check_key(&self, key: &RequestKey, now_us: i64) -> Result<()> {
        check_key(self, key, now_us)
    }

    /// Somebody whom an outside issuer named, if they were met or denied.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn subject(&self, tenant: TenantId, subject: &Subject) -> Result<Option<SubjectRow>> {
        let row = self.get(Table::Subjects, subject_key(tenant, subject).bytes())?;
        row.map(|row| decode(&row, "subject row")).transpose()
    }

    /// Everybody of a tenant whom an outside issuer named, in no order.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn subjects(&self, tenant: TenantId) -> Result<Vec<SubjectRow>> {
        let mut subjects = Vec::new();
        self.each(Table::Subjects, &Key::of(tenant), &mut |_, value| {
            subjects.push(decode(value, "subject row")?);
            Ok(())
        })?;
        Ok(subjects)
    }

    /// The tokens of outside issuers that are denied, in no order that means anything.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn denied_tokens(&self, tenant: TenantId) -> Result<Vec<DeniedRow>> {
        let mut denied = Vec::new();
        self.each(Table::DeniedTokens, &Key::of(tenant), &mut |_, value| {
            denied.push(decode(value, "denied token row")?);
            Ok(())
        })?;
        Ok(denied)
    }

    /// Whether a token of an outside issuer is denied.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn is_denied(&self, tenant: TenantId, token: &Subject) -> Result<bool> {
        Ok(self.get(Table::DeniedTokens, subject_key(tenant, token).bytes())?.is_some())
    }
}
