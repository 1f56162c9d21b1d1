//! Labels, and the words that stand behind symbols.

use std::ops::ControlFlow;

use super::View;
use crate::batch::id_u32;
use crate::error::{Error, Result};
use crate::ids::{LabelId, SymbolId, TenantId};
use crate::model::Label;
use crate::tables::{Key, Table, key_u32};
use crate::tx::Read;

impl View {
    /// A label.
    ///
    /// # Errors
    /// `Corrupt` if there is none by that id; see [`View::node`].
    pub fn label(&self, tenant: TenantId, label: LabelId) -> Result<Label> {
        let bytes = self.get(Table::Labels, Key::of(tenant).and(&label).bytes())?;
        let missing = || Error::Corrupt { what: "labels", detail: format!("no label {label}") };
        Label::decode(&bytes.ok_or_else(missing)?)
    }

    /// The labels of a tenant from `from` on, in order of id.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn labels(&self, tenant: TenantId, from: LabelId) -> Result<Vec<(LabelId, Label)>> {
        let mut labels = Vec::new();
        let (start, end) = (Key::of(tenant).and(&from), Key::of(tenant).end());
        self.scan(Table::Labels, start.bytes(), end.as_deref(), &mut |key, value| {
            labels.push((LabelId(key_u32(key, 4)), Label::decode(value)?));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(labels)
    }

    /// The word of a symbol.
    ///
    /// # Errors
    /// `Corrupt` if there is none; see [`View::node`].
    pub fn word(&self, tenant: TenantId, symbol: SymbolId) -> Result<String> {
        let word = self.get(Table::Words, Key::of(tenant).and(&symbol).bytes())?;
        let damaged = |detail: String| Error::Corrupt { what: "words", detail };
        let word = word.ok_or_else(|| damaged(format!("no word for symbol {symbol}")))?;
        String::from_utf8(word).map_err(|error| damaged(error.to_string()))
    }

    /// The symbol of a word, if the tenant ever used it.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn symbol(&self, tenant: TenantId, word: &str) -> Result<Option<SymbolId>> {
        let symbol = self.get(Table::Symbols, Key::of(tenant).and(word).bytes())?;
        symbol.map(|symbol| Ok(SymbolId(id_u32(&symbol, "symbol")?))).transpose()
    }
}
