//! Redacting again in a store that was restored.

use std::collections::HashMap;

use super::{Store, poisoned};
use crate::anchor::Anchored;
use crate::batch::Stamp;
use crate::commands::{
    Applied, Command, Effect, EndRedaction, EraseSome, LiftRedaction, Lifted, RedactAgain,
};
use crate::error::Result;
use crate::ids::{ActorId, TenantId};

impl Store {
    /// Redacts again what an anchor has and this store has not: for a store that was restored from an older backup,
    /// before anybody reads it. How many redactions that were. `stamp` stamps each of its commits.
    ///
    /// What was redacted and lifted is erased again, and not refused. One of a tenant that the store does not have yet
    /// has nothing to take.
    ///
    /// # Errors
    /// As for [`Store::write`]. It may be begun again.
    pub fn redact_again(&self, anchored: &[Anchored], stamp: &mut dyn FnMut() -> Stamp) -> Result<usize> {
        let mut known = HashMap::new();
        let view = self.view()?;
        for (tenant, head) in view.tenants()? {
            for (_, row) in view.redactions(tenant)? {
                *known.entry((head.name.clone(), row.hash)).or_insert(0_usize) += 1;
            }
        }
        let mut again = 0;
        for redaction in anchored {
            let Some(tenant) = view.tenant(&redaction.tenant)? else { continue };
            // One name may have been redacted, lifted and redacted again: each counts.
            match known.get_mut(&(redaction.tenant.clone(), redaction.hash.clone())) {
                Some(left) if *left > 0 => *left -= 1,
                _ => {
                    self.redact_one_again(tenant, redaction, stamp)?;
                    again += 1;
                }
            }
        }
        Ok(again)
    }

    fn redact_one_again(
        &self,
        tenant: TenantId,
        anchored: &Anchored,
        stamp: &mut dyn FnMut() -> Stamp,
    ) -> Result<()> {
        let hash = anchored.hash.clone();
        let begin = RedactAgain { tenant, of_source: anchored.of_source, hash };
        let redaction = self.write_one(Command::RedactAgain(begin), stamp())?.lsn;
        while self.write_one(Command::EraseSome(EraseSome { tenant, redaction }), stamp())?.effect
            == Effect::More
        {}
        self.write_one(Command::EndRedaction(EndRedaction { tenant, redaction }), stamp())?;
        if anchored.lifted {
            let lift = LiftRedaction { tenant, actor: ActorId::NODE, of: Lifted::Begun(redaction) };
            self.write_one(Command::LiftRedaction(lift), stamp())?;
        }
        Ok(())
    }

    fn write_one(&self, command: Command, stamp: Stamp) -> Result<Applied> {
        let answer = self.write(&[command], stamp)?.answers.pop();
        answer.unwrap_or_else(|| Err(poisoned("no answer")))
    }
}
