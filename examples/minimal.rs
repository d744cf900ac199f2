//! The smallest caller: a loss and its gradient, left in buffers of the GPU.

use std::time::Duration;

use wgpu::util::{BufferInitDescriptor, DeviceExt};
use wgpu_metric_learning::{Context, Inputs, Mining, Record, Result, Shape, Triplet};

fn main() -> Result<()> {
    // An application that has a device takes that one: Context::new(&device, &queue).
    let context = Context::headless()?;
    let (device, queue) = (context.device(), context.queue());

    // Four embeddings of two numbers, in two classes.
    let buffer = |label, contents: &[u8]| {
        let usage = wgpu::BufferUsages::STORAGE;
        device.create_buffer_init(&BufferInitDescriptor { label: Some(label), contents, usage })
    };
    let embeddings: [f32; 8] = [0.0, 0.1, 0.9, 0.2, 0.1, 0.0, 1.0, 0.3];
    let embeddings = buffer("embeddings", bytemuck::cast_slice(&embeddings));
    let labels = buffer("labels", bytemuck::cast_slice(&[7_u32, 8, 7, 8]));

    // Once: pipelines and workspace, with every limit checked; then the buffers, or ranges of them.
    let loss = Triplet { margin: 0.9, mining: Mining::All, ..Default::default() };
    let plan = context.plan(&loss, Shape::batch(4, 2))?;
    let inputs = plan.bind(&Inputs::new(&embeddings, &labels))?;

    // Every frame: this creates nothing, writes nothing from the host and submits nothing. What is
    // recorded after it finds the gradient in plan.gradient(), the loss in plan.loss_value().
    let mut encoder = device.create_command_encoder(&Default::default());
    plan.record(&mut encoder, &inputs)?;

    // Only where the host wants numbers.
    let mut pending = plan.read_back(&mut encoder)?;
    queue.submit([encoder.finish()]);
    let found = pending.wait(Duration::from_secs(10))?;
    println!("{} over {} triplets, gradient {:?}", found.loss, found.terms, found.gradient);
    Ok(())
}
