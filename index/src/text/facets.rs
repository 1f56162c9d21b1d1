//! How many distinct things there are, by what there is to choose from: types, sources, groups of labels, and time.

use std::collections::{BTreeMap, HashMap};

use roaring::RoaringTreemap;
use tantivy::DocId;

use super::filter::{By, Choice, Filter, Missed};

const DAY_US: i64 = 86_400_000_000;
/// Spans of time that are told apart at most: bars that stand side by side on a small screen.
const SPANS_MAX: i64 = 40;
/// How long a span may be, shortest first.
const WIDTHS: [Width; 8] = [
    Width::Days(1),
    Width::Days(7),
    Width::Months(1),
    Width::Months(3),
    Width::Months(12),
    Width::Months(60),
    Width::Months(120),
    Width::Months(1200),
];

/// How many distinct visible things there are by type, source, group and time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facets {
    /// By type, most first; a filter by type does not narrow it.
    pub types: Vec<(String, u64)>,
    /// By source, most first; a filter by source does not narrow it.
    pub sources: Vec<(String, u64)>,
    /// By group of labels, in their order; a filter by group does not narrow it.
    pub groups: Vec<(u8, u64)>,
    /// By the time at which they were observed (else recorded), if a chart was asked for: spans of one length, oldest first, and
    /// none of which is empty. A thing of which several things were observed is in each of their spans.
    pub spans: Vec<Span>,
}

/// What was observed within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first microsecond.
    pub from_us: i64,
    /// The microsecond after the last.
    pub to_us: i64,
    /// How many things.
    pub count: u64,
}

/// Distinct things over all segments.
#[derive(Default)]
pub(super) struct Counts {
    kinds: HashMap<String, RoaringTreemap>,
    sources: HashMap<String, RoaringTreemap>,
    groups: BTreeMap<u8, RoaringTreemap>,
    days: BTreeMap<i64, RoaringTreemap>,
}

/// Things of one segment, by the segment's own numbers of words.
#[derive(Default)]
pub(super) struct Counted {
    kinds: HashMap<u64, Vec<u64>>,
    sources: HashMap<u64, Vec<u64>>,
    groups: HashMap<u8, Vec<u64>>,
    days: HashMap<i64, Vec<u64>>,
}

impl Counted {
    /// A facet counts what there would be to choose from: its own choice does not narrow it.
    pub(super) fn count(&mut self, doc: DocId, filter: &Filter<'_>) {
        if !filter.has_but_for_choices(doc) {
            return;
        }
        let missed = filter.missed(doc);
        if missed == Missed::Several {
            return;
        }
        let thing = filter.things.get_val(doc);
        if let Some(kind) = filter.kinds.ord(doc).filter(|_| missed.counts_for(By::Kind)) {
            self.kinds.entry(kind).or_default().push(thing);
        }
        if let Some(source) = filter.sources.ord(doc).filter(|_| missed.counts_for(By::Source)) {
            self.sources.entry(source).or_default().push(thing);
        }
        let group = filter.groups.of(filter.visible.label(doc));
        if let Some(group) = group.filter(|_| missed.counts_for(By::Group)) {
            self.groups.entry(group).or_default().push(thing);
        }
        if filter.is_charted && missed == Missed::Nothing {
            let day = filter.times.get_val(doc).div_euclid(DAY_US);
            self.days.entry(day).or_default().push(thing);
        }
    }

    pub(super) fn add_to(self, filter: &Filter<'_>, counts: &mut Counts) {
        add_words(&filter.kinds, self.kinds, &mut counts.kinds);
        add_words(&filter.sources, self.sources, &mut counts.sources);
        for (group, things) in self.groups {
            counts.groups.entry(group).or_default().extend(things);
        }
        for (day, things) in self.days {
            counts.days.entry(day).or_default().extend(things);
        }
    }
}

fn add_words(choice: &Choice, counted: HashMap<u64, Vec<u64>>, counts: &mut HashMap<String, RoaringTreemap>) {
    for (ord, things) in counted {
        if let Some(word) = choice.word(ord) {
            counts.entry(word).or_default().extend(things);
        }
    }
}

impl From<Counts> for Facets {
    fn from(counts: Counts) -> Facets {
        Facets {
            types: most_first(counts.kinds),
            sources: most_first(counts.sources),
            groups: counts.groups.into_iter().map(|(group, things)| (group, things.len())).collect(),
            spans: spans(counts.days),
        }
    }
}

fn most_first(counts: HashMap<String, RoaringTreemap>) -> Vec<(String, u64)> {
    let mut counts: Vec<(String, u64)> =
        counts.into_iter().map(|(word, things)| (word, things.len())).collect();
    counts.sort_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then(a.cmp(b)));
    counts
}

