//! A source says something of a thing: the command that nearly every record comes from.

use std::collections::BTreeSet;

use prost::Message;
use sha2::{Digest, Sha256};

use super::delete::thing_by_id;
use super::run::check_running;
use super::{Applied, Effect, redact};
use crate::batch::{Batch, id_u32, id_u64};
use crate::error::{Error, Result};
use crate::ids::{ActorId, LabelId, RunId, SourceId, SymbolId, TenantId, ThingId};
use crate::model::{EdgeSaid, Form, Part, RECORD_BYTES_MAX, Said};
use crate::record::{Draft, Kind};
use crate::rows::{BeforeRow, EdgeRow, PendingPart, PendingRow, SaidRow, ThingRow};
use crate::tables::{Key, Table};
use crate::tx::{Read, Tx};

/// Last-asserted times move in steps of an hour, so that reading a file again writes next to nothing.
const ASSERTED_STEP_US: i64 = 3_600_000_000;

/// A source says something of a thing; it replaces all that this source said of it before.
#[derive(Clone, Debug)]
pub struct Assert {
    /// Whose thing.
    pub tenant: TenantId,
    /// Who says it.
    pub source: SourceId,
    /// Who had it recorded.
    pub actor: ActorId,
    /// The purpose code it is recorded for.
    pub purpose: u8,
    /// What is said.
    pub said: Said,
    /// What to do with a relation whose ends are not there.
    pub if_end_missing: IfEndMissing,
}

/// What to do with a relation whose ends are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfEndMissing {
    /// Refuse it.
    Refuse,
    /// Keep it aside for the end of the run: the ends may come later in the same import.
    Pend {
        /// The run.
        run: RunId,
        /// The input it came from, counted from 0.
        input: u32,
        /// The line it was on.
        line: u64,
        /// Its number among the run's pending relations.
        number: u64,
    },
}

/// What there is to do.
enum Plan {
    /// It was said before, or the source has said something newer.
    Nothing(Option<Known>),
    /// Its ends are not there yet.
    Pend,
    /// Say it.
    Say { known: Option<Known>, bodies: Vec<Body>, ends: Vec<(ThingId, ThingId)> },
}

/// A thing as it is stored.
struct Known {
    thing: ThingId,
    row: ThingRow,
}

/// The body of one part, and the digest that tells whether it was said before.
struct Body {
    bytes: Vec<u8>,
    digest: Vec<u8>,
}

/// A thing that carries an edge to or from itself names no id yet.
const SELF: ThingId = ThingId(0);

pub(super) fn execute(batch: &mut Batch<'_>, command: &Assert) -> Result<Applied> {
    let (known, effect) = match check(batch, command)? {
        Plan::Nothing(known) => (known, Effect::Unchanged),
        Plan::Pend => {
            pend(batch, command)?;
            (None, Effect::Pending)
        }
        Plan::Say { known, bodies, ends } => return say(batch, command, known, bodies, &ends),
    };
    if let Some(known) = known {
        assert_again(batch, command, known)?;
    }
    Ok(Applied { lsn: batch.counters(command.tenant)?.head(), effect })
}

fn check(batch: &mut Batch<'_>, command: &Assert) -> Result<Plan> {
    let said = &command.said;
    said.validate()?;
    check_source(batch, command)?;
    redact::check(batch, command.tenant, command.source, said)?;
    let bodies = said.parts.iter().map(|part| body(said, part)).collect::<Result<Vec<_>>>()?;
    let known = thing_by_id(batch, command.tenant, &said.id)?.map(|(thing, row)| Known { thing, row });
    if let Some(known) = &known {
        check_type(batch, command, &known.row)?;
        if has_newer(&known.row, command) {
            return Ok(Plan::Nothing(None));
        }
    }
    let labels = labels(batch, command)?;
    if let Some(known) = known.as_ref().filter(|known| is_same(&known.row, command.source, &labels, &bodies))
    {
        return Ok(Plan::Nothing(Some(Known { thing: known.thing, row: known.row.clone() })));
    }
    match ends(batch, command) {
        Ok(ends) => Ok(Plan::Say { known, bodies, ends }),
        Err(missing @ Error::EndMissing { .. }) => match command.if_end_missing {
            IfEndMissing::Refuse => Err(missing),
            IfEndMissing::Pend { run, .. } => {
                check_running(batch, command.tenant, run)?;
                Ok(Plan::Pend)
            }
        },
        Err(error) => Err(error),
    }
}

