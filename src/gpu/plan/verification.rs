//! Everything that verification on inputs of one shape needs, made once.

mod sweeps;

use std::collections::HashMap;

use crate::data::batch::Batch;
use crate::data::mode::Mode;
use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::gpu::device::context::Context;
use crate::gpu::dispatch::binding::Binding;
use crate::gpu::dispatch::program::Program;
use crate::gpu::dispatch::readback::{Field, Pending, Sources, Staged};
use crate::gpu::dispatch::record::{Record, recorded};
use crate::gpu::dispatch::trace::{TraceName, span};
use crate::gpu::pairs::basis::Basis;
use crate::gpu::pairs::inputs::Inputs;
use crate::gpu::pairs::prepare;
use crate::gpu::pairs::sizes;
use crate::measures::{Counted, Verification, Verified, check_kinds};
use crate::wgsl::layout::{Found, Mark, value_of, wide};
use sweeps::{Buffers, Cut};

/// Everything that verification on inputs of one shape needs: pipelines, workspace, outputs. It is
/// used as a [`Plan`](crate::Plan) is, and has no gradient.
///
/// The distances of the pairs that are the same are sorted, as many at a time as there is room for,
/// and all pairs find their places among them; the thresholds are found digit by digit. This goes
/// over the distances four times, and more often where more than three such pieces are sorted. Where
/// the workspace holds the whole matrix, they are computed once.
#[derive(Debug)]
pub struct VerificationPlan {
    pub(crate) program: Program,
    basis: Basis,
    verification: Verification,
    same_pairs: u64,
    buffers: Buffers,
}

impl VerificationPlan {
    pub(crate) fn new(
        context: &Context,
        verification: &Verification,
        shape: Shape,
        same_pairs: u64,
    ) -> Result<Self> {
        shape.check()?;
        verification.check(&shape)?;
        let name = TraceName::of_plan("Verification", shape);
        let _span = span!("plan", &name);
        context.planning(|| {
            let basis =
                Basis::of_ranks(context, shape, verification.distance, verification.normalize)?;
            let cut = Cut::new(&basis, same_pairs)?;
            let buffers = Buffers::new(&basis, verification, cut)?;
            let program = Program::new(context, name, buffers.dispatches(&basis, cut)?);
            let verification = verification.clone();
            Ok(Self { program, basis, verification, same_pairs: cut.same_pairs, buffers })
        })
    }

    /// Checks the caller's buffers and binds them.
    ///
    /// # Errors
    ///
    /// Those of [`Plan::bind`](crate::Plan::bind).
    pub fn bind(&self, inputs: &Inputs<'_>) -> Result<Binding> {
        let shape = self.shape();
        inputs.check_taken(&[shape.mode()], |input| shape.takes(input))?;
        self.program.bind(|| prepare::ranked(&self.basis, inputs))
    }

    /// Records the copies that read-back needs and returns what to wait on once they have been
    /// submitted. Creates a buffer.
    ///
    /// The result may be [`Error::Missing`] where no pair is the same or none is different,
    /// [`Error::BeyondPlan`] where more pairs are the same than planned, and [`Error::Overflow`]
    /// for a distance beyond f32, beside what that of a [`Plan`](crate::Plan) may be.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`], [`Error::Gpu`], [`Error::DeviceLimit`].
    pub fn read_back(&self, encoder: &mut wgpu::CommandEncoder) -> Result<Pending<Verified>> {
        let mut sources = Sources::default();
        let buffers = [(Field::Found, &self.buffers.found), (Field::Marks, &self.buffers.marks)];
        sources.add(self.basis.shape, buffers);
        let (rates, same_pairs) = (self.verification.tpr_at_fpr.len(), self.same_pairs);
        Pending::new(self.context(), encoder, sources, move |read| {
            read.staged(0).verified(rates, same_pairs)
        })
    }

    /// Device memory that the plan holds, as [`Plan::memory_bytes`](crate::Plan::memory_bytes)
    /// says.
    pub fn memory_bytes(&self) -> u64 {
        self.basis.matrix.bytes + self.buffers.bytes
    }

    /// What is verified.
    pub fn verification(&self) -> &Verification {
        &self.verification
    }

