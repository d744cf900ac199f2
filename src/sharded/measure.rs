//! Retrieval among the rows of all ranks.

use super::Sharded;
use super::communicator::{Communicator, halves, whole};
use super::shard::{Shard, Sizes, Weights};
use crate::data::batch::Batch;
use crate::data::mode::Mode;
use crate::error::Result;
use crate::measures::{QueryMeasures, QueryScores, Retrieval};

impl<C: Communicator> Sharded<'_, C> {
    /// Measures retrieval among the rows of all ranks, each of which sees to its own queries by its
    /// engine, as [`evaluate`](Self::evaluate) does. The measures are those of all queries, the same
    /// in every rank; on the CPU they have the bits of one machine.
    ///
    /// # Errors
    ///
    /// Those of [`evaluate`](Self::evaluate), and of [`Retrieval::check`].
    pub fn measure(
        &self,
        retrieval: &Retrieval,
        shard: &Shard<'_>,
        engine: impl Fn(&Retrieval, &Batch<'_>) -> Result<QueryMeasures>,
    ) -> Result<QueryMeasures> {
        let sizes = Sizes::agree(self.communicator, shard, &format!("{retrieval:?}"))?;
        let shape = shard.shape_of(&sizes);
        shape.check()?;
        retrieval.check(&shape)?;
        let columns = self.gather(shard.columns(), &sizes.words_of_columns(1), shard)?;
        let measure = || {
            if shard.queries.labels.is_empty() {
                return Ok(Vec::new());
            }
            let mut batch = shard.batch(shard.queries, Some(columns.rows()), Weights::None)?;
            if let Some(offset) = shard.own_offset() {
                batch = batch.with_reference_offset(offset + sizes.own_queries().start)?;
            }
            let queries = engine(retrieval, &batch)?;
            Ok(queries
                .queries()
                .iter()
                .flat_map(|scores| to_words(scores.as_ref(), retrieval))
                .collect())
        };
        let found: Result<Vec<u32>> = measure();
        let found = self.agree(found)?;
        let length = to_words(None, retrieval).len();
        let words = self.communicator.all_gather(&found, &sizes.words_of_queries(length))?;
        let labels = match shard.mode() {
            Mode::Batch => columns.rows().labels.to_vec(),
            _ => self.communicator.all_gather(shard.queries.labels, &sizes.words_of_queries(1))?,
        };
        let queries = words.chunks_exact(length).map(|words| from_words(words, retrieval));
        Ok(QueryMeasures::new(retrieval, &labels, queries.collect()))
    }
}

/// The words of a query, of one without a positive all 0.
fn to_words(scores: Option<&QueryScores>, retrieval: &Retrieval) -> Vec<u32> {
    let lengths = [retrieval.precision_at.len(), retrieval.ndcg_at.len()];
    let numbers = match scores {
        None => vec![0.0; 3 + lengths[0] + lengths[1]],
        Some(scores) => {
            let single =
                [scores.r_precision, scores.average_precision_at_r, scores.average_precision];
            [&single, &*scores.precision, &*scores.ndcg].concat()
        }
    };
    // Ranks are counted from 1.
    let first = scores.map_or(0, |scores| scores.first as u64);
    [first].into_iter().chain(numbers.into_iter().map(f64::to_bits)).flat_map(halves).collect()
}

fn from_words(words: &[u32], retrieval: &Retrieval) -> Option<QueryScores> {
    let bits: Vec<_> = words.chunks_exact(2).map(whole).collect();
    let numbers: Vec<_> = bits[1..].iter().copied().map(f64::from_bits).collect();
    let (precision, ndcg) = numbers[3..].split_at(retrieval.precision_at.len());
    (bits[0] > 0).then(|| QueryScores {
        first: bits[0] as usize,
        r_precision: numbers[0],
        average_precision_at_r: numbers[1],
        average_precision: numbers[2],
        precision: precision.to_vec(),
        ndcg: ndcg.to_vec(),
    })
}
