//! The device that an application computes and draws on.

use std::sync::{Arc, Mutex, PoisonError};

use bytemuck::Pod;
use wgpu::BufferUsages;
use wgpu::util::{BufferInitDescriptor, DeviceExt};
use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::{Adapter, Context, Inputs, Options, Record, Shape};

use crate::{Error, Result};

/// The format of pictures.
pub(crate) const PICTURE_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

/// The device that an application computes and draws on. Clones share it.
#[derive(Clone)]
pub struct Gpu {
    /// The library's context on it.
    pub context: Context,
    /// The format of what is drawn on.
    pub format: wgpu::TextureFormat,
    /// Whether the CPU stands in for a GPU.
    pub is_software: bool,
    fault: Arc<Mutex<Option<String>>>,
}

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
        let context = adapter.open(Options::default())?;
        let fault = Arc::new(Mutex::new(None));
        let device = context.device();
        device.on_uncaptured_error(Arc::new({
            let fault = fault.clone();
            move |error: wgpu::Error| note(&fault, error.to_string())
        }));
        device.set_device_lost_callback({
            let fault = fault.clone();
            move |reason, message| {
                note(&fault, format!("the device is lost ({reason:?}): {message}"))
            }
        });
        let is_software = adapter.info().device_type == wgpu::DeviceType::Cpu;
        Ok(Self { context, format, is_software, fault })
    }

    /// A storage buffer that begins with these numbers.
    pub fn buffer<T: Pod>(&self, label: &str, numbers: &[T]) -> wgpu::Buffer {
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let contents = bytemuck::cast_slice(numbers);
        self.context.device().create_buffer_init(&BufferInitDescriptor {
            label: Some(label),
            contents,
            usage,
        })
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

    /// Whether anything has failed on the device.
    ///
    /// # Errors
    ///
    /// [`Error::Gpu`] with what it was first.
    pub fn check(&self) -> Result<()> {
        match &*self.fault.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(message) => Err(Error::Gpu(message.clone())),
            None => Ok(()),
        }
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

fn note(fault: &Mutex<Option<String>>, message: String) {
    fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(message);
}
