//! Faults injected into every operation that can fail: each has to be told as an error, and the
//! next evaluation has to be right.

use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::testing::Operation;
use wgpu_metric_learning::{Batch, Context, Contrastive, Error, Result, Triplet, Weighted};

use super::findings::Faults;

impl Faults {
    /// Injects them into a loss, an objective and measures, on a few rows.
    pub(crate) fn inject(context: &Context) -> Result<Self> {
        const N: usize = 17;
        let embeddings: Vec<f32> = (0..3 * N).map(|at| (at * at % 19) as f32 / 19.0).collect();
        let labels: Vec<u32> = (0..N as u32).map(|row| row % 3).collect();
        let batch = Batch::new(&embeddings, [N, 3], &labels)?;
        let objective = [
            Weighted::new(1.0, Contrastive::default(), batch),
            Weighted::new(0.5, Triplet::default(), batch),
        ];
        let mut faults = Self::default();
        faults.fail_each(context, "a loss", |context| {
            context.evaluate(Contrastive::default(), &batch).wait()
        })?;
        faults.fail_each(context, "an objective", |context| {
            context.evaluate_objective(&objective).wait()
        })?;
        faults.fail_each(context, "measures", |context| {
            context.measure(&Retrieval::default(), &batch).wait()
        })?;
        Ok(faults)
    }

    /// Lets the first operation of each kind fail, then the second, until there are no more.
    fn fail_each<T: PartialEq>(
        &mut self,
        context: &Context,
        what: &str,
        run: impl Fn(&Context) -> Result<T>,
    ) -> Result<()> {
        let expected = run(context)?;
        for operation in Operation::ALL {
            for nth in 0.. {
                // Pipelines are made once for a context.
                let context = match operation {
                    Operation::Pipeline => another(context)?,
                    _ => context.clone(),
                };
                let fault = context.inject(operation, nth);
                let result = run(&context);
                if !fault.has_struck() {
                    break;
                }
                drop(fault);
                self.injected += 1;
                let problem = match result {
                    Ok(_) => "no error",
                    Err(error) if !is_told(operation, &error) => "another error",
                    Err(_) if run(&context).as_ref() != Ok(&expected) => {
                        "the next evaluation is not right"
                    }
                    Err(_) => continue,
                };
                self.problems.push(format!("{operation:?} {nth} of {what} failed: {problem}"));
            }
        }
        Ok(())
    }
}

/// One without pipelines on the same device.
fn another(context: &Context) -> Result<Context> {
    Context::configured(context.device(), context.queue(), context.options().clone())
}

/// Whether it is the error that an operation fails with.
fn is_told(operation: Operation, error: &Error) -> bool {
    match operation {
        Operation::Allocation => matches!(error, Error::OutOfMemory { .. }),
        Operation::Pipeline | Operation::Submission => matches!(error, Error::Gpu { .. }),
        Operation::Map | Operation::Poll => matches!(error, Error::DeviceLost { .. }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::{Arguments, Gpu};

    #[test]
    fn what_is_not_survived_is_told() {
        let gpu = Gpu::open(&Arguments::default()).unwrap();
        let batch = Batch::new(&[0.0, 0.5, 1.0], [3, 1], &[0, 0, 1]).unwrap();
        let evaluate = |context: &Context| context.evaluate(Contrastive::default(), &batch).wait();
        let run = |work: &dyn Fn(&Context) -> Result<f32>| {
            let mut faults = Faults::default();
            faults.fail_each(&gpu.context, "it", work).unwrap();
            assert!(
                faults.injected > 20
                    && faults.survived() + faults.problems.len() == faults.injected
            );
            faults.problems
        };
        assert_eq!(run(&|context| evaluate(context).map(|found| found.loss)), [""; 0]);
        let hiding =
            run(&|context| Ok(evaluate(context).map(|found| found.loss).unwrap_or_default()));
        assert_eq!(hiding[0], "Allocation 0 of it failed: no error");
        let confusing = run(&|context| {
            evaluate(context).map(|found| found.loss).map_err(|_| Error::NotComputed)
        });
        assert_eq!(confusing[0], "Allocation 0 of it failed: another error");
    }
}
