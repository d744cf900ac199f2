//! Buffers of the caller's.

use std::sync::mpsc::sync_channel;

use wgpu::util::{BufferInitDescriptor, DeviceExt, DownloadBuffer};
use wgpu_metric_learning::Context;

/// A buffer that holds these bytes.
pub fn upload(context: &Context, contents: &[u8], usage: wgpu::BufferUsages) -> wgpu::Buffer {
    context.device().create_buffer_init(&BufferInitDescriptor { label: None, contents, usage })
}

/// The numbers in a buffer with the usage `COPY_SRC`, after all that was submitted before.
pub fn download(context: &Context, buffer: &wgpu::Buffer) -> Vec<f32> {
    let (sender, receiver) = sync_channel(1);
    let send = move |read| sender.send(read).expect("it is waited for");
    DownloadBuffer::read_buffer(context.device(), context.queue(), &buffer.slice(..), send);
    context.device().poll(wgpu::PollType::wait_indefinitely()).expect("the device answers");
    let bytes = receiver.recv().expect("an answer").expect("it can be mapped");
    bytes
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("4 bytes")))
        .collect()
}
