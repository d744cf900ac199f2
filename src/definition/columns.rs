//! Some columns of a row.

use std::ops::Range;

/// Columns of a row, ascending, as runs of neighbours: loops over a run are loops over a slice.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    runs: Vec<Range<usize>>,
    len: usize,
}

impl Columns {
    /// All of the runs, which ascend.
    pub(crate) fn of(runs: impl IntoIterator<Item = Range<usize>>) -> Self {
        // Some are cut in two.
        let mut found = Self { runs: Vec::with_capacity(4), len: 0 };
        for run in runs.into_iter().filter(|run| !run.is_empty()) {
            found.len += run.len();
            found.runs.push(run);
        }
        found
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn contains(&self, column: usize) -> bool {
        self.runs.iter().any(|run| run.contains(&column))
    }

    pub(crate) fn runs(&self) -> impl Iterator<Item = Range<usize>> + Clone + '_ {
        self.runs.iter().cloned()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + Clone + '_ {
        self.runs().flatten()
    }

    /// Something of each.
    pub(crate) fn map<T>(&self, mut of: impl FnMut(usize) -> T) -> Vec<T> {
        let mut found = Vec::with_capacity(self.len);
        // A run at a time, so that it knows how many there are.
        self.runs().for_each(|run| found.extend(run.map(&mut of)));
        found
    }

    /// Moves all of them on, each by so many.
    pub(crate) fn shift(&mut self, by: usize) {
        for run in &mut self.runs {
            *run = run.start + by..run.end + by;
        }
    }

    /// The columns but for this one.
    pub(crate) fn without(mut self, column: usize) -> Self {
        let Some(at) = self.runs.iter().position(|run| run.contains(&column)) else { return self };
        let behind = column + 1..self.runs[at].end;
        self.runs[at].end = column;
        if !behind.is_empty() {
            self.runs.insert(at + 1, behind);
        }
        if self.runs[at].is_empty() {
            self.runs.remove(at);
        }
        self.len -= 1;
        self
    }
}

impl From<Range<usize>> for Columns {
    fn from(run: Range<usize>) -> Self {
        Self::of(std::iter::once(run))
    }
}

impl FromIterator<usize> for Columns {
    fn from_iter<I: IntoIterator<Item = usize>>(columns: I) -> Self {
        let mut found = Self::default();
        found.extend(columns);
        found
    }
}

impl Extend<usize> for Columns {
    fn extend<I: IntoIterator<Item = usize>>(&mut self, columns: I) {
        for column in columns {
            match self.runs.last_mut() {
                Some(run) if run.end == column => run.end += 1,
                _ => self.runs.push(column..column + 1),
            }
            self.len += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_the_columns() {
        let columns: Columns = [0, 1, 2, 5, 7, 8].into_iter().collect();
        assert_eq!(columns.runs().collect::<Vec<_>>(), [0..3, 5..6, 7..9]);
        assert_eq!((columns.len(), columns.is_empty()), (6, false));
        for left_out in 0..10 {
            let rest = columns.clone().without(left_out);
            let expected: Vec<_> = columns.iter().filter(|&column| column != left_out).collect();
            assert_eq!(rest.iter().collect::<Vec<_>>(), expected, "without {left_out}");
            assert_eq!(rest.len(), expected.len());
            assert!(!rest.contains(left_out));
        }
        assert!(Columns::from(3..3).is_empty());
        let mut moved = columns;
        moved.shift(2);
        assert_eq!(moved.runs().collect::<Vec<_>>(), [2..5, 7..8, 9..11]);
    }
}
