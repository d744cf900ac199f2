//! The numbers that a batch may have beside its rows: what losses learn, and the weights of anchors.

use std::borrow::Cow;

use crate::data::batch::Batch;
use crate::data::checks::{BIAS_FAULT, SCALE_FAULT, check_labels, check_rows, check_weights};
use crate::data::input::Input;
use crate::error::{Error, Result};
use crate::loss::{Description, Learned};

impl<'a> Batch<'a> {
    /// The batch with the boundaries of [`Margin`](crate::Margin): one number, or one per class.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`], [`Error::TooLarge`] and [`Error::NotFinite`].
    pub fn with_beta(self, beta: &'a [f32]) -> Result<Self> {
        if beta.is_empty() {
            return Err(Error::Empty { what: "the number of betas" });
        }
        let shape = self.shape.with_betas(beta.len());
        shape.check()?;
        check_rows("beta", beta, beta.len(), 1)?;
        Ok(Self { shape, ..self }.with_floats(Input::Beta, beta))
    }

    /// The batch with the scale of the loss, in the place of the one that it has itself.
    ///
    /// Slopes are taken by the loss's own scale on their way to the gradient: of a scale that is many
    /// powers of ten away from it they may be beyond f32, which is [`Error::Overflow`].
    ///
    /// # Errors
    ///
    /// [`Error::Target`] for anything but a finite number greater than 0 that is not subnormal.
    pub fn with_scale(self, scale: &'a f32) -> Result<Self> {
        if !(scale.is_normal() && *scale > 0.0) {
            return Err(SCALE_FAULT);
        }
        let batch = Self { shape: self.shape.with_scale(), ..self };
        Ok(batch.with_floats(Input::Scale, std::slice::from_ref(scale)))
    }

    /// The batch with the bias of the loss, in the place of the one that it has itself.
    ///
    /// # Errors
    ///
    /// [`Error::NotFinite`].
    pub fn with_bias(self, bias: &'a f32) -> Result<Self> {
        if !bias.is_finite() {
            return Err(BIAS_FAULT);
        }
        let batch = Self { shape: self.shape.with_bias(), ..self };
        Ok(batch.with_floats(Input::Bias, std::slice::from_ref(bias)))
    }

    /// The batch with a weight for every row of the embeddings: what the terms of that anchor are
    /// multiplied by; or with one for every pair or triplet of a list, whose term it multiplies.
    /// Means are over as many terms as without. A term of two anchors, an unordered
    /// pair of [`LiftedStructured`](crate::LiftedStructured), has the mean of both weights.
    ///
    /// # Errors
    ///
    /// [`Error::Length`]; [`Error::Target`] for a weight that is not finite or below 0, and
    /// [`Error::NotInMode`] for scored pairs and pointwise values.
    pub fn with_weights(self, weights: &'a [f32]) -> Result<Self> {
        let shape = self.shape.with_weights();
        shape.check()?;
        check_weights("weights", weights, shape.numbers(Input::Weights))?;
        let inputs = self.inputs.without(Input::ClassWeights);
        Ok(Self { shape, inputs }.with_floats(Input::Weights, weights))
    }

    /// The batch with a weight for every class, which every row of that label has as its
    /// [weight](Self::with_weights).
    ///
    /// # Errors
    ///
    /// [`Error::Empty`]; those of [`with_weights`](Self::with_weights), and
    /// [`Error::LabelOutOfRange`] for a label without a weight; [`Error::NotInMode`] for lists too,
    /// whose rows have no labels.
    pub fn with_class_weights(self, weights: &'a [f32]) -> Result<Self> {
        let shape = self.shape.with_class_weights(weights.len());
        shape.check()?;
        check_weights("class weights", weights, weights.len())?;
        check_labels(self.labels(), "class weight", weights.len())?;
        let inputs = self.inputs.without(Input::Weights);
        Ok(Self { shape, inputs }.with_floats(Input::ClassWeights, weights))
    }

    /// The betas given; may be empty.
    pub fn beta(&self) -> &'a [f32] {
        self.floats(Input::Beta)
    }

    /// The scale given, if there is one.
    pub fn scale(&self) -> Option<f32> {
        self.floats(Input::Scale).first().copied()
    }

    /// The bias given, if there is one.
    pub fn bias(&self) -> Option<f32> {
        self.floats(Input::Bias).first().copied()
    }

    /// The weights given, of rows, pairs or triplets, or of classes; may be empty.
    pub fn weights(&self) -> &'a [f32] {
        self.floats(match self.inputs.has(Input::ClassWeights) {
            true => Input::ClassWeights,
            false => Input::Weights,
        })
    }

    /// The weight of every row; empty where there are none, and of lists.
    pub(crate) fn row_weights(&self) -> Cow<'a, [f32]> {
        let weights = if self.shape.listed() > 0 { &[] } else { self.weights() };
        match self.inputs.has(Input::ClassWeights) {
            true => self.labels().iter().map(|&label| weights[label as usize]).collect(),
            false => weights.into(),
        }
    }

    /// All numbers that the loss learns, one after the other: those that are given, and where none
    /// are its own.
    pub(crate) fn learned(&self, loss: &(impl Description + ?Sized)) -> Vec<f32> {
        let numbers = |learned: Learned| match self.floats(learned.input) {
            [] => vec![learned.default],
            given => given.to_vec(),
        };
        loss.learned().into_iter().flat_map(numbers).collect()
    }
}
