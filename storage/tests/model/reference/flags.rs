//! Flags: set for a tenant, stopped for all of them.

use storage::commands::{Applied, Effect, SetFlag, StopFlag};
use storage::ids::Lsn;
use storage::model::{Flag, FlagSet};
use storage::record::Kind;

use super::{Answer, Model, Tenant, What, refuse_if};

impl Model {
    /// A record for everybody who is there; it is the last that is answered with.
    pub(super) fn stop_flag(&mut self, c: &StopFlag, time_us: i64) -> Answer {
        let name = c.flag.to_string();
        if self.stopped.contains(&name) == c.stopped {
            return Ok(Applied { lsn: Lsn::NONE, effect: Effect::Unchanged });
        }
        let kind = if c.stopped { Kind::FlagStopped } else { Kind::FlagResumed };
        let mut lsn = Lsn::NONE;
        for tenant in &mut self.tenants {
            tenant.log(kind, c.actor, time_us, What::Id(name.clone()));
            lsn = Lsn(tenant.log.len() as u64);
        }
        if !self.stopped.remove(&name) {
            self.stopped.insert(name);
        }
        Ok(Applied { lsn, effect: Effect::Done })
    }
}

impl Tenant {
    pub(super) fn set_flag(&mut self, c: &SetFlag, time_us: i64) -> Answer {
        let (name, value) = (c.flag.to_string(), c.value.clone());
        if self.flags.get(&name).map(|(value, ..)| value) == value.as_ref() {
            return self.answer(Effect::Unchanged);
        }
        let set = FlagSet { flag: name.clone(), value: value.clone() };
        let set_us = self.log(Kind::FlagSet, c.actor, time_us, What::Flag(set));
        match value {
            Some(value) => drop(self.flags.insert(name, (value, c.actor.0, self.log.len() as u64, set_us))),
            None => drop(self.flags.remove(&name)),
        }
        self.answer(Effect::Updated)
    }
}

pub(super) fn check(c: &SetFlag) -> Result<(), &'static str> {
    let fits = match (c.flag, c.value.as_deref()) {
        (_, None) => true,
        (Flag::VectorPreview, Some(value)) => value == "on" || value == "off",
        (Flag::KeywordWeight, Some(value)) => {
            value.parse::<f64>().is_ok_and(|weight| (0.0..=1.0).contains(&weight))
        }
    };
    refuse_if(!fits, "invalid")
}
