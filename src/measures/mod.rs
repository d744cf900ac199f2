//! How well embeddings retrieve their own class: Recall@k, Precision@k, R-precision, MAP@R, MAP,
//! MRR and NDCG@k, without a gradient.
//!
//! Every row is a query. In batch mode it is compared with all other rows, in reference mode with
//! all references. The columns are ranked by their distance to the query, the lowest column first
//! where several are at the same distance. R is the number of columns that have the query's label;
//! a query with none is not counted. Over the counted queries:
//!
//! | measure | definition |
//! |---|---|
//! | Recall@k | share of the queries with a column of their label among the k nearest; k beyond the number of columns means all |
//! | Precision@k | mean of (columns of the query's label among the k nearest) / k, also where there are fewer than k columns; Precision@1 is the same as Recall@1 |
//! | R-precision | mean of (columns of the query's label among the R nearest) / R |
//! | MAP@R | mean of 1 / R times the sum, over the ranks r of 1 ..= R with a column of the query's label, of (columns of that label among the r nearest) / r |
//! | MAP, mean average precision | the same over the ranks of all R columns of the query's label |
//! | MRR, mean reciprocal rank | mean of 1 / (the rank of the nearest column of the query's label) |
//! | NDCG@k | mean of the sum of 1 / log2(r + 1) over the ranks r of 1 ..= k with a column of the query's label, divided by the same sum over all ranks of 1 ..= min(k, R) |
//!
//! Each is in \[0, 1\] but for f32's rounding, and 0 where no query is counted.
//!
//! Sources: Musgrave, Belongie and Lim, "A Metric Learning Reality Check", ECCV 2020, for MAP@R;
//! Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 2008, chapter 8, for MAP
//! and precision; Voorhees, "The TREC-8 Question Answering Track Report", 1999, for MRR; Järvelin
//! and Kekäläinen, "Cumulated Gain-Based Evaluation of IR Techniques", TOIS 2002, for NDCG, with
//! gains of 0 and 1.
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
//! Nothing of the size of all pairs is held: rows are ranked stripe by stripe, each in O(M log R)
//! for M columns and R up to 1,024; on a GPU a row with more goes over its columns once more for
//! every further 1,024. Where the embeddings stay on the GPU,
//! [`Context::plan_measures`](crate::Context::plan_measures) makes a [`MeasurePlan`].
//! [`QueryMeasures`] are those of each query and class, and [`Verification`] asks of pairs whether
//! they are the same, with [`Context::plan_verification`](crate::Context::plan_verification) on the
//! GPU.

mod queries;
mod verification;

use serde::{Deserialize, Serialize};

use crate::data::mode::Mode;
use crate::data::shape::Shape;
use crate::error::{Error, Result};
#[cfg(feature = "gpu")]
pub use crate::gpu::{MeasurePlan, VerificationPlan};
use crate::loss::Distance;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::{Chunks, SORTED_CHUNK, SORTING_ROUNDS, Walk};
pub use queries::QueryMeasures;
pub(crate) use queries::QueryScores;
pub(crate) use verification::{Counted, check_kinds, most_of};
pub use verification::{Verification, Verified};

/// How many k of Precision@k and NDCG@k there may be: each is a reduction of its own in every row.
const MOST_CUTOFFS: usize = 64;

/// Rounds of the reductions for them, a count and the steps of a tree each.
#[cfg(feature = "gpu")]
const CUTOFF_ROUNDS: u64 = 10 * MOST_CUTOFFS as u64;

/// How much a column of the query's label gains at this rank, from 1 on.
pub(crate) fn discount(rank: usize) -> f64 {
    1.0 / (rank as f64 + 1.0).log2()
}

/// The walk of `shaders/measures/ranks.wgsl`: a chunk is sorted, and meets the positives and the
/// negatives.
#[cfg(feature = "gpu")]
pub(crate) const RANKING: Walk = Walk {
    reads: 1,
    chunks: Some(Chunks {
        size: SORTED_CHUNK,
        most: 8,
        reads: 3,
        rounds: SORTING_ROUNDS + CUTOFF_ROUNDS,
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
    /// The k of Precision@k, each at least 1, in any order; with those of NDCG@k at most 64.
    /// Default none.
    pub precision_at: Vec<usize>,
    /// The k of NDCG@k, each at least 1, in any order. Default none.
    pub ndcg_at: Vec<usize>,
}

impl Default for Retrieval {
    fn default() -> Self {
        Self {
            distance: Distance::Euclidean,
            normalize: false,
            recall_at: vec![1, 2, 4, 8],
            precision_at: Vec::new(),
            ndcg_at: Vec::new(),
        }
    }
}

impl Retrieval {
    const NAME: &str = "Retrieval";

    /// Checks the parameters, and that retrieval is defined for inputs of this shape.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a k of 0 and for more than 64 k of Precision@k and NDCG@k together,
    /// [`Error::Unsupported`] for a mode other than batch and
    /// reference, and for betas.
    pub fn check(&self, shape: &Shape) -> Result<()> {
        let lists = [
            ("recall_at", &self.recall_at),
            ("precision_at", &self.precision_at),
            ("ndcg_at", &self.ndcg_at),
        ];
        let refused = |parameter, value: String, allowed| {
            Err(Error::Parameter { of: Self::NAME, parameter, value, allowed })
        };
        if let Some((parameter, _)) = lists.into_iter().find(|(_, at)| at.contains(&0)) {
            return refused(parameter, "0".into(), "1 or more");
        }
        let cutoffs = self.precision_at.len() + self.ndcg_at.len();
        if cutoffs > MOST_CUTOFFS {
            let value = format!("with ndcg_at {cutoffs} numbers");
            return refused("precision_at", value, "at most 64 in both");
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
    /// Precision@k for every k of [`Retrieval::precision_at`], in its order.
    pub precision: Vec<T>,
    /// NDCG@k for every k of [`Retrieval::ndcg_at`], in its order.
    pub ndcg: Vec<T>,
    /// R-precision.
    pub r_precision: T,
    /// MAP@R.
    pub mean_average_precision_at_r: T,
    /// MRR.
    pub mean_reciprocal_rank: T,
    /// MAP.
    pub mean_average_precision: T,
}

impl<T> Measures<T> {
    /// These measures with every share made into another number, as
    /// [`Evaluation::map`](crate::Evaluation::map) does.
    pub fn map<U>(self, change: impl Fn(T) -> U) -> Measures<U> {
        let all = |numbers: Vec<T>| numbers.into_iter().map(&change).collect();
        Measures {
            queries: self.queries,
            counted: self.counted,
            recall: all(self.recall),
            precision: all(self.precision),
            ndcg: all(self.ndcg),
            precision_at_1: change(self.precision_at_1),
            r_precision: change(self.r_precision),
            mean_average_precision_at_r: change(self.mean_average_precision_at_r),
            mean_reciprocal_rank: change(self.mean_reciprocal_rank),
            mean_average_precision: change(self.mean_average_precision),
        }
    }
}
