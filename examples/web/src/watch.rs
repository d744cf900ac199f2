//! A training that is watched: every frame is one step, and draws the embeddings from the buffer
//! that the step has left them in.

use serde_json::json;
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::OffscreenCanvas;
use wgpu::util::{BufferInitDescriptor, DeviceExt};
use wgpu_metric_learning::measures::{MeasurePlan, Retrieval};
use wgpu_metric_learning::training::{Adam, Mlp, MlpPlan, OptimizerPlan};
use wgpu_metric_learning::{Adapter, Binding, Context, Inputs, Loss, Options, Plan, Record, Shape};

use crate::canvas::Canvas;
use crate::npy::Array;

/// Numbers between an image and its place in the plane.
const HIDDEN: usize = 64;
const LEARNING_RATE: f32 = 0.01;
const SEED: u32 = 1;

/// A training that is watched.
#[wasm_bindgen]
pub struct Watch {
    context: Context,
    canvas: Canvas,
    images: wgpu::Buffer,
    labels: wgpu::Buffer,
    parameters: wgpu::Buffer,
    mlp: MlpPlan,
    forward: Binding,
    optimizer: OptimizerPlan,
    step: Binding,
    lesson: Lesson,
    measures: MeasurePlan,
    measured: Binding,
    steps: u32,
}

/// The loss of the embeddings, and the way back from its gradient to that of the parameters.
struct Lesson {
    plan: Plan,
    inputs: Binding,
    backward: Binding,
}

#[wasm_bindgen]
impl Watch {
    /// Trains on the first so many images of an `.npy` file with the labels of another, by a loss
    /// as JSON.
    pub async fn open(
        canvas: OffscreenCanvas,
        images: &[u8],
        labels: &[u8],
        count: usize,
        loss: &str,
    ) -> Result<Self, JsError> {
        let problem = |problem: String| JsError::new(&problem);
        let images = Array::parse(images, None).and_then(Array::matrix).map_err(problem)?.numbers;
        let labels = Array::parse(labels, None).and_then(Array::integers).map_err(problem)?;
        let rows = count.min(images.rows).min(labels.len());
        let adapter = Adapter::find_async(None).await?;
        let context = adapter.open_async(Options::default()).await?;
        let buffer = |contents: &[u8]| {
            let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC;
            context.device().create_buffer_init(&BufferInitDescriptor {
                label: None,
                contents,
                usage,
            })
        };
        let mlp = Mlp { inputs: images.columns, hidden: vec![HIDDEN], outputs: 2 };
        let first = mlp.initial_parameters(SEED)?;
        let images = buffer(bytemuck::cast_slice(&images.values[..rows * images.columns]));
        let labels = buffer(bytemuck::cast_slice(&labels[..rows]));
        let parameters = buffer(bytemuck::cast_slice(&first));

        let mlp = context.plan_mlp(mlp, rows)?;
        let forward = mlp.bind_forward(images.slice(..), parameters.slice(..))?;
        let adam = Adam { learning_rate: LEARNING_RATE, ..Default::default() };
        let optimizer = context.plan_optimizer(adam, first.len())?;
        let step = optimizer.bind(parameters.slice(..), mlp.gradient().slice(..))?;
        let lesson = Lesson::new(&context, &mlp, loss, [&images, &labels, &parameters])?;
        let measures = context.plan_measures(&Retrieval::default(), Shape::batch(rows, 2))?;
        let measured = measures.bind(&Inputs::new(mlp.outputs(), &labels))?;
        let canvas = Canvas::new(&adapter, &context, canvas, mlp.outputs(), &labels)?;
        Ok(Self {
            context,
            canvas,
            images,
            labels,
            parameters,
            mlp,
            forward,
            optimizer,
            step,
            lesson,
            measures,
            measured,
            steps: 0,
        })
    }

    /// Trains by another loss from here on.
    pub fn change(&mut self, loss: &str) -> Result<(), JsError> {
        let buffers = [&self.images, &self.labels, &self.parameters];
        self.lesson = Lesson::new(&self.context, &self.mlp, loss, buffers)?;
        Ok(())
    }

    /// Makes a step and draws what it has come to; tells steps, loss and Precision@1 as JSON.
    pub async fn frame(&mut self) -> Result<String, JsError> {
        let mut encoder = self.context.device().create_command_encoder(&Default::default());
        self.mlp.record(&mut encoder, &self.forward)?;
        self.lesson.plan.record(&mut encoder, &self.lesson.inputs)?;
        self.measures.record(&mut encoder, &self.measured)?;
        self.mlp.record(&mut encoder, &self.lesson.backward)?;
        self.optimizer.record(&mut encoder, &self.step)?;
        let loss = self.lesson.plan.read_back_loss(&mut encoder)?;
        let measures = self.measures.read_back(&mut encoder)?;
        self.canvas.draw(encoder)?;
        self.steps += 1;
        let (loss, precision) = (loss.await?.loss, measures.await?.precision_at_1);
        Ok(json!({ "steps": self.steps, "loss": loss, "precision": precision }).to_string())
    }
}

impl Lesson {
    fn new(
        context: &Context,
        mlp: &MlpPlan,
        loss: &str,
        [images, labels, parameters]: [&wgpu::Buffer; 3],
    ) -> Result<Self, JsError> {
        let loss: Loss = serde_json::from_str(loss)?;
        let plan = context.plan(loss, Shape::batch(mlp.rows(), 2))?;
        let inputs = plan.bind(&Inputs::new(mlp.outputs(), labels))?;
        let slopes = plan.gradient().slice(..);
        let backward = mlp.bind_backward(images.slice(..), parameters.slice(..), slopes)?;
        Ok(Self { plan, inputs, backward })
    }
}
