//! Names of a listing, on their way out: one buffer.

/// Names one after another in one buffer: a listing of many costs no allocation each. They are about to leave in plain,
/// so they are not wiped: the index that they come from is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Names {
    text: String,
    ends: Vec<usize>,
    /// Places of those whose newest version is gone.
    gone: Vec<usize>,
}

// names are kept out of logs
impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Names({})", self.ends.len())
    }
}

impl Names {
    /// Appends a name.
    pub(crate) fn push(&mut self, name: &str, gone: bool) {
        if gone {
            self.gone.push(self.ends.len());
        }
        self.text.push_str(name);
        self.ends.push(self.text.len());
    }

    /// Keeps the first `count`.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.ends.truncate(count);
        self.gone.retain(|at| *at < count);
    }

    /// Whether the newest version of the name at a place is deleted or destroyed.
    pub fn is_gone(&self, at: usize) -> bool {
        self.gone.binary_search(&at).is_ok()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The names, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.range(0, self.ends.len())
    }

    /// At most `count` of the names, from place `from` on.
    pub fn range(&self, from: usize, count: usize) -> impl Iterator<Item = &str> {
        let before = from.checked_sub(1).and_then(|at| self.ends.get(at)).copied().unwrap_or(0);
        let ends = self.ends.get(from..).unwrap_or_default();
        let starts = std::iter::once(before).chain(ends.iter().copied());
        let spans = starts.zip(ends).take(count);
        spans.map(|(start, end)| self.text.get(start..*end).unwrap_or_default())
    }

    /// The last name.
    pub fn last(&self) -> Option<&str> {
        let end = *self.ends.last()?;
        let start = self.ends.len().checked_sub(2).and_then(|at| self.ends.get(at)).copied().unwrap_or(0);
        self.text.get(start..end)
    }

    /// The names as texts of their own.
    pub fn to_vec(&self) -> Vec<String> {
        self.iter().map(str::to_owned).collect()
    }
}

impl<'a> FromIterator<&'a str> for Names {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        names.into_iter().map(|name| (name, false)).collect()
    }
}

impl<'a> FromIterator<(&'a str, bool)> for Names {
    fn from_iter<I: IntoIterator<Item = (&'a str, bool)>>(names: I) -> Self {
        let mut list = Self::default();
        names.into_iter().for_each(|(name, gone)| list.push(name, gone));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_out_as_they_went_in() {
        let texts: Vec<String> = (0..5_000).map(|at| format!("folder/{at}/é")).collect();
        let mut names: Names = texts.iter().map(String::as_str).collect();
        assert_eq!(names.to_vec(), texts);
        assert_eq!(names.last(), Some("folder/4999/é"));
        assert_eq!(names.range(4_998, 9).collect::<Vec<_>>(), ["folder/4998/é", "folder/4999/é"]);
        assert_eq!(names.range(5_000, 9).count(), 0);
        names.truncate(1);
        assert_eq!((names.len(), names.last()), (1, Some("folder/0/é")));
        names.truncate(0);
        assert_eq!((names.is_empty(), names.last(), names.iter().next()), (true, None, None));
    }

    #[test]
    fn what_is_gone_stays_with_its_name() {
        let mut names: Names = [("a", false), ("b", true), ("c", false), ("d", true)].into_iter().collect();
        assert_eq!([0, 1, 2, 3, 4].map(|at| names.is_gone(at)), [false, true, false, true, false]);
        names.truncate(2);
        assert_eq!([1, 3].map(|at| names.is_gone(at)), [true, false]);
    }
}