/// A label belongs to one source: whoever follows the log keeps one document for a thing and a label.
fn check_source(batch: &mut Batch<'_>, command: &Assert) -> Result<()> {
    let name = batch.source_name(command.tenant, command.source)?;
    let mut labels = command.said.parts.iter().map(|part| &part.label);
    match labels.find(|label| label.source != *name) {
        Some(foreign) => {
            Err(Error::invalid("label of another source", &foreign.source, format!("`{name}` says it")))
        }
        None => Ok(()),
    }
}

fn body(said: &Said, part: &Part) -> Result<Body> {
    let bytes = said.encode(part);
    if bytes.len() > RECORD_BYTES_MAX {
        let limit = format!("{} bytes, at most {RECORD_BYTES_MAX}", bytes.len());
        return Err(Error::invalid("record too large", &said.id, limit));
    }
    let digest = Sha256::digest(&bytes)[..16].to_vec();
    Ok(Body { bytes, digest })
}

fn check_type(tx: &dyn Read, command: &Assert, row: &ThingRow) -> Result<()> {
    let (tenant, said) = (command.tenant, &command.said);
    let given = tx.get(Table::Symbols, Key::of(tenant).and(said.thing_type.as_str()).bytes())?;
    let given = given.map(|symbol| id_u32(&symbol, "symbol")).transpose()?.map(SymbolId);
    if row.form()? == said.form && given == Some(row.symbol()) {
        return Ok(());
    }
    let stored = tx.get(Table::Words, Key::of(tenant).and(&row.symbol()).bytes())?.unwrap_or_default();
    Err(Error::TypeConflict {
        id: said.id.clone(),
        stored: format!("{} {}", row.form()?, String::from_utf8_lossy(&stored)),
        given: format!("{} {}", said.form, said.thing_type),
    })
}

fn has_newer(row: &ThingRow, command: &Assert) -> bool {
    let newest = row.said_by(command.source).filter_map(|said| said.version_us).max();
    newest.is_some_and(|newest| command.said.version_us.is_some_and(|version| version < newest))
}

/// The ids of the parts' labels, `None` for those that are new.
fn labels(batch: &mut Batch<'_>, command: &Assert) -> Result<Vec<Option<LabelId>>> {
    let parts = &command.said.parts;
    let labels = parts
        .iter()
        .map(|part| batch.known_label(command.tenant, &part.label))
        .collect::<Result<Vec<_>>>()?;
    let new = labels.iter().filter(|label| label.is_none()).count();
    if new > 0 && batch.label_room(command.tenant)? < new as u32 {
        let limit = format!("a tenant has at most {} distinct labels", crate::batch::LABELS_MAX);
        return Err(Error::invalid("too many labels", &command.said.id, limit));
    }
    Ok(labels)
}

fn is_same(row: &ThingRow, source: SourceId, labels: &[Option<LabelId>], bodies: &[Body]) -> bool {
    let stored: BTreeSet<_> = row.said_by(source).map(|said| (said.label, said.digest.as_slice())).collect();
    let given: BTreeSet<_> = labels
        .iter()
        .zip(bodies)
        .filter_map(|(label, body)| Some((label.as_ref()?.0, body.digest.as_slice())))
        .collect();
    stored.len() == bodies.len() && stored == given
}

/// The things at both ends of every edge.
fn ends(tx: &dyn Read, command: &Assert) -> Result<Vec<(ThingId, ThingId)>> {
    let find = |id: &str| -> Result<ThingId> {
        if id == command.said.id {
            return Ok(SELF);
        }
        let thing = tx.get(Table::Names, Key::of(command.tenant).and(id).bytes())?;
        let thing = thing.ok_or_else(|| Error::EndMissing { end: id.to_owned() })?;
        Ok(ThingId(id_u64(&thing, "thing id")?))
    };
    let edges = command.said.edges.iter();
    edges.map(|edge| Ok((find(edge.from_or(&command.said.id))?, find(&edge.to)?))).collect()
}

