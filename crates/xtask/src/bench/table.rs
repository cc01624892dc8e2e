//! The result, as a page of Markdown.

use std::fmt::Write;

use super::disk::Floor;
use super::load::Measured;

/// How two figures are compared with a goal.
#[derive(Debug, Clone, Copy)]
pub(super) enum Goal {
    /// Ours is at most this.
    AtMost(f64),
    /// Theirs is at least so many times ours.
    TimesLess(f64),
    /// Ours is at least so many times theirs.
    TimesMore(f64),
    /// Both: at most this, and so many times less than theirs.
    AtMostAndLess(f64, f64),
    /// Ours is at least this.
    AtLeast(f64),
    /// None: it is told.
    Told,
}

/// One measure against its goal.
pub(super) struct Figure {
    pub(super) name: String,
    pub(super) unit: &'static str,
    pub(super) goal: Goal,
    pub(super) ours: Option<f64>,
    pub(super) theirs: Option<f64>,
    /// What else must be said, such as the floor of the disk.
    pub(super) note: String,
}

impl Figure {
    /// How many times the other is, in the direction of the goal.
    fn ratio(&self) -> Option<f64> {
        let (ours, theirs) = (self.ours?, self.theirs?);
        match self.goal {
            Goal::TimesMore(_) | Goal::AtLeast(_) => (theirs > 0.0).then(|| ours / theirs),
            _ => (ours > 0.0).then(|| theirs / ours),
        }
    }

    /// Whether each part of the goal is met; `None` if a figure is missing.
    fn parts(&self) -> Vec<Option<bool>> {
        let most = |most| self.ours.map(|ours| ours <= most);
        let times = |times| self.ratio().map(|ratio| ratio >= times);
        match self.goal {
            Goal::AtMost(limit) => vec![most(limit)],
            Goal::TimesLess(factor) | Goal::TimesMore(factor) => vec![times(factor)],
            Goal::AtMostAndLess(limit, factor) => vec![most(limit), times(factor)],
            Goal::AtLeast(least) => vec![self.ours.map(|ours| ours >= least)],
            Goal::Told => Vec::new(),
        }
    }

    /// In words, one for each part of the goal.
    fn met(&self) -> String {
        let word =
            |part: &Option<bool>| part.map_or("not measured", |met| if met { "yes" } else { "**no**" });
        self.parts().iter().map(word).collect::<Vec<_>>().join(", ")
    }

    fn goal(&self) -> String {
        match self.goal {
            Goal::AtMost(most) => format!("≤ {}", number(most)),
            Goal::TimesLess(times) => format!("{times}x less"),
            Goal::TimesMore(times) => format!("{times}x more"),
            Goal::AtMostAndLess(most, times) => format!("≤ {}, {times}x less", number(most)),
            Goal::AtLeast(least) => format!("≥ {}", number(least)),
            Goal::Told => "–".to_owned(),
        }
    }
}

/// One operation in full.
pub(super) struct Detail {
    pub(super) name: String,
    pub(super) ours: Option<Measured>,
    pub(super) theirs: Option<Measured>,
    /// Of durable operations: the disk's own, measured in the same rounds.
    pub(super) floor: Option<Floor>,
}

/// The whole page; `other` is what stands beside Strongroom.
pub(super) fn page(
    title: &str,
    other: &str,
    figures: &[Figure],
    details: &[Detail],
    notes: &[String],
) -> String {
    let mut page = format!("# {title}\n\n");
    line(&mut page, format_args!("| measure | unit | goal | Strongroom | {other} | ratio | met | note |"));
    page.push_str("| --- | --- | --- | ---: | ---: | ---: | --- | --- |\n");
    for figure in figures {
        let met = figure.met();
        let ratio = figure.ratio().map_or("–".to_owned(), |ratio| format!("{}x", number(ratio)));
        let (ours, theirs) = (optional(figure.ours), optional(figure.theirs));
        let (name, unit, goal, note) = (&figure.name, figure.unit, figure.goal(), &figure.note);
        line(
            &mut page,
            format_args!("| {name} | {unit} | {goal} | {ours} | {theirs} | {ratio} | {met} | {note} |"),
        );
    }
    if !details.is_empty() {
        page.push_str(&in_full(other, details));
    }
    page.push('\n');
    for note in notes {
        line(&mut page, format_args!("- {note}"));
    }
    page
}

