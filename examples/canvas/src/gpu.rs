//! The device that an application computes and draws on.

use std::sync::{Arc, Mutex, PoisonError};

use bytemuck::Pod;
use wgpu::BufferUsages;
use wgpu_metric_learning::Context;

use crate::{Error, Result};

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
    /// On the device of this context, for what has this format. The device's handlers are set.
    pub fn new(context: Context, format: wgpu::TextureFormat) -> Self {
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
        let is_software = device.adapter_info().device_type == wgpu::DeviceType::Cpu;
        Self { context, format, is_software, fault }
    }

    /// A storage buffer that begins with these numbers.
    pub fn buffer<T: Pod>(&self, label: &str, numbers: &[T]) -> wgpu::Buffer {
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let contents: &[u8] = bytemuck::cast_slice(numbers);
        let size = contents.len() as u64;
        let label = Some(label);
        let descriptor = wgpu::BufferDescriptor { label, size, usage, mapped_at_creation: false };
        let buffer = self.context.device().create_buffer(&descriptor);
        self.context.queue().write_buffer(&buffer, 0, contents);
        buffer
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
}

fn note(fault: &Mutex<Option<String>>, message: String) {
    fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(message);
}
