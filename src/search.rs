//! The exact nearest rows of every query, with their distances.
//!
//! The k nearest references of a query stand in the order of their distances, the lowest index
//! first where several are at the same distance, as [`measures`](crate::measures) rank them. Rows
//! are found stripe by stripe: nothing of the size of all pairs is held. Where the rows stay on the
//! GPU, [`Context::plan_search`](crate::Context::plan_search) makes a [`SearchPlan`].
//!
//! ```
//! use wgpu_metric_learning::Cpu;
//! use wgpu_metric_learning::search::Search;
//!
//! // On a line: 0 and 2 are as far from 1.
//! let references = [0.0, 2.0, 5.0];
//! let search = Search { k: 2, ..Default::default() };
//! let found = Cpu::default().search(&search, 1, &[1.0, 4.0], &references).wait()?;
//! assert_eq!((found.indices, found.distances), (vec![0, 1, 2, 1], vec![1.0, 1.0, 1.0, 2.0]));
//! # Ok::<(), wgpu_metric_learning::Error>(())
//! ```

use serde::{Deserialize, Serialize};

use crate::data::batch::Batch;
use crate::data::shape::Shape;
use crate::error::{Error, Result};
#[cfg(feature = "gpu")]
pub use crate::gpu::SearchPlan;
use crate::loss::Distance;

/// What is searched. Its serde form are its fields; what is left out takes the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Search {
    /// How many neighbours every query has: from 1 to the number of references, less one with a
    /// `reference_offset`. Default 10.
    pub k: usize,
    /// The distance that ranks. Default `Euclidean`.
    pub distance: Distance,
    /// Whether every row is divided by its norm first. Default false.
    pub normalize: bool,
    /// Where the queries are among the references: query i is the same row as reference i + this,
    /// and is no neighbour of itself. Default none.
    pub reference_offset: Option<usize>,
}

impl Default for Search {
    fn default() -> Self {
        Self { k: 10, distance: Distance::Euclidean, normalize: false, reference_offset: None }
    }
}

impl Search {
    /// Checks the parameters for `n` queries and `m` references of `d` numbers.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a k outside its range and for an offset at which a query has no
    /// reference; [`Error::Empty`] and [`Error::TooLarge`].
    pub fn check(&self, [n, m, d]: [usize; 3]) -> Result<()> {
        self.shape([n, m, d]).check()?;
        let most = m - usize::from(self.reference_offset.is_some());
        if (1..=most).contains(&self.k) {
            return Ok(());
        }
        Err(Error::Parameter {
            of: "Search",
            parameter: "k",
            value: format!("{} with {m} references", self.k),
            allowed: "from 1 to the number of references, less one where queries are among them",
        })
    }

    /// Does something with these queries and references as a batch.
    pub(crate) fn with_batch<T>(
        &self,
        dimensions: usize,
        [queries, references]: [&[f32]; 2],
        work: impl FnOnce(&Batch<'_>) -> Result<T>,
    ) -> Result<T> {
        let [n, m] = [queries, references].map(|rows| rows.len() / dimensions.max(1));
        self.check([n, m, dimensions])?;
        // Rows of one class: every reference is as good as any other.
        let labels = vec![0; n.max(m)];
        let batch = Batch::new(queries, [n, dimensions], &labels[..n])?;
        let mut batch = batch.with_references(references, m, &labels[..m])?;
        if let Some(offset) = self.reference_offset {
            batch = batch.with_reference_offset(offset)?;
        }
        work(&batch)
    }

    pub(crate) fn shape(&self, [n, m, d]: [usize; 3]) -> Shape {
        let shape = Shape::reference(n, m, d);
        self.reference_offset.map_or(shape, |offset| shape.with_reference_offset(offset))
    }
}

/// The nearest references of every query.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Neighbours {
    /// N x k, query by query: which references they are, the nearest first.
    pub indices: Vec<u32>,
    /// N x k: how far each is from its query, ascending in a row.
    pub distances: Vec<f32>,
}
