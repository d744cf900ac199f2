//! The losses of the last steps. They come to the host some frames late, and no frame waits for
//! them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use canvas::Gpu;

/// Steps that are remembered.
const LENGTH: usize = 512;
const BYTES: u64 = size_of::<f32>() as u64;

/// The losses of the last steps: a ring on the GPU, and a copy of it on the host.
pub struct Curve {
    gpu: Gpu,
    ring: wgpu::Buffer,
    staging: wgpu::Buffer,
    steps: usize,
    transfer: Transfer,
    /// The oldest first.
    known: Vec<f32>,
}

/// Where the copy of the ring is that is on its way.
enum Transfer {
    Idle,
    /// Recorded after this many steps.
    Recorded(usize),
    /// To be mapped, and whether it is.
    Submitted(usize, Arc<AtomicBool>),
}

impl Curve {
    /// Before the first step.
    pub fn new(gpu: &Gpu) -> Self {
        use wgpu::BufferUsages as Usage;
        let buffer = |label, usage| {
            let size = LENGTH as u64 * BYTES;
            let descriptor = wgpu::BufferDescriptor {
                label: Some(label),
                size,
                usage,
                mapped_at_creation: false,
            };
            gpu.context.device().create_buffer(&descriptor)
        };
        Self {
            gpu: gpu.clone(),
            ring: buffer("losses", Usage::COPY_DST | Usage::COPY_SRC),
            staging: buffer("losses on the host", Usage::COPY_DST | Usage::MAP_READ),
            steps: 0,
            transfer: Transfer::Idle,
            known: Vec::new(),
        }
    }

    /// Records that the loss is remembered, and where none is on its way a copy of all.
    pub fn record(&mut self, encoder: &mut wgpu::CommandEncoder, loss: &wgpu::Buffer) {
        let place = (self.steps % LENGTH) as u64 * BYTES;
        encoder.copy_buffer_to_buffer(loss, 0, &self.ring, place, BYTES);
        self.steps += 1;
        if matches!(self.transfer, Transfer::Idle) {
            encoder.copy_buffer_to_buffer(&self.ring, 0, &self.staging, 0, self.ring.size());
            self.transfer = Transfer::Recorded(self.steps);
        }
    }

    /// To be called after every submission: asks for the copy that was in it, and takes the one
    /// that has come, if there is one.
    pub fn submitted(&mut self) {
        if let Transfer::Recorded(steps) = self.transfer {
            let is_mapped = Arc::new(AtomicBool::new(false));
            let mapped = is_mapped.clone();
            self.staging.map_async(wgpu::MapMode::Read, .., move |result| {
                mapped.store(result.is_ok(), Ordering::Release);
            });
            self.transfer = Transfer::Submitted(steps, is_mapped);
        }
        // A device that cannot be polled is lost, which the frame finds out.
        let _ = self.gpu.context.device().poll(wgpu::PollType::Poll);
        if let Transfer::Submitted(steps, is_mapped) = &self.transfer
            && is_mapped.load(Ordering::Acquire)
        {
            self.known = self.unrolled(*steps);
            self.staging.unmap();
            self.transfer = Transfer::Idle;
        }
    }

    /// The ring as it was after so many steps, the oldest first.
    fn unrolled(&self, steps: usize) -> Vec<f32> {
        let Ok(bytes) = self.staging.get_mapped_range(..) else { return Vec::new() };
        let ring: Vec<f32> = bytemuck::pod_collect_to_vec(&bytes);
        (steps.saturating_sub(LENGTH)..steps).map(|step| ring[step % LENGTH]).collect()
    }

    /// Steps that were recorded.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The losses that have come to the host, the oldest first.
    pub fn losses(&self) -> &[f32] {
        &self.known
    }
}