fn in_full(other: &str, details: &[Detail]) -> String {
    let mut page = String::new();
    page.push_str("\n| operation | product | requests/s | p50 us | p99 us | CPU us a request | fdatasync p50 / p99 us |\n");
    page.push_str("| --- | --- | ---: | ---: | ---: | ---: | ---: |\n");
    for detail in details {
        row(&mut page, detail, "Strongroom", detail.ours);
        row(&mut page, detail, other, detail.theirs);
    }
    page
}

fn row(page: &mut String, detail: &Detail, product: &str, measured: Option<Measured>) {
    let floor = detail
        .floor
        .map_or("–".to_owned(), |floor| format!("{} / {}", number(floor.p50), number(floor.p99)));
    let Some(m) = measured else { return };
    let (rate, p50, p99, cpu) =
        (number(m.rate), number(m.p50_micros), number(m.p99_micros), number(m.cpu_micros));
    line(page, format_args!("| {} | {product} | {rate} | {p50} | {p99} | {cpu} | {floor} |", detail.name));
}

/// Ours against ours: the same measure without and with something in force.
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) unit: &'static str,
    pub(super) without: f64,
    pub(super) with: f64,
    /// The most that it may cost, as a factor.
    pub(super) most: f64,
    /// Whether more of it is better, as of a rate.
    pub(super) more_is_better: bool,
}

impl Pair {
    fn cost(&self) -> f64 {
        if self.more_is_better { self.without / self.with } else { self.with / self.without }
    }
}

/// A table of pairs; nothing if there are none.
pub(super) fn against_itself(pairs: &[Pair]) -> String {
    if pairs.is_empty() {
        return String::new();
    }
    let mut page = "\n| measure | unit | without | with | costs | at most | met |\n".to_owned();
    page.push_str("| --- | --- | ---: | ---: | ---: | ---: | --- |\n");
    for pair in pairs {
        let (name, unit, most) = (&pair.name, pair.unit, pair.most);
        let (without, with, cost) = (number(pair.without), number(pair.with), pair.cost());
        let met = if cost <= most { "yes" } else { "**no**" };
        line(
            &mut page,
            format_args!("| {name} | {unit} | {without} | {with} | {cost:.2}x | {most:.2}x | {met} |"),
        );
    }
    page
}

/// Writing to a text cannot fail.
fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    let _infallible = writeln!(page, "{text}");
}

fn optional(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), number)
}

/// Three digits that count.
fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(goal: Goal, ours: Option<f64>, theirs: Option<f64>) -> Figure {
        Figure { name: "read".into(), unit: "us", goal, ours, theirs, note: String::new() }
    }

    #[test]
    fn a_goal_is_met_missed_or_not_measured() {
        assert_eq!(figure(Goal::AtMost(48.0), Some(47.0), None).met(), "yes");
        assert_eq!(figure(Goal::AtMostAndLess(48.0, 20.0), Some(40.0), Some(700.0)).met(), "yes, **no**");
        assert_eq!(figure(Goal::TimesMore(10.0), Some(6_000.0), Some(500.0)).met(), "yes");
        assert_eq!(figure(Goal::TimesLess(20.0), Some(50.0), None).met(), "not measured");
        assert_eq!(figure(Goal::AtMost(1.0), None, Some(1.0)).met(), "not measured");
    }

    #[test]
    fn what_is_in_force_may_cost_only_so_much() {
        let pair = |with, more_is_better| Pair {
            name: "read".into(),
            unit: "us",
            without: 100.0,
            with,
            most: 1.15,
            more_is_better,
        };
        let page = against_itself(&[pair(110.0, false), pair(80.0, true)]);
        assert!(page.contains("| read | us | 100 | 110 | 1.10x | 1.15x | yes |"), "{page}");
        assert!(page.contains("| read | us | 100 | 80.0 | 1.25x | 1.15x | **no** |"), "{page}");
        assert_eq!(against_itself(&[]), "");
    }

    #[test]
    fn a_missed_goal_stands_out_on_the_page() {
        let figures = [
            figure(Goal::AtMost(48.0), Some(50.0), Some(930.0)),
            figure(Goal::AtLeast(100.0), Some(100.0), Some(1.0)),
            figure(Goal::Told, Some(7.0), None),
        ];
        let page = page("Bench", "Other", &figures, &[], &["quick".to_owned()]);
        assert!(page.contains("| Strongroom | Other |"), "{page}");
        assert!(page.contains("| ≥ 100 | 100 | 1.00 | 100x | yes |"), "{page}");
        assert!(page.contains("| – | 7.00 | – | – |  |"), "{page}");
        assert!(page.contains("| read | us | ≤ 48.0 | 50.0 | 930 | 18.6x | **no** |  |"), "{page}");
        assert!(page.ends_with("\n- quick\n"), "{page}");
    }
}
