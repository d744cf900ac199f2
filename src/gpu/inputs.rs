//! The caller's buffers, checked and bound.

use std::num::NonZeroU64;

use super::basis::Basis;
use super::buffers::{Set, filled};
use super::context::Context;
use super::dispatch::{Bound, Groups, Step, folded};
use super::layout::{Rows, state};
use super::part::Part;
use super::{kernels, list, pointwise, sizes};
use crate::loss::Loss;
use crate::shape::{Mode, Shape};
use crate::{Error, Result};

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

/// Inputs bound to a plan, so that recording creates nothing. It stays valid as long as the
/// caller's buffers: their contents may change from recording to recording.
#[derive(Clone, Debug)]
pub struct Binding {
    pub(crate) plan: u64,
    pub(crate) around: Around,
}

/// The dispatches of a binding, before and after those of the plan.
#[derive(Clone, Debug, Default)]
pub(crate) struct Around {
    /// Prepares the inputs.
    pub before: Vec<Step>,
    /// Hands on the outputs and sets the sizes back.
    pub after: Vec<Step>,
}

impl From<Vec<Step>> for Around {
    fn from(before: Vec<Step>) -> Self {
        Self { before, after: Vec::new() }
    }
}

impl Around {
    /// With these outputs, which are handed on before the sizes are set back.
    pub(crate) fn with_outputs(mut self, mut outputs: Vec<Step>) -> Self {
        outputs.append(&mut self.after);
        Self { after: outputs, ..self }
    }

    /// The dispatches of another one after these.
    pub(crate) fn extend(&mut self, other: Self) {
        self.before.extend(other.before);
        self.after.extend(other.after);
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

/// Checks the caller's buffers and binds the dispatches that prepare them for these losses, which
/// share the basis. After the program the sizes are set back.
pub(crate) fn around(basis: &Basis, parts: &[Part], inputs: &Inputs<'_>) -> Result<Around> {
    let mut around = sizes::around(basis, inputs)?;
    around.before.extend(prepare(basis, parts, inputs)?);
    Ok(around)
}

fn prepare(basis: &Basis, parts: &[Part], inputs: &Inputs<'_>) -> Result<Vec<Step>> {
    if basis.shape.mode() == Mode::Pointwise {
        let bound = parts
            .iter()
            .map(|part| pointwise::bind(basis, part, inputs))
            .collect::<Result<Vec<_>>>()?;
        return Ok(bound.concat());
    }
    let betas =
        parts.iter().filter_map(|part| Some((part.loss.description().beta()?, &part.buffers.beta)));
    let has_beta_per_class = betas.clone().any(|(beta, _)| beta.per_class);
    let mut steps = prepare_pairs(basis, inputs, has_beta_per_class)?;
    for (beta, buffer) in betas {
        steps.push(prepare_beta(basis, inputs, beta.default, buffer)?);
    }
    Ok(steps)
}

/// The rows of both sets, and the list of the pairs.
pub(crate) fn prepare_pairs(
    basis: &Basis,
    inputs: &Inputs<'_>,
    has_beta_per_class: bool,
) -> Result<Vec<Step>> {
    let Basis { shape, matrix, context, .. } = basis;
    let [n, m, d] = [shape.queries(), shape.references(), shape.dimensions()];
    let check = Checker::new(context);

    let raw = check.bound("embeddings", &inputs.embeddings, n * d)?;
    let labels = match shape.is_labelled() {
        true => Some(check.needed("labels", &inputs.labels, n, "every row of the mode has one")?),
        false => None,
    };
    let classes = match shape.mode() {
        Mode::Scores | Mode::Prototypes => m,
        _ if has_beta_per_class => shape.betas(),
        _ => 0,
    };
    let queries =
        Subject { set: &matrix.queries, rows: n, classes, fault: state::EMBEDDINGS_FAULT };
    let mut steps = prepare_rows(basis, queries, raw, labels)?;

    if let Some(set) = &matrix.references {
        let reason = "the plan was made for a shape with references";
        let raw = check.needed("references", &inputs.references, m * d, reason)?;
        let labels = match shape.mode() {
            Mode::Reference => {
                let reason = "references have labels of their own";
                Some(check.needed("reference labels", &inputs.reference_labels, m, reason)?)
            }
            _ => None,
        };
        let references = Subject { set, rows: m, classes: 0, fault: state::REFERENCES_FAULT };
        steps.extend(prepare_rows(basis, references, raw, labels)?);
    }

    if let Some(list) = &matrix.list {
        steps.extend(list::prepare(basis, list, inputs, &check)?);
    }
    Ok(steps)
}

/// A set of rows that is prepared.
struct Subject<'a> {
    set: &'a Set,
    rows: usize,
    /// Labels must be below it; 0: any label will do.
    classes: usize,
    /// The entry of the state for values that are not finite.
    fault: u32,
}

fn prepare_rows(
    basis: &Basis,
    subject: Subject<'_>,
    raw: Bound<'_>,
    labels: Option<Bound<'_>>,
) -> Result<Vec<Step>> {
    let Basis { shape, matrix, context, .. } = basis;
    let Subject { set, rows, classes, fault } = subject;
    let uniform = Rows {
        first: 0,
        of_references: (fault == state::REFERENCES_FAULT).into(),
        dimensions: shape.dimensions() as u32,
        vectors: shape.dimensions().div_ceil(4) as u32,
        unit: basis.on_unit_rows.into(),
        labelled: labels.is_some().into(),
        classes: classes as u32,
        fault,
    };
    let bound = [
        raw,
        labels.unwrap_or(Bound::all(&matrix.unused)),
        Bound::all(&set.points),
        Bound::all(&set.norms),
        Bound::all(&set.labels),
        Bound::all(&matrix.state),
        Bound::all(&basis.sizes),
    ];
    let groups = Groups::of_rows(rows as u32, shape.dimensions() as u64, 8);
    kernels::prepare_rows().steps(context, "prepare", uniform, &bound, groups)
}

fn prepare_beta(
    basis: &Basis,
    inputs: &Inputs<'_>,
    default: f32,
    beta: &wgpu::Buffer,
) -> Result<Step> {
    let (context, betas) = (&basis.context, basis.shape.betas());
    let the_default;
    let raw = match betas {
        0 => {
            let bytes = default.to_ne_bytes();
            the_default = filled(
                context,
                "metric-learning default beta",
                &bytes,
                wgpu::BufferUsages::STORAGE,
            )?;
            Bound::all(&the_default)
        }
        _ => {
            let reason = "the plan was made for a shape with betas";
            Checker::new(context).needed("beta", &inputs.beta, betas, reason)?
        }
    };
    let bound = [raw, Bound::all(beta), Bound::all(&basis.matrix.state)];
    let count = betas.max(1) as u32;
    Ok(kernels::prepare_beta().step(
        context,
        "prepare beta",
        &bound,
        folded(count.div_ceil(64)),
        count.into(),
    ))
}

pub(crate) struct Checker {
    alignment: u32,
}

impl Checker {
    pub(crate) fn new(context: &Context) -> Self {
        Self { alignment: context.device().limits().min_storage_buffer_offset_alignment }
    }

