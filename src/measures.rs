//! How well embeddings retrieve their own class: Recall@k, Precision@1, R-precision and MAP@R,
//! without a gradient.
//!
//! Every row is a query. In batch mode it is compared with all other rows, in reference mode with
//! all references. The columns are ranked by their distance to the query, the lowest column first
//! where several are at the same distance. R is the number of columns that have the query's label;
//! a query with none is not counted. Over the counted queries:
//!
//! | measure | definition |
//! |---|---|
//! | Recall@k | share of the queries with a column of their label among the k nearest; k beyond the number of columns means all |
//! | Precision@1 | the same as Recall@1 |
//! | R-precision | mean of (columns of the query's label among the R nearest) / R |
//! | MAP@R | mean of 1 / R times the sum, over the ranks r of 1 ..= R with a column of the query's label, of (columns of that label among the r nearest) / r |
//!
//! Each is in \[0, 1\], and 0 where no query is counted.
//!
//! Source: Musgrave, Belongie and Lim, "A Metric Learning Reality Check", ECCV 2020.
//!
//! ```
//! use wgpu_metric_learning::measures::Retrieval;
//! use wgpu_metric_learning::{Batch, Context, reference};
//!
//! // On a line: the row nearest to each is of another class.
//! let batch = Batch::new(&[0.0, 3.0, 1.0, 9.0, 7.0], [5, 1], &[7, 7, 8, 8, 9])?;
//! let retrieval = Retrieval { recall_at: vec![1, 2], ..Default::default() };
//! let measures = Context::headless()?.measure(&retrieval, &batch).wait()?;
//! assert_eq!([measures.queries, measures.counted], [5, 4]);
//! assert_eq!(measures.recall, [0.0, 0.5]);
//!
//! let expected = reference::measure_with_bounds(&retrieval, &batch)?;
//! assert!(expected.compare(&measures).agrees());
//! # Ok::<(), wgpu_metric_learning::Error>(())
//! ```
//!
//! Nothing of the size of all pairs is held: rows are ranked stripe by stripe, each in O(M log K)
//! for M columns and K positives up to 1,024, and for every further 1,024 of those among the K
//! nearest columns in O(M) more. Where the embeddings stay on the GPU,
//! [`Context::plan_measures`](crate::Context::plan_measures) makes a [`MeasurePlan`].

use serde::{Deserialize, Serialize};

use crate::data::shape::{Mode, Shape};
use crate::error::{Error, Result};
pub use crate::gpu::MeasurePlan;
use crate::loss::Distance;
use crate::wgsl::terms::{Chunks, SORTED_CHUNK, SORTING_ROUNDS, Walk};

/// Columns of a row that `shaders/measures/ranks.wgsl` narrows down to the nearest.
pub(crate) const NARROWED: u64 = 1 << 20;

/// The walk of a row of so many columns.
pub(crate) const fn ranking(columns: u64) -> Walk {
    // A search of two digits, and a count.
    let narrowing = if columns <= NARROWED { 3 } else { 0 };
    Walk { reads: RANKING.reads + narrowing, ..RANKING }
}

/// The walk of `shaders/measures/ranks.wgsl`: a chunk is sorted, and meets the positives and the
/// negatives.
pub(crate) const RANKING: Walk = Walk {
    reads: 1,
    chunks: Some(Chunks {
        size: SORTED_CHUNK,
        most: 8,
        reads: 3,
        rounds: SORTING_ROUNDS,
        operations: 64,
    }),
};

/// What is measured. Its serde form are its fields; what is left out takes the default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retrieval {
    /// The distance that ranks the columns. Default `Euclidean`.
    pub distance: Distance,
    /// Whether every row is divided by its norm first. Default false.
    pub normalize: bool,
    /// The k of Recall@k, each at least 1, in any order. Default 1, 2, 4 and 8.
    pub recall_at: Vec<usize>,
}

impl Default for Retrieval {
    fn default() -> Self {
        Self { distance: Distance::Euclidean, normalize: false, recall_at: vec![1, 2, 4, 8] }
    }
}

impl Retrieval {
    const NAME: &str = "Retrieval";

    /// Checks the parameters, and that retrieval is defined for inputs of this shape.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a k of 0, [`Error::Unsupported`] for a mode other than batch and
    /// reference, and for betas.
    pub fn check(&self, shape: &Shape) -> Result<()> {
        if self.recall_at.contains(&0) {
            let value = "0".into();
            return Err(Error::Parameter {
                of: Self::NAME,
                parameter: "recall_at",
                value,
                allowed: "1 or more",
            });
        }
        let unsupported = |what: String, reason: &str| {
            Err(Error::Unsupported { of: Self::NAME, what, reason: reason.into() })
        };
        match (shape.mode(), shape.betas()) {
            (Mode::Batch | Mode::Reference, 0) => Ok(()),
            (Mode::Batch | Mode::Reference, _) => unsupported("beta".into(), "only Margin has one"),
            (mode, _) => unsupported(
                format!("inputs in {} mode", mode.name()),
                "it takes batch and reference mode",
            ),
        }
    }
}

/// How well embeddings retrieve their own class: `Measures<f32>` from the GPU, `Measures<f64>` from
/// the CPU reference. The definitions are those of the [module](self).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Measures<T = f32> {
    /// N.
    pub queries: u64,
    /// Queries with a column of their label: those that the measures are means over.
    pub counted: u64,
    /// Precision@1.
    pub precision_at_1: T,
    /// Recall@k for every k of [`Retrieval::recall_at`], in its order.
    pub recall: Vec<T>,
    /// R-precision.
    pub r_precision: T,
    /// MAP@R.
    pub mean_average_precision_at_r: T,
}

impl<T> Measures<T> {
    /// These measures with every share made into another number, as
    /// [`Evaluation::map`](crate::Evaluation::map) does.
    pub fn map<U>(self, change: impl Fn(T) -> U) -> Measures<U> {
        Measures {
            queries: self.queries,
            counted: self.counted,
            precision_at_1: change(self.precision_at_1),
            recall: self.recall.into_iter().map(&change).collect(),
            r_precision: change(self.r_precision),
            mean_average_precision_at_r: change(self.mean_average_precision_at_r),
        }
    }
}