    /// The shape of the inputs.
    pub fn shape(&self) -> &Shape {
        &self.basis.shape
    }

    /// The most pairs that may be the same.
    pub fn same_pairs(&self) -> u64 {
        self.same_pairs
    }
}

recorded!(VerificationPlan);

/// How many pairs of a batch are the same, those of a row with itself included.
fn same_pairs(batch: &Batch<'_>) -> u64 {
    let count = |labels: &[u32]| {
        let mut counts = HashMap::<u32, u64>::new();
        labels.iter().for_each(|&label| *counts.entry(label).or_default() += 1);
        counts
    };
    let queries = count(batch.labels());
    match batch.shape().mode() {
        Mode::Batch => queries.values().map(|&rows| rows * (rows - 1) / 2).sum(),
        Mode::Reference => {
            let references = count(batch.reference_labels());
            let of = |label: &u32| references.get(label).copied().unwrap_or_default();
            queries.iter().map(|(label, &rows)| rows * of(label)).sum()
        }
        _ => batch.same().iter().map(|&same| u64::from(same == 1)).sum(),
    }
}

impl Staged<'_> {
    fn verified(&self, rates: usize, most_same: u64) -> Result<Verified> {
        let found: Found = bytemuck::pod_read_unaligned(self.part(Field::Found).unwrap_or(&[]));
        if found.sequence == 0 {
            return Err(Error::NotComputed);
        }
        sizes::resized(self.shape, found.given)?;
        let [embeddings, references, ..] = found.faults;
        self.check_finite("embeddings", embeddings, self.shape.dimensions())?;
        self.check_finite("references", references, self.shape.dimensions())?;
        self.check_list(found.list_faults)?;
        let [count, limit] = [wide(found.same_pairs), most_same].map(|pairs| pairs as usize);
        if count > limit {
            return Err(Error::BeyondPlan { what: "pairs that are the same", count, limit });
        }
        let marks: Vec<Mark> =
            self.part(Field::Marks).map(bytemuck::pod_collect_to_vec).unwrap_or_default();
        let of_errors = marks.first().copied().unwrap_or_default();
        let totals = of_errors.totals.map(wide);
        check_kinds(totals)?;
        if found.overflow > 0 {
            return Err(Error::Overflow { what: "the distance of a pair" });
        }
        let nearer = found.nearer.into_iter().rev();
        let rate = |mark: &Mark| {
            let threshold = (mark.below > 0).then(|| value_of(mark.below));
            (wide(mark.before[0]), threshold)
        };
        let margin = wide(found.margin);
        let counted = Counted {
            totals,
            nearer: nearer.fold(0, |sum, word| sum << 32 | u128::from(word)),
            margin,
            accuracy_threshold: (margin > 0).then(|| value_of(found.threshold)),
            crossing: [of_errors.accepted, of_errors.before].map(|counts| counts.map(wide)),
            eer_threshold: value_of(of_errors.prefix),
            rates: marks.iter().skip(1).take(rates).map(rate).collect(),
        };
        Ok(counted.into())
    }
}

impl Context {
    /// Makes everything that verification on inputs of this shape needs, as [`Context::plan`] does
    /// for a loss.
    ///
    /// At most `same_pairs` pairs are the same: C classes of K rows have C K (K - 1) / 2 in a batch;
    /// more than there are pairs is all of them. They are sorted in as much room again as the
    /// workspace, at least 34 KiB, and every piece of them beyond the third takes another sweep over
    /// the distances: [`VerificationPlan`].
    ///
    /// # Errors
    ///
    /// Those of [`Verification::check`] and [`Shape::check`], and of [`Context::plan`] for the
    /// workspace and the device; [`Error::TooLong`] for more same pairs than can be numbered.
    pub fn plan_verification(
        &self,
        verification: &Verification,
        shape: Shape,
        same_pairs: u64,
    ) -> Result<VerificationPlan> {
        VerificationPlan::new(self, verification, shape, same_pairs)
    }

    /// Makes the plan that a batch of the host needs.
    pub(crate) fn plan_verification_of(
        &self,
        verification: &Verification,
        batch: &Batch<'_>,
    ) -> Result<VerificationPlan> {
        self.plan_verification(verification, *batch.shape(), same_pairs(batch))
    }
}
