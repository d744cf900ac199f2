//! What of a device waits for it, or is not there without a window or a picture.

use std::path::Path;

use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::{Adapter, Inputs, Options, Record, Shape};

use crate::{Error, Gpu, Result};

/// The format of pictures.
pub(crate) const PICTURE_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

impl Gpu {
    /// For pictures, on the first adapter whose name, driver or backend contains this text; without
    /// text on the best.
    ///
    /// # Errors
    ///
    /// [`Error::Library`], [`Error::Gpu`].
    pub fn headless(text: Option<&str>) -> Result<Self> {
        Self::open(&Adapter::find(text)?, PICTURE_FORMAT)
    }

    /// Opens the adapter for what has this format.
    pub(crate) fn open(adapter: &Adapter, format: wgpu::TextureFormat) -> Result<Self> {
        let flags = adapter.wgpu().get_downlevel_capabilities().flags;
        if !flags.contains(wgpu::DownlevelFlags::VERTEX_STORAGE) {
            return Err(Error::Gpu(format!(
                "{} reads no storage buffers in vertex shaders",
                adapter.info().name
            )));
        }
        Ok(Self::new(adapter.open(Options::default())?, format))
    }

    /// Precision@1 of embeddings in a buffer, by the Euclidean distance: the share whose nearest is
    /// of their own class. Waits for it.
    ///
    /// # Errors
    ///
    /// [`Error::Library`].
    pub fn precision_at_1(
        &self,
        embeddings: &wgpu::Buffer,
        labels: &wgpu::Buffer,
        shape: Shape,
    ) -> Result<f32> {
        let plan = self.context.plan_measures(&Retrieval::default(), shape)?;
        let inputs = plan.bind(&Inputs::new(embeddings, labels))?;
        let mut encoder = self.context.device().create_command_encoder(&Default::default());
        plan.record(&mut encoder, &inputs)?;
        let mut pending = plan.read_back(&mut encoder)?;
        self.context.queue().submit([encoder.finish()]);
        Ok(pending.wait(self.context.options().timeout)?.precision_at_1)
    }

    /// Waits for everything submitted.
    ///
    /// # Errors
    ///
    /// [`Error::Gpu`], also where it takes longer than the context's timeout.
    pub fn wait(&self) -> Result<()> {
        let all = wgpu::PollType::Wait {
            submission_index: None,
            timeout: Some(self.context.options().timeout),
        };
        self.context.device().poll(all).map_err(|error| Error::Gpu(error.to_string()))?;
        self.check()
    }
}

impl Error {
    pub(crate) fn picture(path: &Path, problem: impl ToString) -> Self {
        Self::Picture { path: path.into(), problem: problem.to_string() }
    }

    pub(crate) fn window(problem: impl ToString) -> Self {
        Self::Window(problem.to_string())
    }
}