    /// The range as a binding, which has to be there.
    pub(crate) fn needed<'a>(
        &self,
        what: &'static str,
        slice: &Option<wgpu::BufferSlice<'a>>,
        values: usize,
        reason: &'static str,
    ) -> Result<Bound<'a>> {
        self.bound(what, slice.as_ref().ok_or(Error::Missing { what, reason })?, values)
    }

    /// The range as a binding, of another buffer than the one that is written beside it: wgpu would
    /// refuse every submission.
    pub(crate) fn bound_beside<'a>(
        &self,
        what: &'static str,
        slice: &wgpu::BufferSlice<'a>,
        values: usize,
        written: &wgpu::Buffer,
    ) -> Result<Bound<'a>> {
        if slice.buffer() == written {
            return Err(Error::Buffer {
                what,
                problem: "it is in the buffer that is written".into(),
            });
        }
        self.bound(what, slice, values)
    }

    /// The range as a binding of `values` numbers of 4 bytes.
    pub(crate) fn bound<'a>(
        &self,
        what: &'static str,
        slice: &wgpu::BufferSlice<'a>,
        values: usize,
    ) -> Result<Bound<'a>> {
        let problem = |problem: String| Err(Error::Buffer { what, problem });
        let needed = values as u64 * 4;
        let (offset, size) = (slice.offset(), slice.size());
        if !slice.buffer().usage().contains(wgpu::BufferUsages::STORAGE) {
            return problem(format!(
                "its usage is {:?}, STORAGE is needed",
                slice.buffer().usage()
            ));
        }
        if size < needed {
            return problem(format!("the range has {size} bytes, {needed} are needed"));
        }
        if offset % u64::from(self.alignment) != 0 {
            return problem(format!(
                "the range begins at byte {offset}, which is no multiple of {}",
                self.alignment
            ));
        }
        Ok(Bound { buffer: slice.buffer(), offset, size: NonZeroU64::new(needed) })
    }
}
