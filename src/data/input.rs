//! What an evaluation can be given: the list of the inputs, and a value for each of them.

use crate::error::{Error, Result};
use crate::names::every;

/// An input of an evaluation. Which of them there are follows from the [`Mode`](crate::Mode) of the
/// shape and from the loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Input {
    /// N x D f32, row by row; in scores mode the scores, in pointwise mode the predictions, logits
    /// or weights.
    Embeddings,
    /// N u32, in the modes whose rows have labels.
    Labels,
    /// M x D f32: the references, prototypes or second rows of pairs, in the modes that have them.
    References,
    /// M u32: the labels of the references, in reference mode.
    ReferenceLabels,
    /// As many f32 as the shape has betas, for Wu's margin.
    Beta,
    /// One f32, for the losses that have a scale, where the shape has it.
    Scale,
    /// One f32, for the losses that have a bias, where the shape has it.
    Bias,
    /// P x 2 u32: the rows of each listed pair, in the modes of pair indices.
    Pairs,
    /// P u32: 1 where the two rows of a pair are the same, 0 where they are different, in the modes
    /// of pairs.
    Same,
    /// T x 3 u32: anchor, positive and negative row of each listed triplet, in triplets mode.
    Triplets,
    /// N x D f32: what pointwise losses compare the predictions with; P f32 in the modes of scored
    /// pairs: how similar the rows of each should be.
    Targets,
    /// N f32: what the terms of every anchor are multiplied by, where the shape has them; P or T f32
    /// of listed pairs or triplets.
    Weights,
    /// One f32 a class: what the terms of every anchor of the class are multiplied by, where the
    /// shape has them.
    ClassWeights,
}

every! {
    /// Every input.
    pub Input: Embeddings, Labels, References, ReferenceLabels, Beta, Scale, Bias, Pairs, Same, Triplets, Targets, Weights, ClassWeights
}

impl Input {
    /// The name of the input in errors.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Embeddings => "embeddings",
            Self::Labels => "labels",
            Self::References => "references",
            Self::ReferenceLabels => "reference labels",
            Self::Beta => "beta",
            Self::Scale => "scale",
            Self::Bias => "bias",
            Self::Pairs => "pairs",
            Self::Same => "same",
            Self::Triplets => "triplets",
            Self::Targets => "targets",
            Self::Weights => "weights",
            Self::ClassWeights => "class weights",
        }
    }
}

/// A value for each input that is given: the numbers on the host, a buffer of the GPU, a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputSet<T>([Option<T>; Input::ALL.len()]);

impl<T> Default for InputSet<T> {
    fn default() -> Self {
        Self([const { None }; Input::ALL.len()])
    }
}

impl<T> InputSet<T> {
    /// A set in which nothing is given.
    pub fn new() -> Self {
        Self::default()
    }

    /// The set with this value for the input, in the place of the one before.
    pub fn with(mut self, input: Input, value: T) -> Self {
        self.0[input as usize] = Some(value);
        self
    }

    /// The set without a value for the input.
    pub fn without(mut self, input: Input) -> Self {
        self.0[input as usize] = None;
        self
    }

    /// The value of the input, if it is given.
    pub fn get(&self, input: Input) -> Option<&T> {
        self.0[input as usize].as_ref()
    }

    /// Whether the input is given.
    pub fn has(&self, input: Input) -> bool {
        self.get(input).is_some()
    }

    /// Every input that is given with its value, in the order of [`Input::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Input, &T)> {
        Input::ALL.into_iter().filter_map(|input| Some((input, self.get(input)?)))
    }

    /// The set of what `make` makes of each value.
    pub fn map<'s, U>(&'s self, mut make: impl FnMut(&'s T) -> U) -> InputSet<U> {
        InputSet(std::array::from_fn(|at| self.0[at].as_ref().map(&mut make)))
    }

    /// The set of what `make` makes of each input and its value, or the first error.
    ///
    /// # Errors
    ///
    /// Those of `make`.
    pub fn try_map<U, E>(
        &self,
        mut make: impl FnMut(Input, &T) -> std::result::Result<U, E>,
    ) -> std::result::Result<InputSet<U>, E> {
        let mut made = InputSet::new();
        for (input, value) in self.iter() {
            made = made.with(input, make(input, value)?);
        }
        Ok(made)
    }
}

/// The numbers of an input on the host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Numbers<'a> {
    F32(&'a [f32]),
    U32(&'a [u32]),
}

impl<'a> Numbers<'a> {
    /// The numbers as bytes, as the GPU has them.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        match *self {
            Self::F32(numbers) => bytemuck::cast_slice(numbers),
            Self::U32(numbers) => bytemuck::cast_slice(numbers),
        }
    }

    /// The numbers, if they are f32; else none.
    pub(crate) fn floats(&self) -> &'a [f32] {
        match *self {
            Self::F32(numbers) => numbers,
            Self::U32(_) => &[],
        }
    }

    /// The numbers, if they are u32; else none.
    pub(crate) fn indices(&self) -> &'a [u32] {
        match *self {
            Self::F32(_) => &[],
            Self::U32(numbers) => numbers,
        }
    }

    /// Whether both are the same memory.
    fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.bytes(), other.bytes())
    }
}

impl<'a> InputSet<Numbers<'a>> {
    /// The set with what another one adds; what both give has to be the same.
    pub(crate) fn join(mut self, other: &Self) -> Result<Self> {
        for (input, numbers) in other.iter() {
            match self.get(input) {
                Some(own) if !own.is(numbers) && own != numbers => {
                    return Err(Error::Set { what: input.name() });
                }
                Some(_) => {}
                None => self = self.with(input, *numbers),
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_has_a_place_of_its_own() {
        let set = Input::ALL.into_iter().fold(InputSet::new(), |set, one| set.with(one, one));
        assert!(set.iter().all(|(input, value)| input == *value));
        assert_eq!(set.iter().count(), Input::ALL.len());
        assert!(!set.without(Input::Beta).has(Input::Beta));
    }

    #[test]
    fn sets_are_joined_where_they_agree() {
        let labels = |numbers| InputSet::new().with(Input::Labels, Numbers::U32(numbers));
        let beta = InputSet::new().with(Input::Beta, Numbers::F32(&[1.0]));
        let joined = labels(&[1, 2]).join(&beta).unwrap().join(&labels(&[1, 2])).unwrap();
        assert_eq!(joined.iter().count(), 2);
        assert_eq!(joined.join(&labels(&[1, 3])), Err(Error::Set { what: "labels" }));
    }
}