fn pend(batch: &mut Batch<'_>, command: &Assert) -> Result<()> {
    let IfEndMissing::Pend { run, input, line, number } = command.if_end_missing else {
        return Ok(());
    };
    let parts = command
        .said
        .parts
        .iter()
        .map(|part| PendingPart { label: part.label.encode(), assertion: command.said.assertion(part) });
    let row = PendingRow {
        source: command.source.0,
        input,
        line,
        parts: parts.collect(),
        purpose: command.purpose.into(),
    };
    let key = Key::of(command.tenant).and(&run).and(&number);
    if batch.get(Table::Pending, key.bytes())?.is_none() {
        batch.counters(command.tenant)?.pending += 1;
    }
    batch.put(Table::Pending, key.bytes(), row.encode_to_vec());
    Ok(())
}

/// Moves the last-asserted time of what is said again: a table row, no record.
fn assert_again(batch: &mut Batch<'_>, command: &Assert, mut known: Known) -> Result<()> {
    let now_us = batch.time_us(command.tenant)?;
    let stale =
        |said: &SaidRow| said.source == command.source.0 && now_us - said.asserted_us >= ASSERTED_STEP_US;
    if !known.row.said.iter().any(stale) {
        return Ok(());
    }
    for said in known.row.said.iter_mut().filter(|said| said.source == command.source.0) {
        said.asserted_us = now_us;
    }
    batch.put(Table::Things, Key::of(command.tenant).and(&known.thing).bytes(), known.row.encode_to_vec());
    Ok(())
}

fn say(
    batch: &mut Batch<'_>,
    command: &Assert,
    known: Option<Known>,
    bodies: Vec<Body>,
    ends: &[(ThingId, ThingId)],
) -> Result<Applied> {
    let effect = if known.is_some() { Effect::Updated } else { Effect::Created };
    let Known { thing, mut row } = match known {
        Some(known) => known,
        None => begin_thing(batch, command)?,
    };
    let edges_before = row.links();
    let (mut replaced, kept) = std::mem::take(&mut row.said)
        .into_iter()
        .partition::<Vec<_>, _>(|said| said.source == command.source.0);
    row.said = kept;
    let links = links(batch, command, thing, ends)?;
    for (part, body) in command.said.parts.iter().zip(bodies) {
        let said = say_part(batch, command, part, body, &links, &mut replaced)?;
        row.said.push(said);
    }
    replaced.sort_by_key(SaidRow::lsn);
    for said in replaced {
        retire(batch, command, thing, said, &row)?;
    }
    move_edges(batch, command.tenant, thing, &edges_before, &row);
    batch.put(Table::Things, Key::of(command.tenant).and(&thing).bytes(), row.encode_to_vec());
    let lsn = batch.counters(command.tenant)?.head();
    Ok(Applied { lsn, effect })
}

fn begin_thing(batch: &mut Batch<'_>, command: &Assert) -> Result<Known> {
    let (tenant, said) = (command.tenant, &command.said);
    let thing = batch.next_thing(tenant)?;
    let thing_type = batch.symbol(tenant, &said.thing_type)?;
    batch.put(Table::Names, Key::of(tenant).and(said.id.as_str()).bytes(), thing.0.to_be_bytes().to_vec());
    let counters = batch.counters(tenant)?;
    match said.form {
        Form::Entity => counters.entities += 1,
        Form::Relation => counters.relations += 1,
    }
    let row = ThingRow {
        id: said.id.clone(),
        form: said.form.code().into(),
        thing_type: thing_type.0,
        ..ThingRow::default()
    };
    Ok(Known { thing, row })
}

