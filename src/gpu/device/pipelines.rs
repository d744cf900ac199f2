//! The pipelines of a context: each kernel is compiled the first time it is asked for.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::gpu::device::options::Checks;
use crate::gpu::kernel::Kernel;
use crate::wgsl::include::compose;
use crate::wgsl::tier::Tier;

/// A pipeline with the layout of its bind group.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

/// Every pipeline of the contexts that share them, with its kernel, in the order in which they were
/// made.
#[derive(Debug, Default)]
pub(crate) struct Pipelines(Mutex<Made>);

#[derive(Debug, Default)]
struct Made {
    all: Vec<(Kernel, Pipeline)>,
    /// How often some were forgotten.
    forgotten: u64,
}

/// A moment: how many pipelines there were then, and how often some had been forgotten.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    len: usize,
    forgotten: u64,
}

impl Pipelines {
    fn made(&self) -> MutexGuard<'_, Made> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pipeline of the kernel, which `create` makes the first time. Kernels of one interface
    /// share its layout.
    pub(crate) fn get(
        &self,
        kernel: &Kernel,
        device: &wgpu::Device,
        create: impl FnOnce(&wgpu::BindGroupLayout) -> wgpu::ComputePipeline,
    ) -> Pipeline {
        let all = &mut self.made().all;
        if let Some((_, pipeline)) = all.iter().find(|(known, _)| known == kernel) {
            return pipeline.clone();
        }
        let layout = match all.iter().find(|(known, _)| known.interface == kernel.interface) {
            Some((_, pipeline)) => pipeline.layout.clone(),
            None => kernel.interface.bind_group_layout(device),
        };
        let made = Pipeline { pipeline: create(&layout), layout };
        all.push((kernel.clone(), made.clone()));
        made
    }

    pub(crate) fn now(&self) -> Moment {
        let made = self.made();
        Moment { len: made.all.len(), forgotten: made.forgotten }
    }

    /// Forgets all that were made since then: where others were forgotten meanwhile, which nobody can
    /// tell from these any more, all there are.
    pub(crate) fn forget_since(&self, Moment { len, forgotten }: Moment) {
        let mut made = self.made();
        let kept = if made.forgotten == forgotten { len } else { 0 };
        if made.all.len() > kept {
            made.all.truncate(kept);
            made.forgotten += 1;
        }
    }

    pub(crate) fn forget_all(&self) {
        self.forget_since(Moment { len: 0, ..self.now() });
    }

    /// Every kernel that a pipeline was made of.
    #[cfg(test)]
    pub(crate) fn kernels(&self) -> Vec<Kernel> {
        self.made().all.iter().map(|(kernel, _)| kernel.clone()).collect()
    }

    /// Has these pipelines in the place of those of a shader, which come back.
    #[cfg(test)]
    pub(crate) fn replace(
        &self,
        path: &str,
        others: Vec<(Kernel, Pipeline)>,
    ) -> Vec<(Kernel, Pipeline)> {
        let all = &mut self.made().all;
        let of_shader = all.extract_if(.., |(kernel, _)| kernel.shader.path == path).collect();
        all.extend(others);
        of_shader
    }
}

impl Kernel {
    pub(crate) fn pipeline(
        &self,
        device: &wgpu::Device,
        layout: &wgpu::BindGroupLayout,
        entry: &str,
        tier: Tier,
        checks: Checks,
        cache: Option<&wgpu::PipelineCache>,
    ) -> wgpu::ComputePipeline {
        let label = format!("metric-learning {}", self.shader.path);
        let source = compose(self.shader, tier);
        let module = shader_module(
            device,
            wgpu::ShaderModuleDescriptor {
                label: Some(&label),
                source: wgpu::ShaderSource::Wgsl(source.into()),
            },
            checks,
        );
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(&label),
            bind_group_layouts: &[Some(layout)],
            immediate_size: 0,
        });
        device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&label),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some(entry),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &self.constants,
                // Every kernel writes a slot of workgroup memory before it reads it. Filled with
                // zeros, results are the same, which tests compare; but naga's GLSL fills an array
                // element by element, and drivers compile that for minutes.
                zero_initialize_workgroup_memory: checks == Checks::Checked
                    && device.adapter_info().backend != wgpu::Backend::Gl,
            },
            cache,
        })
    }
}

/// Makes the shader module, with naga's run-time checks or, when trusted, without.
///
/// Trusting is sound because nothing a shader here is given can take an index out of its buffer or
/// a loop beyond its bound: every index is made of invocation ids and of the counts in its
/// uniforms, which the plan wrote itself after it checked every size, and compared with those
/// counts first. Four kinds of index come from data: a label that chooses a class is checked in
/// `prepare/rows.wgsl` or `pointwise/cross_entropy.wgsl` and a listed row in `prepare/list.wgsl`,
/// and replaced where it has no entry; the place of a distance among the sorted ones is kept below
/// their number by `shaders/shared/sorting.wgsl`, whatever the distances are; and a column that is
/// chosen or drawn is one that a loop over the row has come to.
#[allow(unsafe_code)]
pub(crate) fn shader_module(
    device: &wgpu::Device,
    descriptor: wgpu::ShaderModuleDescriptor<'_>,
    checks: Checks,
) -> wgpu::ShaderModule {
    match checks {
        Checks::Checked => device.create_shader_module(descriptor),
        // SAFETY: see above: no index leaves its buffer and every loop ends.
        Checks::Trusted => unsafe {
            device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
        },
    }
}
