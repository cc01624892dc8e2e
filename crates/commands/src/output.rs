//! What people and programs get to see. Answers go to standard output, everything else to standard error.

use crate::args::{Format, Global};
use crate::client::ClientError;
use crate::error::CliError;
use comfy_table::{Cell, Table, presets};
use std::io::{self, IsTerminal as _, Write as _};

/// Where and how to print.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    format: Format,
    colour: bool,
}

impl Output {
    /// As the options say.
    pub(crate) fn new(global: &Global) -> Self {
        Self { format: global.output, colour: colours(global.no_color) }
    }

    /// Whether programs read it.
    pub(crate) fn json(self) -> bool {
        self.format == Format::Json
    }

    /// Rows under a header.
    pub(crate) fn table(
        self,
        header: &[&str],
        rows: impl IntoIterator<Item = Vec<String>>,
    ) -> Result<(), CliError> {
        let mut table = plain_table();
        table.set_header(header.iter().map(|title| Cell::new(self.title(title))));
        for row in rows {
            table.add_row(row.iter().map(|cell| clean(cell)));
        }
        printed(table)
    }

    /// Names and values, one pair a line.
    pub(crate) fn pairs(self, pairs: &[(&str, String)]) -> Result<(), CliError> {
        let mut table = plain_table();
        for (name, value) in pairs {
            table.add_row([self.title(name), clean(value)]);
        }
        printed(table)
    }

    /// That something was done which has no answer of its own.
    pub(crate) fn done(self, words: &str) -> Result<(), CliError> {
        line(if self.json() { "{\"done\":true}" } else { words })
    }

    /// Something to heed, beside the answer.
    pub(crate) fn warn(self, text: &str) {
        say(&format!("{} {}", paint("warning:", "33;1", stderr_colour(self.colour)), clean(text)));
    }

    /// A column's title.
    pub(crate) fn title(self, text: &str) -> String {
        paint(text, "1", self.colour && io::stdout().is_terminal())
    }
}

/// Bytes, exactly.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(CliError::Output)
}

/// A value: exactly, but on a terminal the next prompt starts on its own line.
pub(crate) fn value(value: &[u8]) -> Result<(), CliError> {
    bytes(value)?;
    if io::stdout().is_terminal() && !value.ends_with(b"\n") {
        return bytes(b"\n");
    }
    Ok(())
}

/// The server's JSON, exactly, on a line.
pub(crate) fn raw_json(json: &[u8]) -> Result<(), CliError> {
    bytes(json)?;
    bytes(b"\n")
}

/// Where a stream of bytes goes.
pub(crate) fn sink() -> impl FnMut(&[u8]) -> Result<(), ClientError> {
    let mut out = io::stdout().lock();
    move |piece| out.write_all(piece).and_then(|()| out.flush()).map_err(ClientError::Sink)
}

/// A line.
pub(crate) fn line(text: &str) -> Result<(), CliError> {
    bytes(format!("{}\n", clean(text)).as_bytes())
}

/// Something to know, beside the answer.
pub(crate) fn note(text: &str) {
    say(&clean(text));
}

/// Says why a command failed.
pub(crate) fn failure(error: &CliError, no_color: bool) {
    let label = paint("error:", "31;1", stderr_colour(colours(no_color)));
    say(&format!("{label} {}", clean(&error.to_string())));
    if let Some(hint) = error.hint() {
        say(&format!("  hint: {hint}"));
    }
}

/// Colours are wanted unless someone said no (<https://no-color.org>).
fn colours(no_color: bool) -> bool {
    !no_color && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn stderr_colour(wanted: bool) -> bool {
    wanted && io::stderr().is_terminal()
}

fn paint(text: &str, code: &str, colour: bool) -> String {
    if colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// A line on standard error; if even that is gone, there is nobody to tell.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Columns begin at the margin, so that a name can be cut out.
fn printed(mut table: Table) -> Result<(), CliError> {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    bytes(format!("{}\n", table.trim_fmt()).as_bytes())
}

fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

/// Without control characters: what a server says must not drive the terminal. Line ends stay.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// A moment in milliseconds since 1970, as RFC 3339 in UTC.
pub(crate) fn moment(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| millis.to_string(), |time| time.to_string())
}

/// A spinner with a count on standard error: shown after a second, on terminals only.
pub(crate) struct Progress(indicatif::ProgressBar);

impl Progress {
    /// Starts counting.
    pub(crate) fn start(what: &'static str) -> Self {
        let bar = indicatif::ProgressBar::with_draw_target(None, indicatif::ProgressDrawTarget::hidden());
        let style = indicatif::ProgressStyle::with_template("{spinner} {human_pos} {msg} ({elapsed})");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self(bar)
    }

    /// Starts counting towards an end.
    pub(crate) fn towards(total: usize, what: &'static str) -> Self {
        let progress = Self::start(what);
        progress.0.set_length(u64::try_from(total).unwrap_or(u64::MAX));
        let style = indicatif::ProgressStyle::with_template(
            "{bar:30} {human_pos}/{human_len} {msg} ({elapsed}, {eta} left)",
        );
        if let Ok(style) = style {
            progress.0.set_style(style);
        }
        progress
    }

    /// A spinner that counts bytes.
    pub(crate) fn bytes(what: &'static str) -> Self {
        Self::start(what).styled("{spinner} {bytes} {msg} ({bytes_per_sec}, {elapsed})")
    }

    /// A bar of so many bytes.
    pub(crate) fn bar(what: &'static str, total: u64) -> Self {
        let bar =
            Self::start(what).styled("{bar:40} {percent}% of {total_bytes} {msg} ({bytes_per_sec}, {eta})");
        bar.0.set_length(total);
        bar
    }

    fn styled(self, template: &str) -> Self {
        if let Ok(style) = indicatif::ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
        self
    }

    /// Counts bytes on.
    pub(crate) fn add_bytes(&self, count: usize) {
        self.add(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// Is at a place.
    pub(crate) fn set(&self, at: u64) {
        self.add(at.saturating_sub(self.0.position()));
    }

    /// Counts on.
    pub(crate) fn add(&self, count: u64) {
        self.0.inc(count);
        if self.0.is_hidden() && self.0.elapsed().as_secs() >= 1 && io::stderr().is_terminal() {
            self.0.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A bar of how far something is, on standard error: shown after a second, on terminals only.
pub(crate) struct Bar(indicatif::ProgressBar);

impl Bar {
    /// Begins at nothing.
    pub(crate) fn start(what: &'static str) -> Self {
        let bar = indicatif::ProgressBar::with_draw_target(Some(1), indicatif::ProgressDrawTarget::hidden());
        let template = "{msg} {wide_bar} {percent:>3} % {human_pos} of {human_len} ({elapsed})";
        if let Ok(style) = indicatif::ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self(bar)
    }

    /// Says how far it is.
    pub(crate) fn set(&self, done: u64, total: u64) {
        self.0.set_length(total.max(1));
        self.0.set_position(done);
        if self.0.is_hidden() && self.0.elapsed().as_secs() >= 1 && io::stderr().is_terminal() {
            self.0.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_cannot_drive_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\nc\r"), "a\u{fffd}[2Jb\nc\u{fffd}");
    }

    #[test]
    fn colours_are_asked_for() {
        assert_eq!(paint("x", "1", false), "x");
        assert_eq!(paint("x", "1", true), "\u{1b}[1mx\u{1b}[0m");
    }
}
