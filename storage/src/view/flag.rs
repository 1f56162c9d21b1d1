//! Flags that are set.

use super::View;
use crate::error::Result;
use crate::ids::TenantId;
use crate::model::Flag;
use crate::rows::FlagRow;

impl View {
    /// What a flag was set to for a tenant; `None` if it never was, or was set back.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn flag(&self, tenant: TenantId, flag: Flag) -> Result<Option<FlagRow>> {
        crate::commands::flag_row(self, tenant, flag)
    }

    /// Every flag that is set for a tenant, by name; a newer program's as well.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn flags(&self, tenant: TenantId) -> Result<Vec<(String, FlagRow)>> {
        crate::commands::flag_rows(self, tenant)
    }

    /// Whether what a flag turns on is stopped for the whole node.
    ///
    /// # Errors
    /// See [`View::node`].
    pub fn is_stopped(&self, flag: Flag) -> Result<bool> {
        Ok(self.node()?.stopped.iter().any(|stopped| stopped == flag.as_str()))
    }
}
