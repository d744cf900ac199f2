//! What comes back.

/// The result of evaluating a loss: `Evaluation<f32>` from the GPU, `Evaluation<f64>` from the CPU
/// reference.
///
/// Gradients are those of `loss` with respect to the raw inputs, with the shape of the input, row
/// by row.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Evaluation<T = f32> {
    /// The reduced loss.
    pub loss: T,
    /// How many terms there are. What a term is, is said by each loss.
    pub terms: u64,
    /// How many of them are strictly greater than 0.
    pub nonzero_terms: u64,
    /// How many non-zero terms are of positive pairs (contrastive and Wu's margin; else 0).
    pub nonzero_positive_terms: u64,
    /// How many non-zero terms are of negative pairs (contrastive and Wu's margin; else 0).
    pub nonzero_negative_terms: u64,
    /// Ordered pairs with equal labels; of lists and row-aligned pairs those that are the same, of
    /// triplets one each, repeats counted; 0 in scores and pointwise mode.
    pub positive_pairs: u64,
    /// Ordered pairs with different labels; of lists and row-aligned pairs those that are
    /// different, of triplets one each, repeats counted; 0 in scores and pointwise mode.
    pub negative_pairs: u64,
    /// Mean distance of the positive pairs, whatever was mined; 0 where there are none.
    pub mean_positive_distance: T,
    /// Mean distance of the negative pairs, whatever was mined; 0 where there are none.
    pub mean_negative_distance: T,
    /// The gradient, N x D, with respect to the embeddings, scores, predictions, logits or
    /// weights.
    pub gradient: Vec<T>,
    /// The gradient, M x D, with respect to the references, prototypes or second rows of pairs,
    /// where there are any that are not fixed.
    pub gradient_references: Option<Vec<T>>,
    /// The gradient with respect to each beta (Wu's margin).
    pub gradient_beta: Option<Vec<T>>,
    /// The derivative with respect to the scale, for losses that have one.
    pub gradient_scale: Option<T>,
    /// The derivative with respect to the bias, for losses that have one.
    pub gradient_bias: Option<T>,
    /// N: the sum of each anchor's terms before any reduction, of pointwise losses the row's;
    /// `None` for losses whose terms belong to no anchor or are single values.
    pub per_anchor: Option<Vec<T>>,
}

impl<T> Evaluation<T> {
    /// This result with every number that is not a count made into another one, for another
    /// precision, for instance. Each is visited once: the loss, the mean distances, the tables,
    /// the derivatives by scale and bias.
    ///
    /// ```
    /// # use wgpu_metric_learning::Evaluation;
    /// # let mut evaluation = Evaluation::default();
    /// # evaluation.gradient = vec![0.5_f32];
    /// let wide: Evaluation<f64> = evaluation.map(f64::from);
    /// assert_eq!(wide.gradient, [0.5]);
    /// ```
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> Evaluation<U> {
        let [loss, mean_positive_distance, mean_negative_distance] =
            [self.loss, self.mean_positive_distance, self.mean_negative_distance].map(&mut change);
        let mut all = |numbers: Vec<T>| numbers.into_iter().map(&mut change).collect();
        Evaluation {
            loss,
            terms: self.terms,
            nonzero_terms: self.nonzero_terms,
            nonzero_positive_terms: self.nonzero_positive_terms,
            nonzero_negative_terms: self.nonzero_negative_terms,
            positive_pairs: self.positive_pairs,
            negative_pairs: self.negative_pairs,
            mean_positive_distance,
            mean_negative_distance,
            gradient: all(self.gradient),
            gradient_references: self.gradient_references.map(&mut all),
            gradient_beta: self.gradient_beta.map(&mut all),
            per_anchor: self.per_anchor.map(&mut all),
            gradient_scale: self.gradient_scale.map(&mut change),
            gradient_bias: self.gradient_bias.map(&mut change),
        }
    }
}