/// Days become spans so long that there are not too many of them.
fn spans(days: BTreeMap<i64, RoaringTreemap>) -> Vec<Span> {
    let (Some((&first, _)), Some((&last, _))) = (days.first_key_value(), days.last_key_value()) else {
        return Vec::new();
    };
    let fits = |width: &&Width| width.number(last) - width.number(first) < SPANS_MAX;
    let width = WIDTHS.iter().find(fits).unwrap_or(&WIDTHS[WIDTHS.len() - 1]);
    let mut spans: BTreeMap<i64, RoaringTreemap> = BTreeMap::new();
    for (day, things) in days {
        *spans.entry(width.number(day)).or_default() |= things;
    }
    let us = |number| width.first_day(number).saturating_mul(DAY_US);
    let spans = spans.into_iter();
    spans
        .map(|(number, things)| Span { from_us: us(number), to_us: us(number + 1), count: things.len() })
        .collect()
}

#[derive(Clone, Copy, Debug)]
enum Width {
    Days(i64),
    Months(i64),
}

impl Width {
    /// The number of the span that a day is in; days are counted from 1970 on.
    fn number(self, day: i64) -> i64 {
        match self {
            Width::Days(1) => day,
            // The first of 1970 was a Thursday, and weeks begin on Mondays.
            Width::Days(days) => (day + 3).div_euclid(days),
            Width::Months(months) => month_of(day).div_euclid(months),
        }
    }

    fn first_day(self, number: i64) -> i64 {
        match self {
            Width::Days(1) => number,
            Width::Days(days) => number * days - 3,
            Width::Months(months) => first_day_of(number * months),
        }
    }
}

/// The month that a day is in, counted from the year 0 on. Years begin in March here, so that a leap day is their last.
fn month_of(day: i64) -> i64 {
    const DAYS_TO_1970: i64 = 719_468;
    let day = day + DAYS_TO_1970;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    (era * 400 + year) * 12 + from_march + 2
}

/// The first day of a month, the other way round.
fn first_day_of(month: i64) -> i64 {
    const DAYS_TO_1970: i64 = 719_468;
    let (year, from_march) = ((month - 2).div_euclid(12), (month - 2).rem_euclid(12));
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * from_march + 2) / 5;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(days: &[(i64, u64)]) -> Vec<Span> {
        let mut counts: BTreeMap<i64, RoaringTreemap> = BTreeMap::new();
        for (day, thing) in days {
            counts.entry(*day).or_default().insert(*thing);
        }
        spans(counts)
    }

    fn day_us(day: i64) -> i64 {
        day * DAY_US
    }

    #[test]
    fn months_and_days_are_those_of_the_calendar() {
        // 1970-01-01, 2000-02-29, 2024-12-31, 1969-12-31 and 1600-03-01, by the day and by (year, month).
        for (day, year, month) in
            [(0, 1970, 1), (11_016, 2000, 2), (20_088, 2024, 12), (-1, 1969, 12), (-135_080, 1600, 3)]
        {
            assert_eq!(month_of(day), year * 12 + month - 1, "{day}");
        }
        for month in -30_000..30_000 {
            let first = first_day_of(month);
            assert_eq!((month_of(first), month_of(first - 1)), (month, month - 1));
        }
    }

    #[test]
    fn spans_are_as_short_as_there_is_room_for() {
        assert_eq!(of(&[]), []);
        let day = Span { from_us: day_us(20_000), to_us: day_us(20_001), count: 2 };
        assert_eq!(of(&[(20_000, 1), (20_000, 2)]), [day]);
        // Weeks begin on Mondays: 2024-10-07 was one, day 20003.
        let weeks = of(&[(20_003, 1), (20_009, 2), (20_010, 3), (20_100, 1)]);
        assert_eq!((weeks[0].from_us, weeks[0].to_us), (day_us(20_003), day_us(20_010)));
        assert_eq!(weeks.iter().map(|span| span.count).collect::<Vec<_>>(), [2, 1, 1]);
        let years = of(&[(0, 1), (10_000, 2), (10_001, 2), (14_000, 1)]);
        assert_eq!(
            years.iter().map(|span| span.count).collect::<Vec<_>>(),
            [1, 1, 1],
            "a thing counts once in a span"
        );
        assert_eq!(years[0], Span { from_us: 0, to_us: day_us(365), count: 1 });
        let ages = of(&[(-2_000_000, 1), (2_000_000, 1)]);
        assert_eq!(ages.len(), 2, "however long it is: {ages:?}");
        let ends = of(&[(i64::MIN / DAY_US, 1), (i64::MAX / DAY_US, 1)]);
        assert_eq!(ends.len(), 2, "{ends:?}");
    }
}
