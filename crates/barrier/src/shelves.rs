//! Names in order, each with its head: many to a buffer, so that whoever goes through them reads memory in a row.
//!
//! A tree of texts would follow a pointer a name, and a listing of many waits for memory at each. Buffers are wiped when
//! they are left: when they grow, are divided, lose a name, and when they are dropped.

use crate::index::Head;
use std::ops::Bound;
use std::sync::Arc;

/// Most names of a shelf.
const NAMES: usize = 256;
/// Most bytes of a shelf's names.
const BYTES: usize = 32 * 1024;

/// Names in order with their heads, without doubles.
#[derive(Default)]
pub(crate) struct Shelves {
    /// None is empty; the names of one all come before those of the next.
    shelves: Vec<Shelf>,
    len: usize,
}

/// A shelf of names in one buffer.
#[derive(Default)]
struct Shelf {
    text: String,
    /// Where each name ends.
    ends: Vec<u32>,
    heads: Vec<Arc<Head>>,
}

impl Shelves {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Head>> {
        let run = self.shelves.get(self.run_of(name))?;
        run.find(name).ok().and_then(|at| run.heads.get(at))
    }

    /// Puts a name in its place; one that is there gets the new head.
    pub(crate) fn insert(&mut self, name: &str, head: Arc<Head>) {
        if self.shelves.is_empty() {
            self.shelves.push(Shelf::default());
        }
        let place = self.run_of(name);
        let Some(run) = self.shelves.get_mut(place) else { return };
        match run.find(name) {
            Ok(at) => {
                if let Some(old) = run.heads.get_mut(at) {
                    *old = head;
                }
                return;
            }
            Err(at) => run.insert(at, name, head),
        }
        self.len += 1;
        if run.heads.len() > NAMES || (run.text.len() > BYTES && run.heads.len() > 1) {
            let upper = run.split();
            self.shelves.insert(place + 1, upper);
        }
    }

    /// Takes a name away.
    pub(crate) fn remove(&mut self, name: &str) {
        let place = self.run_of(name);
        let Some(run) = self.shelves.get_mut(place) else { return };
        let Ok(at) = run.find(name) else { return };
        run.remove(at);
        self.len -= 1;
        if run.heads.is_empty() {
            self.shelves.remove(place);
        }
    }

    /// From a name on, in order.
    pub(crate) fn from<'a>(&'a self, start: Bound<&str>) -> impl Iterator<Item = (&'a str, &'a Arc<Head>)> {
        let (name, beyond) = match start {
            Bound::Included(name) => (name, false),
            Bound::Excluded(name) => (name, true),
            Bound::Unbounded => ("", false),
        };
        let place = self.run_of(name);
        let at = self.shelves.get(place).map_or(0, |run| match run.find(name) {
            Ok(at) => at + usize::from(beyond),
            Err(at) => at,
        });
        let shelves = self.shelves.get(place..).unwrap_or_default();
        shelves.iter().enumerate().flat_map(move |(nth, run)| run.from(if nth == 0 { at } else { 0 }))
    }

    /// The run that has a name, or would get it.
    fn run_of(&self, name: &str) -> usize {
        self.shelves.partition_point(|run| run.name(0) <= name).saturating_sub(1)
    }
}

impl Shelf {
    fn start(&self, at: usize) -> usize {
        let before = at.checked_sub(1).and_then(|before| self.ends.get(before));
        before.map_or(0, |end| *end as usize)
    }

    fn name(&self, at: usize) -> &str {
        let end = self.ends.get(at).map_or(self.text.len(), |end| *end as usize);
        self.text.get(self.start(at)..end).unwrap_or_default()
    }

