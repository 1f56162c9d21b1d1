//! Declares a source, or declares it anew.

use super::{Applied, Effect};
use crate::batch::{Batch, head_row, id_u32};
use crate::error::Result;
use crate::ids::{ActorId, LabelId, SourceId, TenantId};
use crate::model::SourceSpec;
use crate::record::{Draft, Kind};
use crate::tables::{Key, Table};
use crate::tx::{Read, Tx};

/// Declares a source. Declaring it again with the same terms changes nothing.
#[derive(Clone, Debug)]
pub struct SetSource {
    /// Whose source.
    pub tenant: TenantId,
    /// Who declares it.
    pub actor: ActorId,
    /// Its name and terms.
    pub spec: SourceSpec,
}

/// What there is to do.
enum Plan {
    Nothing(SourceId),
    Declare(Option<SourceId>),
}

pub(super) fn execute(batch: &mut Batch<'_>, command: &SetSource) -> Result<Applied> {
    match check(batch, command)? {
        Plan::Nothing(source) => {
            let lsn = batch.counters(command.tenant)?.head();
            Ok(Applied { lsn, effect: Effect::Source(source) })
        }
        Plan::Declare(known) => apply(batch, command, known),
    }
}

fn check(tx: &dyn Read, command: &SetSource) -> Result<Plan> {
    command.spec.validate()?;
    head_row(tx, command.tenant)?;
    let Some(source) = source_id(tx, command.tenant, &command.spec.name)? else {
        return Ok(Plan::Declare(None));
    };
    let stored = tx.get(Table::Sources, Key::of(command.tenant).and(&source).bytes())?;
    let same = stored.is_some_and(|stored| stored == command.spec.encode());
    Ok(if same { Plan::Nothing(source) } else { Plan::Declare(Some(source)) })
}

fn apply(batch: &mut Batch<'_>, command: &SetSource, known: Option<SourceId>) -> Result<Applied> {
    let tenant = command.tenant;
    let source = match known {
        Some(source) => source,
        None => {
            let row = batch.counters(tenant)?;
            let source = SourceId(row.next_source);
            row.next_source += 1;
            source
        }
    };
    let body = command.spec.encode();
    batch.put(Table::Sources, Key::of(tenant).and(&source).bytes(), body.clone());
    let name = Key::of(tenant).and(command.spec.name.as_str());
    batch.put(Table::SourceNames, name.bytes(), source.0.to_be_bytes().to_vec());
    let draft = Draft {
        kind: Kind::Source,
        actor: command.actor,
        purpose: 0,
        retention: 0,
        label: LabelId::SYSTEM,
        body,
    };
    let lsn = batch.append(tenant, &draft)?;
    Ok(Applied { lsn, effect: Effect::Source(source) })
}

/// The source of a name, if there is one.
pub(crate) fn source_id(tx: &dyn Read, tenant: TenantId, name: &str) -> Result<Option<SourceId>> {
    let id = tx.get(Table::SourceNames, Key::of(tenant).and(name).bytes())?;
    id.map(|id| Ok(SourceId(id_u32(&id, "source id")?))).transpose()
}
