//! Which columns have which label.

use std::collections::HashMap;

/// The columns of every label, ascending.
pub(super) struct Classes {
    columns: HashMap<u32, Vec<usize>>,
    count: usize,
}

impl Classes {
    /// Of the labels of the columns.
    pub(super) fn of(labels: impl Iterator<Item = u32>) -> Self {
        let mut columns: HashMap<u32, Vec<usize>> = HashMap::new();
        let mut count = 0;
        for label in labels {
            columns.entry(label).or_default().push(count);
            count += 1;
        }
        Self { columns, count }
    }

    /// The columns with the label, and those with another one, but for the one that is no pair.
    pub(super) fn split(&self, label: u32, without: Option<usize>) -> [Vec<usize>; 2] {
        let same = self.columns.get(&label).map_or(&[][..], Vec::as_slice);
        let mut others = Vec::with_capacity(self.count - same.len());
        let mut next = 0;
        for &column in same {
            others.extend(next..column);
            next = column + 1;
        }
        others.extend(next..self.count);
        others.retain(|&column| Some(column) != without);
        [same.iter().copied().filter(|&column| Some(column) != without).collect(), others]
    }
}