    /// Where a name is, or would be.
    fn find(&self, name: &str) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.name(middle).cmp(name) {
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    fn from(&self, at: usize) -> impl Iterator<Item = (&str, &Arc<Head>)> {
        let heads = self.heads.get(at..).unwrap_or_default();
        let ends = self.ends.get(at..).unwrap_or_default();
        let mut start = self.start(at);
        ends.iter().zip(heads).map(move |(end, head)| {
            let name = self.text.get(start..*end as usize).unwrap_or_default();
            start = *end as usize;
            (name, head)
        })
    }

    fn insert(&mut self, at: usize, name: &str, head: Arc<Head>) {
        let start = self.start(at);
        let needed = self.text.len() + name.len();
        if needed > self.text.capacity() {
            // a buffer that grows by itself leaves a copy behind
            let mut grown = String::with_capacity((needed * 2).clamp(256, BYTES.max(needed) + 1024));
            grown.push_str(&self.text);
            self.leave(grown);
        }
        self.text.insert_str(start, name);
        let added = u32::try_from(name.len()).unwrap_or(u32::MAX);
        self.ends.iter_mut().skip(at).for_each(|end| *end += added);
        self.ends.insert(at, u32::try_from(start).unwrap_or(u32::MAX) + added);
        self.heads.insert(at, head);
    }

    fn remove(&mut self, at: usize) {
        let (start, end) = (self.start(at), self.start(at + 1));
        let mut rest = String::with_capacity(self.text.capacity());
        rest.push_str(self.text.get(..start).unwrap_or_default());
        rest.push_str(self.text.get(end..).unwrap_or_default());
        self.leave(rest);
        self.ends.remove(at);
        let gone = u32::try_from(end - start).unwrap_or(u32::MAX);
        self.ends.iter_mut().skip(at).for_each(|end| *end -= gone);
        self.heads.remove(at);
    }

    /// Keeps the lower half and gives the upper one.
    fn split(&mut self) -> Self {
        let middle = self.heads.len() / 2;
        let cut = self.start(middle);
        let (lower, upper) = (self.text.get(..cut), self.text.get(cut..));
        let [lower, upper] = [lower, upper].map(|half| {
            let half = half.unwrap_or_default();
            let mut text = String::with_capacity(half.len() + half.len() / 2);
            text.push_str(half);
            text
        });
        self.leave(lower);
        let offset = u32::try_from(cut).unwrap_or(u32::MAX);
        let ends = self.ends.split_off(middle).into_iter().map(|end| end - offset).collect();
        Self { text: upper, ends, heads: self.heads.split_off(middle) }
    }

    /// Goes on with another buffer and wipes the one before.
    fn leave(&mut self, text: String) {
        let left = std::mem::replace(&mut self.text, text);
        strongroom_secret::wipe(&mut left.into_bytes());
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.leave(String::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use strongroom_model::ObjectId;

    fn head(number: u8) -> Arc<Head> {
        Arc::new(Head::new(ObjectId([number; 16]), false))
    }

    /// A few hundred names of some shapes, the same for the same number.
    fn name(number: u32) -> String {
        let number = number.wrapping_mul(2_654_435_761) >> 20;
        format!("{}/{number:x}{}", number % 7, "é".repeat((number % 40) as usize))
    }

    #[test]
    fn it_is_what_a_map_is_however_names_come_and_go() {
        let mut shelves = Shelves::default();
        let mut map: BTreeMap<String, u8> = BTreeMap::new();
        for step in 0..6_000_u32 {
            let (name, number) = (name(step), (step % 251) as u8);
            if step % 3 == 2 {
                shelves.remove(&name);
                map.remove(&name);
            } else {
                shelves.insert(&name, head(number));
                map.insert(name, number);
            }
        }
        assert!(map.len() > 4 * NAMES, "{}", map.len());
        assert_eq!(shelves.len(), map.len());
        let all = |start: Bound<&str>| {
            shelves.from(start).map(|(name, head)| (name.to_owned(), head.object.0[0])).collect::<Vec<_>>()
        };
        let expected = |start: Bound<&str>| {
            let range = map.range::<str, _>((start, Bound::Unbounded));
            range.map(|(name, number)| (name.clone(), *number)).collect::<Vec<_>>()
        };
        assert_eq!(all(Bound::Unbounded), expected(Bound::Unbounded));
        for step in (0..6_000).step_by(37) {
            let name = name(step);
            assert_eq!(shelves.get(&name).map(|head| head.object.0[0]), map.get(&name).copied());
            for start in [Bound::Included(name.as_str()), Bound::Excluded(name.as_str())] {
                assert_eq!(all(start), expected(start));
            }
        }
    }

    #[test]
    fn the_longest_names_have_shelves_too() {
        let mut shelves = Shelves::default();
        for number in 0..200 {
            shelves.insert(&format!("{number:04}{}", "x".repeat(1_020)), head(1));
        }
        assert_eq!(shelves.len(), 200);
        assert!(shelves.shelves.iter().all(|run| run.text.len() <= BYTES));
        for number in 0..200 {
            shelves.remove(&format!("{number:04}{}", "x".repeat(1_020)));
        }
        assert_eq!((shelves.len(), shelves.shelves.len()), (0, 0));
        assert!(shelves.get("").is_none() && shelves.from(Bound::Unbounded).next().is_none());
    }
}
