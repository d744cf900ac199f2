//! What the caller gives: inputs in buffers of the GPU.

use crate::data::shape::{Mode, Shape};
use crate::error::{Error, Result};
use crate::gpu::pairs::sizes;
use crate::loss::Loss;

/// The inputs of an evaluation in buffers of the caller's, whole or in part: every range needs the
/// usage `STORAGE` and an offset that is a multiple of the device's
/// `min_storage_buffer_offset_alignment`.
#[derive(Clone, Debug)]
pub struct Inputs<'a> {
    /// N x D f32, row by row; in scores mode the scores, in pointwise mode the predictions, logits
    /// or weights.
    pub embeddings: wgpu::BufferSlice<'a>,
    /// N u32, in the modes whose rows have labels.
    pub labels: Option<wgpu::BufferSlice<'a>>,
    /// M x D f32: the references, prototypes or second rows of pairs, in the modes that have them.
    pub references: Option<wgpu::BufferSlice<'a>>,
    /// M u32: the labels of the references, in reference mode.
    pub reference_labels: Option<wgpu::BufferSlice<'a>>,
    /// As many f32 as the shape has betas, for Wu's margin.
    pub beta: Option<wgpu::BufferSlice<'a>>,
    /// P x 2 u32: the rows of each listed pair, in pair indices mode.
    pub pairs: Option<wgpu::BufferSlice<'a>>,
    /// P u32: 1 where the two rows of a pair are the same, 0 where they are different, in the
    /// modes of pairs.
    pub same: Option<wgpu::BufferSlice<'a>>,
    /// T x 3 u32: anchor, positive and negative row of each listed triplet, in triplets mode.
    pub triplets: Option<wgpu::BufferSlice<'a>>,
    /// N x D f32: what pointwise losses compare the predictions with.
    pub targets: Option<wgpu::BufferSlice<'a>>,
    /// One u32: how many of the planned N rows there are in a recording, from 1 to N; `None`: all
    /// of them. In the mode of row-aligned pairs both sets have that many. The GPU reads it,
    /// so that it may be the result of an earlier dispatch. Only the first rows of every other
    /// range are then read.
    ///
    /// The result is that of a plan for that many rows; gradients on the GPU are 0 in the rows
    /// behind, and what is read back ends with the last row that there is. It is the same to
    /// the bit where the workspace holds the whole matrix of both plans or of neither, up to
    /// 100,000 columns. [`Error::Empty`] for 0 rows and [`Error::BeyondPlan`] for too many
    /// come with read-back.
    pub rows: Option<wgpu::BufferSlice<'a>>,
    /// One u32: the same for the planned M references, in reference mode.
    pub reference_rows: Option<wgpu::BufferSlice<'a>>,
    /// One u32: the same for the listed pairs or triplets, in the modes with a list of indices.
    pub listed: Option<wgpu::BufferSlice<'a>>,
}

impl<'a> Inputs<'a> {
    /// Embeddings and labels, each in a whole buffer.
    pub fn new(embeddings: &'a wgpu::Buffer, labels: &'a wgpu::Buffer) -> Self {
        Self { labels: Some(labels.slice(..)), ..Self::unlabelled(embeddings) }
    }

    /// Embeddings without labels in a whole buffer: for the modes of listed or row-aligned pairs,
    /// of triplets, and pointwise.
    pub fn unlabelled(embeddings: &'a wgpu::Buffer) -> Self {
        Self {
            embeddings: embeddings.slice(..),
            labels: None,
            references: None,
            reference_labels: None,
            beta: None,
            pairs: None,
            same: None,
            triplets: None,
            targets: None,
            rows: None,
            reference_rows: None,
            listed: None,
        }
    }

    /// Every range that is given, with its name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, wgpu::BufferSlice<'a>)> {
        [("embeddings", self.embeddings)].into_iter().chain(self.beside_embeddings())
    }

    fn beside_embeddings(
        &self,
    ) -> impl Iterator<Item = (&'static str, wgpu::BufferSlice<'a>)> + use<'a> {
        let given = [
            ("labels", self.labels),
            ("references", self.references),
            ("reference labels", self.reference_labels),
            ("beta", self.beta),
            ("pairs", self.pairs),
            ("same", self.same),
            ("triplets", self.triplets),
            ("targets", self.targets),
            ("rows", self.rows),
            ("reference rows", self.reference_rows),
            ("listed", self.listed),
        ];
        given.into_iter().filter_map(|(what, range)| Some((what, range?)))
    }
}

/// Refuses inputs that nothing takes.
pub(crate) fn check_taken(
    inputs: &Inputs<'_>,
    is_taken: impl Fn(&'static str) -> bool,
) -> Result<()> {
    match inputs.beside_embeddings().find(|&(what, _)| !is_taken(what)) {
        Some((what, _)) => Err(Error::NotTaken { what }),
        None => Ok(()),
    }
}

/// Whether inputs of this shape have this beside their embeddings.
pub(crate) fn takes(shape: &Shape, what: &'static str) -> bool {
    match (what, shape.mode()) {
        ("labels", _) => shape.is_labelled(),
        ("references", _) => shape.has_references(),
        ("reference labels", mode) => mode == Mode::Reference,
        ("pairs", mode) => mode == Mode::PairIndices,
        ("same", mode) => matches!(mode, Mode::PairIndices | Mode::PairRows),
        ("triplets", mode) => mode == Mode::Triplets,
        (what, mode) => sizes::takes(mode, what),
    }
}

/// Whether a loss on inputs of this shape takes this beside the embeddings.
pub(crate) fn loss_takes(loss: &Loss, shape: &Shape, what: &'static str) -> bool {
    let own = match what {
        "beta" => loss.has_beta() && shape.betas() > 0,
        "labels" => loss.truth().has_labels(),
        "targets" => loss.truth().has_targets(),
        _ => false,
    };
    own || takes(shape, what)
}