/// The edges as rows.
fn links(
    batch: &mut Batch<'_>,
    command: &Assert,
    thing: ThingId,
    ends: &[(ThingId, ThingId)],
) -> Result<Vec<EdgeRow>> {
    let itself = |end: ThingId| if end == SELF { thing.0 } else { end.0 };
    let link = |(edge, (from, to)): (&EdgeSaid, &(ThingId, ThingId))| {
        let kind = batch.symbol(command.tenant, &edge.kind)?.0;
        Ok(EdgeRow { kind, from: itself(*from), to: itself(*to) })
    };
    command.said.edges.iter().zip(ends).map(link).collect()
}

/// Says one part, unless the source said exactly that under this label before.
fn say_part(
    batch: &mut Batch<'_>,
    command: &Assert,
    part: &Part,
    body: Body,
    links: &[EdgeRow],
    replaced: &mut Vec<SaidRow>,
) -> Result<SaidRow> {
    let label = batch.label(command.tenant, &part.label)?;
    let asserted_us = batch.time_us(command.tenant)?;
    let same = |said: &SaidRow| said.label == label.0 && said.digest == body.digest;
    if let Some(place) = replaced.iter().position(same) {
        return Ok(SaidRow { asserted_us, ..replaced.swap_remove(place) });
    }
    let draft = Draft {
        kind: Kind::Asserted,
        actor: command.actor,
        purpose: command.purpose,
        retention: part.label.retention.code(),
        label,
        body: body.bytes,
    };
    let lsn = batch.append(command.tenant, &draft)?;
    Ok(SaidRow {
        source: command.source.0,
        label: label.0,
        lsn: lsn.0,
        digest: body.digest,
        version_us: command.said.version_us,
        asserted_us,
        status: command.said.status.code().into(),
        edges: links.to_vec(),
        since_us: command.said.since.as_ref().map(|(_, us)| *us),
        until_us: command.said.until.as_ref().map(|(_, us)| *us),
        weight: command.said.weight,
        recorded_us: asserted_us,
        keep: part.label.kept().code().into(),
    })
}

/// Keeps what was replaced for the history. A label that the source no longer uses for this thing
/// gets a record that says so, for those who follow the log.
fn retire(
    batch: &mut Batch<'_>,
    command: &Assert,
    thing: ThingId,
    said: SaidRow,
    row: &ThingRow,
) -> Result<()> {
    let successor = row.said_by(command.source).find(|new| new.label == said.label);
    let replaced_by = match successor {
        Some(new) => new.lsn(),
        None => withdraw(batch, command, said.label())?,
    };
    let replaced_us = batch.time_us(command.tenant)?;
    let key = Key::of(command.tenant).and(&thing).and(&said.lsn());
    let before = BeforeRow { said, replaced_by: replaced_by.0, replaced_us };
    batch.put(Table::Before, key.bytes(), before.encode_to_vec());
    Ok(())
}

fn withdraw(batch: &mut Batch<'_>, command: &Assert, label: LabelId) -> Result<crate::ids::Lsn> {
    let draft = Draft {
        kind: Kind::Withdrawn,
        actor: command.actor,
        purpose: command.purpose,
        retention: 0,
        label,
        body: command.said.id.as_bytes().to_vec(),
    };
    batch.append(command.tenant, &draft)
}

/// The edges that are drawn now carry their label; those that no longer are stay, and carry none: lists
/// of an earlier time still find them, and ask the relation.
fn move_edges(
    batch: &mut Batch<'_>,
    tenant: TenantId,
    thing: ThingId,
    before: &BTreeSet<EdgeRow>,
    row: &ThingRow,
) {
    let now = row.links();
    for link in before.difference(&now) {
        put_edge(batch, tenant, thing, link, LabelId::SYSTEM);
    }
    for link in &now {
        put_edge(batch, tenant, thing, link, row.edge_label());
    }
}

pub(super) fn put_edge(
    batch: &mut Batch<'_>,
    tenant: TenantId,
    relation: ThingId,
    link: &EdgeRow,
    label: LabelId,
) {
    let (out, into) = link.keys(tenant, relation);
    batch.put(Table::EdgesOut, out.bytes(), label.0.to_be_bytes().to_vec());
    batch.put(Table::EdgesIn, into.bytes(), label.0.to_be_bytes().to_vec());
}
