//! Commands that come again: carried out once, answered alike.

use std::collections::BTreeMap;

use storage::commands::{Applied, ONCE_KEPT_US, Once};

use super::{Answer, Model, refuse_if};

/// What was carried out once: by request and step, for which request, when, and what it did. Readers do not see it; it
/// shows in answers alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remembered(BTreeMap<(Digest, u64), (Digest, i64, Applied)>);

type Digest = [u8; 32];

impl PartialEq for Remembered {
    fn eq(&self, _: &Remembered) -> bool {
        true
    }
}

impl Model {
    pub(super) fn once(&mut self, c: &Once, time_us: i64) -> Answer {
        let tenant = self.tenant(c.key.tenant)?;
        let place = (c.key.name, c.step);
        let known = tenant.once.0.get(&place).filter(|(_, at_us, _)| time_us - at_us < ONCE_KEPT_US);
        if let Some((request, _, applied)) = known {
            refuse_if(*request != c.key.request, "idempotency_key_reused")?;
            return Ok(*applied);
        }
        let applied = self.execute(&c.command, time_us)?;
        self.tenant(c.key.tenant)?.once.0.insert(place, (c.key.request, time_us, applied));
        Ok(applied)
    }
}
