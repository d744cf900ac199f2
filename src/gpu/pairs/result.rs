//! The result of a loss, of what was read back.

use crate::data::checks::{BIAS_FAULT, SCALE_FAULT, weight_fault};
use crate::data::evaluation::Evaluation;
use crate::data::input::Input;
use crate::data::mode::Mode;
use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::gpu::dispatch::readback::{Field, Staged};
use crate::gpu::pairs::sizes;
use crate::loss::SIGNS;
use crate::wgsl::layout::{Row, Totals, fault_place, wide};
use crate::wgsl::status;

impl Staged<'_> {
    /// The shape that the recording had: fewer rows than planned where the caller said so.
    pub(crate) fn sized(&self) -> Result<Shape> {
        sizes::resized(self.shape, self.totals().given)
    }

    fn totals(&self) -> Totals {
        bytemuck::pod_read_unaligned(self.part(Field::Totals).unwrap_or(&[]))
    }

    /// Checks that something was computed, and what the kernels found in the inputs.
    pub(crate) fn check(&self) -> Result<()> {
        let totals = self.totals();
        if totals.sequence == 0 {
            return Err(Error::NotComputed);
        }
        self.sized()?;
        let [embeddings, references, learned, label] = totals.faults;
        self.check_finite("embeddings", embeddings, self.shape.dimensions())?;
        self.check_finite("references", references, self.shape.dimensions())?;
        self.check_learned(learned)?;
        self.check_label(label)?;
        self.check_list(totals.list_faults)
    }

    /// The result of a loss.
    pub(crate) fn evaluation(&self) -> Result<Evaluation> {
        self.check()?;
        let totals = self.totals();
        // Infinite distances can cancel out of a loss that is finite, but not out of their means.
        let is = |wrong| totals.status & wrong != 0;
        let beyond = [
            ("the loss", is(status::LOSS_BEYOND_F32)),
            ("the sum of the positive distances", !totals.mean_positive_distance.is_finite()),
            ("the sum of the negative distances", !totals.mean_negative_distance.is_finite()),
            ("the gradient", is(status::GRADIENT_BEYOND_F32)),
        ];
        if let Some((what, _)) = beyond.into_iter().find(|&(_, is_beyond)| is_beyond) {
            return Err(Error::Overflow { what });
        }
        let shape = self.sized()?;
        let [queries, references, dimensions] =
            [shape.queries(), shape.references(), shape.dimensions()];
        let rows: Option<Vec<Row>> = self.part(Field::Rows).map(bytemuck::pod_collect_to_vec);
        Ok(Evaluation {
            loss: totals.loss,
            terms: wide(totals.terms),
            nonzero_terms: wide(totals.nonzero),
            nonzero_positive_terms: wide(totals.nonzero_positives),
            nonzero_negative_terms: wide(totals.nonzero_negatives),
            positive_pairs: wide(totals.positive_pairs),
            negative_pairs: wide(totals.negative_pairs),
            mean_positive_distance: totals.mean_positive_distance,
            mean_negative_distance: totals.mean_negative_distance,
            gradient: self.first_floats(Field::Gradient, queries * dimensions).unwrap_or_default(),
            gradient_references: self
                .first_floats(Field::GradientReferences, references * dimensions),
            gradient_beta: self.floats(Field::GradientBeta),
            gradient_scale: self.floats(Field::GradientScale).map(|numbers| numbers[0]),
            gradient_bias: self.floats(Field::GradientBias).map(|numbers| numbers[0]),
            per_anchor: rows.map(|rows| {
                rows.iter().take(queries).map(|row| row.loss + row.negative_loss).collect()
            }),
        })
    }

    /// The first listed index without a row, pair of a row with itself, and target that is not
    /// finite or not allowed.
    pub(crate) fn check_list(&self, [index, pair, target, target_value]: [u32; 4]) -> Result<()> {
        let limit = self.shape.queries();
        let (what, columns) =
            if self.shape.mode() == Mode::Triplets { ("triplets", 3) } else { ("pairs", 2) };
        if let Some(place) = fault_place(index) {
            return Err(Error::IndexOutOfRange {
                what,
                row: place / columns,
                column: place % columns,
                limit,
            });
        }
        if let Some(row) = fault_place(pair) {
            return Err(Error::PairWithItself { row });
        }
        if self.shape.has_weights() {
            return self.check_weights(target_value);
        }
        let columns = if self.shape.mode().is_scored() { 1 } else { self.shape.dimensions() };
        self.check_finite("targets", target_value, columns)?;
        match fault_place(target) {
            Some(place) if self.shape.mode() == Mode::Pointwise => {
                let [row, column] =
                    [place / self.shape.dimensions(), place % self.shape.dimensions()];
                Err(Error::Target { what: "targets", row, column, allowed: SIGNS })
            }
            Some(row) => Err(Error::Target { what: "same", row, column: 0, allowed: "0 or 1" }),
            None => Ok(()),
        }
    }

    fn check_weights(&self, key: u32) -> Result<()> {
        let input = match self.shape.class_weights() {
            0 => Input::Weights,
            _ => Input::ClassWeights,
        };
        fault_place(key).map_or(Ok(()), |row| Err(weight_fault(input.name(), row)))
    }

    pub(crate) fn check_finite(&self, what: &'static str, key: u32, columns: usize) -> Result<()> {
        match fault_place(key) {
            Some(place) => {
                Err(Error::NotFinite { what, row: place / columns, column: place % columns })
            }
            None => Ok(()),
        }
    }

    fn check_learned(&self, key: u32) -> Result<()> {
        // Only what is given can be wrong, and no loss has both betas and a bias.
        match fault_place(key) {
            Some(0) if self.shape.has_scale() => Err(SCALE_FAULT),
            Some(1) if self.shape.has_bias() => Err(BIAS_FAULT),
            _ => self.check_finite("beta", key, 1),
        }
    }

    fn check_label(&self, key: u32) -> Result<()> {
        let (what, limit) = match self.shape.mode() {
            Mode::Scores => ("class", self.shape.references()),
            Mode::Prototypes => ("prototype", self.shape.classes()),
            Mode::Pointwise => ("class", self.shape.dimensions()),
            _ => ("beta", self.shape.betas()),
        };
        // A label without an entry has none of the fewest.
        let (what, limit) = match self.shape.class_weights() {
            weights if weights > 0 && (limit == 0 || weights < limit) => ("class weight", weights),
            _ => (what, limit),
        };
        match fault_place(key) {
            Some(row) => Err(Error::LabelOutOfRange { what, row, label: None, limit }),
            None => Ok(()),
        }
    }
}
