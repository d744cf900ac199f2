//! The way of the losses without pairs: row by row.

use super::step::Steps;
use crate::data::batch::Batch;
use crate::data::checks::narrow;
use crate::data::evaluation::Evaluation;
use crate::definition::loss::scale_of;
use crate::definition::number::Count;
use crate::definition::pointwise::{Pointwise, Row};
use crate::error::Result;

/// Evaluates a loss row by row.
pub(super) fn evaluate<L: Pointwise>(
    loss: &L,
    batch: &Batch,
    steps: &mut Steps<'_>,
) -> Result<Evaluation> {
    steps.step(0)?;
    let rows: Vec<Row<f64>> = loss.rows(batch, batch.embeddings());
    let terms = rows.iter().map(|row| row.terms).sum();
    let nonzero: Count = rows.iter().map(|row| row.nonzero).sum();
    let scale: f64 = scale_of(loss.settings().2, terms, nonzero);
    let slopes = rows.iter().flat_map(|row| &row.slopes);
    let per_anchor = || rows.iter().map(|row| narrow("the loss", row.loss)).collect::<Result<_>>();
    Ok(Evaluation {
        loss: narrow("the loss", rows.iter().map(|row| row.loss).sum::<f64>() * scale)?,
        terms,
        nonzero_terms: nonzero.value,
        gradient: slopes
            .map(|slope| narrow("the gradient", slope * scale))
            .collect::<Result<_>>()?,
        per_anchor: loss.per_anchor().then(per_anchor).transpose()?,
        ..Default::default()
    })
}
