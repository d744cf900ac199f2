//! A loss on its basis, which it may share with other losses.

use crate::data::mode::Mode;
use crate::error::Result;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::kernel::catalogue::{CARRY, COLUMN_STATISTICS, MAIN, SCAN, SHARE, STATISTICS};
use crate::gpu::pairs::basis::Basis;
use crate::gpu::pairs::finish::totals;
use crate::gpu::pairs::loss_passes::LossPasses;
use crate::gpu::pairs::planned_loss::PlannedLoss;
use crate::gpu::pairs::pointwise;
use crate::gpu::pairs::sweeps::{Grid, Sweep, Sweeps};
use crate::wgsl::terms::Statistics;

/// The dispatches of losses that share a basis, after those that prepare it.
pub(crate) fn dispatches_of(basis: &Basis, parts: &[PlannedLoss]) -> Result<Vec<Dispatch>> {
    if basis.shape.mode() == Mode::Pointwise {
        return pointwise::dispatches(basis, parts);
    }
    let mut all = Vec::new();
    for part in parts {
        all.extend(column_statistics(basis, part)?);
    }
    all.extend(dispatches(basis, parts)?);
    Ok(all)
}

/// What a loss needs to know of every column: a pass over the matrix with the columns as rows.
fn column_statistics(basis: &Basis, part: &PlannedLoss) -> Result<Vec<Dispatch>> {
    let Some(turned) = &part.turned else { return Ok(Vec::new()) };
    let mut sweeps = Sweeps::new(turned);
    let work = LossPasses::new(turned, part)?;
    let all = [sweeps.distance()?, work.terms(&sweeps, COLUMN_STATISTICS, None)?];
    sweeps.pass(all.iter());
    if work.terms.statistics == Statistics::Columns {
        sweeps.dispatches.push(totals(basis, part, false));
    }
    Ok(sweeps.dispatches)
}

/// Every pass over every stripe, then the finish.
pub(crate) fn dispatches(basis: &Basis, parts: &[PlannedLoss]) -> Result<Vec<Dispatch>> {
    match parts {
        [part] if basis.finishes_at_once(&part.loss.description().terms_kernel()) => {
            dispatches_at_once(basis, part)
        }
        _ => dispatches_by_passes(basis, parts),
    }
}

/// One pass, in which the totals come before the gradient, and nothing after it but the gradient of
/// the loss's own numbers.
pub(crate) fn dispatches_at_once(basis: &Basis, part: &PlannedLoss) -> Result<Vec<Dispatch>> {
    let work = LossPasses { at_once: true, is_alone: true, ..LossPasses::new(basis, part)? };
    let mut sweeps = Sweeps::new(basis);
    let distance = sweeps.distance()?;
    let terms = work.terms_at_once(&sweeps)?;
    sweeps.pass(std::iter::once(&distance).chain(&terms));
    sweeps.dispatches.push(totals(basis, part, true));
    let gradients = work.gradients(&sweeps)?;
    sweeps.pass(gradients.iter());
    sweeps.dispatches.extend(work.finish_learned()?);
    Ok(sweeps.dispatches)
}

pub(crate) fn dispatches_by_passes(basis: &Basis, parts: &[PlannedLoss]) -> Result<Vec<Dispatch>> {
    let is_alone = parts.len() == 1;
    let of = |part| Ok(LossPasses { is_alone, ..LossPasses::new(basis, part)? });
    let losses = parts.iter().map(of).collect::<Result<Vec<_>>>()?;
    let mut sweeps = Sweeps::new(basis);
    sweeps.incidence()?;
    let distance = [sweeps.distance()?];
    let before: Vec<_> =
        losses.iter().filter_map(|work| work.before(&sweeps)).collect::<Result<_>>()?;
    let mut is_known = false;
    if !before.is_empty() {
        sweeps.pass(distance.iter().chain(&before));
        losses.iter().filter(|work| work.terms.statistics == Statistics::Totals).for_each(|work| {
            sweeps.dispatches.push(totals(basis, work.part, false));
        });
        // What one stripe holds is still there in the next pass.
        is_known = basis.stripes.is_single();
    }
    let mut after = Vec::new();
    for work in &losses {
        after.extend(work.after(&sweeps)?);
    }
    sweeps.pass(distance.iter().skip(is_known.into()).chain(&after));
    let last = parts.len() - 1;
    sweeps
        .dispatches
        .extend(parts.iter().enumerate().map(|(at, part)| totals(basis, part, at == last)));
    for work in &losses {
        sweeps.dispatches.extend(work.finish()?);
    }
    Ok(sweeps.dispatches)
}

impl<'a> LossPasses<'a> {
    /// A pass of its own before the others, where the loss needs to know something of all rows
    /// first.
    fn before(&self, sweeps: &Sweeps) -> Option<Result<Sweep>> {
        let needs_all_rows = matches!(self.terms.statistics, Statistics::Rows | Statistics::Totals);
        needs_all_rows.then(|| self.terms(sweeps, STATISTICS, None))
    }

    /// The sweeps of the pass that makes the gradient.
    fn after(&self, sweeps: &Sweeps) -> Result<Vec<Sweep>> {
        let mut all = Vec::new();
        match self.terms.statistics {
            Statistics::Ends | Statistics::Sides => {
                all.push(self.terms(sweeps, STATISTICS, None)?);
            }
            Statistics::Order => all.extend([
                self.terms(sweeps, SCAN, None)?,
                self.terms_on(sweeps, Grid::Fixed(1), CARRY, None)?,
                self.terms(sweeps, SHARE, None)?,
            ]),
            _ => {}
        }
        all.extend(self.main(sweeps)?);
        all.extend(self.gradients(sweeps)?);
        Ok(all)
    }

    /// The terms after their statistics, those within thresholds, with weights.
    fn main(&self, sweeps: &Sweeps) -> Result<Vec<Sweep>> {
        let terms = self.terms(sweeps, MAIN, self.portion)?;
        let within = self.within(sweeps)?;
        // Coefficients of both ends are made where it is known which anchors are left out.
        let (before, after) = match self.terms.statistics.has_both_ends() {
            true => (within, None),
            false => (None, within),
        };
        let all = before.into_iter().chain([terms]).chain(after);
        Ok(all.chain(self.weigh(sweeps)?).collect())
    }

    /// The sweeps that the coefficients need, where one stripe holds every row. The weights of
    /// means that are taken apart come with the gradient.
    fn terms_at_once(&self, sweeps: &Sweeps) -> Result<Vec<Sweep>> {
        let mut all = Vec::new();
        if self.terms.statistics.has_rows() {
            all.push(self.terms(sweeps, STATISTICS, None)?);
        }
        if self.terms.statistics == Statistics::Totals {
            all.extend(self.weigh(sweeps)?);
        } else {
            all.extend(self.main(sweeps)?);
        }
        Ok(all)
    }
}
