//! The library as a guest on a device of the caller's: its buffers, encoders, passes, submissions and errors.

use std::ops::Range;
use std::time::Duration;

use support::adapters::contexts;
use support::losses::{losses, reach};
use support::sample::{Layout, Random, Recipe, Sample, Values};
use wgpu::BufferUsages;
use wgpu_metric_learning::{
    Batch, Binding, Context, Contrastive, Distance, Error, Evaluation, Inputs, Loss, Margin, MultiMargin, Options,
    Plan, Result, Sampling, Shape, Triplet,
};

/// NaN with a mark: what no kernel may read or overwrite.
const POISON: u32 = 0xffc0_dead;
/// Bytes to which ranges of buffers are aligned.
const ALIGNMENT: usize = 256;
const USAGE: BufferUsages = BufferUsages::STORAGE.union(BufferUsages::COPY_DST).union(BufferUsages::COPY_SRC);
const PATIENCE: Duration = Duration::from_secs(60);

/// A device with WebGPU's default limits and no feature, as an application may have it.
struct Caller {
    name: String,
    adapter: wgpu::Adapter,
    device: wgpu::Device,
    queue: wgpu::Queue,
    context: Context,
}

/// On every adapter.
fn callers() -> Vec<Caller> {
    let callers: Vec<_> = adapters().iter().map(|adapter| caller(adapter, wgpu::Limits::default())).collect();
    assert!(!callers.is_empty(), "no GPU adapter found: install a Vulkan driver, a software one will do");
    callers
}

fn adapters() -> Vec<wgpu::Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()))
}

fn device(adapter: &wgpu::Adapter, required_limits: wgpu::Limits) -> (wgpu::Device, wgpu::Queue) {
    let descriptor = wgpu::DeviceDescriptor { required_limits, ..Default::default() };
    pollster::block_on(adapter.request_device(&descriptor))
        .unwrap_or_else(|error| panic!("{:?}: {error}", adapter.get_info().backend))
}

fn caller(adapter: &wgpu::Adapter, limits: wgpu::Limits) -> Caller {
    let (device, queue) = device(adapter, limits);
    let context = Context::new(&device, &queue).expect("the default limits are enough");
    let name = format!("{:?}", adapter.get_info().backend);
    Caller { name, adapter: adapter.clone(), device, queue, context }
}

/// All inputs of a batch in one buffer of the caller's, each surrounded by poison.
struct Arena {
    buffer: wgpu::Buffer,
    words: Vec<u32>,
    ranges: [Range<usize>; 9],
}

impl Arena {
    fn new(device: &wgpu::Device, batch: &Batch) -> Self {
        let mut words = vec![POISON; ALIGNMENT / 4];
        let ranges = inputs_of(batch).map(|input| {
            let begin = words.len();
            words.extend_from_slice(&input);
            let end = words.len();
            words.resize((end * 4).next_multiple_of(ALIGNMENT) / 4 + ALIGNMENT / 4, POISON);
            begin * 4..end * 4
        });
        let descriptor = wgpu::BufferDescriptor {
            label: None,
            size: words.len() as u64 * 4,
            usage: USAGE,
            mapped_at_creation: true,
        };
        let buffer = device.create_buffer(&descriptor);
        buffer.slice(..).get_mapped_range_mut().unwrap().copy_from_slice(bytemuck::cast_slice(&words));
        buffer.unmap();
        Self { buffer, words, ranges }
    }

    /// Other contents for the same ranges.
    fn write(&mut self, queue: &wgpu::Queue, batch: &Batch) {
        for (range, input) in self.ranges.clone().into_iter().zip(inputs_of(batch)) {
            self.words[range.start / 4..range.end / 4].copy_from_slice(&input);
        }
        queue.write_buffer(&self.buffer, 0, bytemuck::cast_slice(&self.words));
    }

    /// One number of an input.
    fn write_word(&mut self, queue: &wgpu::Queue, input: usize, at: usize, word: u32) {
        let place = self.ranges[input].start / 4 + at;
        self.words[place] = word;
        queue.write_buffer(&self.buffer, place as u64 * 4, &word.to_ne_bytes());
    }

    fn inputs(&self) -> Inputs<'_> {
        let slice = |range: &Range<usize>| self.buffer.slice(range.start as u64..range.end as u64);
        let [embeddings, labels, references, reference_labels, beta, pairs, same, triplets, targets] = &self.ranges;
        let optional = |range: &Range<usize>| (!range.is_empty()).then(|| slice(range));
        Inputs {
            embeddings: slice(embeddings),
            labels: optional(labels),
            references: optional(references),
            reference_labels: optional(reference_labels),
            beta: optional(beta),
            pairs: optional(pairs),
            same: optional(same),
            triplets: optional(triplets),
            targets: optional(targets),
        }
    }

    #[track_caller]
    fn is_untouched(&self, caller: &Caller) {
        assert!(read(caller, &self.buffer) == self.words, "{}: the caller's buffer was written", caller.name);
    }
}

fn inputs_of(batch: &Batch) -> [Vec<u32>; 9] {
    let bits = |numbers: &[f32]| numbers.iter().map(|number| number.to_bits()).collect();
    [
        bits(batch.embeddings()),
        batch.labels().to_vec(),
        bits(batch.references()),
        batch.reference_labels().to_vec(),
        bits(batch.beta()),
        batch.listed_pairs().concat(),
        batch.same().to_vec(),
        batch.listed_triplets().concat(),
        bits(batch.targets()),
    ]
}

/// A batch's plan with its inputs in buffers of the caller's.
struct Guest {
    plan: Plan,
    arena: Arena,
    binding: Binding,
}

impl Guest {
    fn new(caller: &Caller, loss: &Loss, batch: &Batch) -> Self {
        let plan = caller.context.plan(loss, *batch.shape()).unwrap_or_else(|error| panic!("{loss:?}: {error}"));
        let arena = Arena::new(&caller.device, batch);
        let binding = plan.bind(&arena.inputs()).unwrap_or_else(|error| panic!("{loss:?}: {error}"));
        Self { plan, arena, binding }
    }

    /// One recording in a submission of its own.
    fn run(&self, caller: &Caller) -> Result<Evaluation> {
        let mut encoder = encoder(caller);
        self.plan.record(&mut encoder, &self.binding)?;
        let pending = self.plan.read_back(&mut encoder)?;
        caller.queue.submit([encoder.finish()]);
        pending.wait(PATIENCE)
    }

    /// Fills what the plan gives out with poison.
    fn poison_outputs(&self, caller: &Caller) {
        let outputs = [Some(self.plan.gradient()), self.plan.gradient_references(), self.plan.gradient_beta()];
        outputs.into_iter().flatten().for_each(|buffer| poison(caller, buffer));
    }
}

fn encoder(caller: &Caller) -> wgpu::CommandEncoder {
    caller.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
}

fn read(caller: &Caller, buffer: &wgpu::Buffer) -> Vec<u32> {
    let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
    let descriptor = wgpu::BufferDescriptor { label: None, size: buffer.size(), usage, mapped_at_creation: false };
    let staging = caller.device.create_buffer(&descriptor);
    let mut encoder = encoder(caller);
    encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, buffer.size());
    caller.queue.submit([encoder.finish()]);
    staging.map_async(wgpu::MapMode::Read, .., |result| result.expect("mapping"));
    caller.device.poll(wgpu::PollType::wait_indefinitely()).expect("polling");
    bytemuck::pod_collect_to_vec(&staging.slice(..).get_mapped_range().expect("mapped"))
}

fn poison(caller: &Caller, buffer: &wgpu::Buffer) {
    let source = format!(
        "@group(0) @binding(0) var<storage, read_write> words: array<u32>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
            if (id.x < arrayLength(&words)) {{ words[id.x] = {POISON}u; }}
        }}"
    );
    let source = wgpu::ShaderSource::Wgsl(source.into());
    let module = caller.device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
    let pipeline = caller.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: None,
        compilation_options: Default::default(),
        cache: None,
    });
    let group = caller.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() }],
    });
    let mut encoder = encoder(caller);
    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
    pass.set_pipeline(&pipeline);
    pass.set_bind_group(0, &group, &[]);
    pass.dispatch_workgroups((buffer.size() as u32 / 4).div_ceil(64), 1, 1);
    drop(pass);
    caller.queue.submit([encoder.finish()]);
}

fn sample(n: usize, d: usize, values: Values) -> Sample {
    Sample::new(Recipe { n, m: 19, d, layout: Layout::Balanced(3), values, extreme_labels: false })
}

/// Every loss, each with a distance.
fn every_loss() -> Vec<Loss> {
    let distance = |kind| Distance::ALL[kind % 5];
    let loss = |kind| losses(distance(kind), kind % 2 == 0, reach(distance(kind), kind % 2 == 0, 6, 1.0)).remove(kind);
    (0..losses(Distance::Euclidean, false, 1.0).len()).map(loss).collect()
}

/// Margin with one beta per class against references: every input there is.
fn everything() -> Loss {
    Margin { beta_per_class: true, ..Margin::default() }.into()
}

/// The batch in which a loss has the most inputs.
fn fullest<'a>(sample: &'a Sample, loss: &Loss) -> Batch<'a> {
    sample.batches(loss).pop().expect("every loss has a mode")
}

#[test]
fn parts_of_buffers_stale_outputs_and_new_contents() {
    let _alone = contexts();
    let [first, second] = [Values::Ordinary, Values::Near(0.5)].map(|values| sample(23, 6, values));
    for caller in callers() {
        for loss in every_loss() {
            for (first, second) in first.batches(&loss).iter().zip(second.batches(&loss)) {
                let [expected, expected_second] =
                    [first, &second].map(|batch| caller.context.evaluate(&loss, batch).unwrap());
                assert_ne!(expected, expected_second, "{loss:?}: the two cannot be told apart");
                let mut guest = Guest::new(&caller, &loss, first);
                guest.poison_outputs(&caller);
                assert_eq!(guest.run(&caller), Ok(expected), "{}: {loss:?}", caller.name);
                guest.arena.write(&caller.queue, &second);
                assert_eq!(guest.run(&caller), Ok(expected_second), "{}: {loss:?}", caller.name);
                guest.arena.is_untouched(&caller);
            }
        }
    }
}

#[test]
fn two_plans_twice_in_one_submission_and_in_a_pass_of_the_callers() {
    let _alone = contexts();
    let [small, large] = [sample(9, 3, Values::Ordinary), sample(70, 6, Values::Ordinary)];
    let [loss, other] = [Triplet::default().into(), everything()];
    let batches = [fullest(&small, &loss), fullest(&large, &other)];
    for caller in callers() {
        let expected = [(&loss, &batches[0]), (&other, &batches[1])]
            .map(|(loss, batch)| caller.context.evaluate(loss, batch).unwrap());
        let guests = [Guest::new(&caller, &loss, &batches[0]), Guest::new(&caller, &other, &batches[1])];
        guests.iter().for_each(|guest| guest.poison_outputs(&caller));

        let mut encoder = encoder(&caller);
        for guest in guests.iter().chain(&guests) {
            guest.plan.record(&mut encoder, &guest.binding).unwrap();
        }
        let pending = [0, 1].map(|at| guests[at].plan.read_back(&mut encoder).unwrap());
        caller.queue.submit([encoder.finish()]);
        assert_eq!(pending.map(|pending| pending.wait(PATIENCE).unwrap()), expected, "{}", caller.name);

        guests.iter().for_each(|guest| guest.poison_outputs(&caller));
        let mut encoder = self::encoder(&caller);
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        for guest in &guests {
            guest.plan.record_into(&mut pass, &guest.binding).unwrap();
        }
        drop(pass);
        let pending = [0, 1].map(|at| guests[at].plan.read_back(&mut encoder).unwrap());
        caller.queue.submit([encoder.finish()]);
        assert_eq!(pending.map(|pending| pending.wait(PATIENCE).unwrap()), expected, "{}", caller.name);
        assert_eq!(f32::from_bits(read(&caller, guests[0].plan.loss_value())[0]), expected[0].loss);
        let gradient: Vec<_> = expected[1].gradient.iter().map(|number| number.to_bits()).collect();
        assert_eq!(read(&caller, guests[1].plan.gradient()), gradient);
    }
}

#[test]
fn a_seed_set_between_submissions_draws_like_one_planned_with() {
    let _alone = contexts();
    let drawing = |seed| {
        let sampling = Sampling::DistanceWeighted;
        Loss::from(Margin { normalize: true, sampling, seed, ..Margin::default() })
    };
    let sample = sample(40, 6, Values::Ordinary);
    let batch = &sample.batches(&drawing(1))[0];
    for caller in callers() {
        let [one, other] = [1, 2].map(|seed| caller.context.evaluate(drawing(seed), batch).unwrap());
        assert_ne!(one.gradient, other.gradient, "{}", caller.name);
        let guest = Guest::new(&caller, &drawing(1), batch);
        assert_eq!(guest.run(&caller).as_ref(), Ok(&one), "{}", caller.name);
        for (seed, expected) in [(2, &other), (1, &one), (1, &one)] {
            guest.plan.set_seed(seed).unwrap();
            assert_eq!(guest.run(&caller).as_ref(), Ok(expected), "{}: seed {seed}", caller.name);
        }
        let loss: Loss = Margin::default().into();
        let error = caller.context.plan(&loss, *batch.shape()).unwrap().set_seed(1).unwrap_err();
        assert_eq!(error.to_string(), "Margin cannot take a seed: it draws nothing");
    }
}

#[test]
fn reading_before_computing_is_an_error() {
    let _alone = contexts();
    let sample = sample(9, 3, Values::Ordinary);
    let loss = Contrastive::default().into();
    for caller in callers() {
        let guest = Guest::new(&caller, &loss, &sample.batches(&loss)[0]);
        let mut recorded = encoder(&caller);
        guest.plan.record(&mut recorded, &guest.binding).unwrap();
        let mut encoder = encoder(&caller);
        let pending = guest.plan.read_back(&mut encoder).unwrap();
        caller.queue.submit([encoder.finish()]);
        assert_eq!(pending.wait(PATIENCE), Err(Error::NotComputed), "{}", caller.name);
        caller.queue.submit([recorded.finish()]);
        assert!(guest.run(&caller).is_ok());
    }
}

#[test]
fn buffers_that_do_not_fit_are_errors() {
    let _alone = contexts();
    let sample = sample(9, 3, Values::Ordinary);
    let loss = everything();
    let batch = fullest(&sample, &loss);
    for caller in &callers() {
        let guest = Guest::new(caller, &loss, &batch);
        let inputs = guest.arena.inputs();
        let buffer = |device: &wgpu::Device, usage| {
            let descriptor = wgpu::BufferDescriptor { label: None, size: 4096, usage, mapped_at_creation: false };
            device.create_buffer(&descriptor)
        };
        let copied = buffer(&caller.device, BufferUsages::COPY_DST);
        let foreign = buffer(&device(&caller.adapter, wgpu::Limits::default()).0, USAGE);
        let own = buffer(&caller.device, USAGE);
        let fails = |inputs: Inputs, what: &str, problem: &str| match guest.plan.bind(&inputs) {
            Err(Error::Buffer { what: found, problem: text }) => {
                assert_eq!(found, what);
                assert!(text.contains(problem), "{text:?} lacks {problem:?}");
            }
            other => panic!("{what}: {other:?}"),
        };
        let small = "the range has 32 bytes, 108 are needed";
        fails(Inputs { embeddings: own.slice(..32), ..inputs.clone() }, "embeddings", small);
        fails(Inputs { labels: Some(own.slice(..32)), ..inputs.clone() }, "labels", "32 bytes, 36 are needed");
        fails(Inputs { references: Some(own.slice(..32)), ..inputs.clone() }, "references", "228 are needed");
        fails(Inputs { reference_labels: Some(own.slice(..32)), ..inputs.clone() }, "reference labels", "76 are");
        fails(Inputs { beta: Some(own.slice(..8)), ..inputs.clone() }, "beta", "8 bytes, 12 are needed");
        let misaligned = "begins at byte 4, which is no multiple of 256";
        fails(Inputs { embeddings: own.slice(4..), ..inputs.clone() }, "embeddings", misaligned);
        fails(Inputs { labels: Some(copied.slice(..)), ..inputs.clone() }, "labels", "STORAGE is needed");

        let missing = |inputs: Inputs| match guest.plan.bind(&inputs) {
            Err(Error::Missing { what, .. }) => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(missing(Inputs { references: None, ..inputs.clone() }), "references");
        assert_eq!(missing(Inputs { reference_labels: None, ..inputs.clone() }), "reference labels");
        assert_eq!(missing(Inputs { beta: None, ..inputs.clone() }), "beta");

        let error = guest.plan.bind(&Inputs { embeddings: foreign.slice(..), ..inputs.clone() }).unwrap_err();
        assert!(matches!(error, Error::Gpu { during: "binding inputs", .. }), "{}: {error}", caller.name);

        let other = Guest::new(caller, &loss, &batch);
        let error = guest.plan.record(&mut encoder(caller), &other.binding).unwrap_err();
        assert_eq!(error.to_string(), "buffer binding: it was made by another plan");
        assert!(guest.run(caller).is_ok(), "{}: no error spoils the plan", caller.name);
    }
}

#[test]
fn values_that_are_not_finite_are_found_where_they_are() {
    let _alone = contexts();
    const D: usize = 5;
    let sample = sample(23, D, Values::Ordinary);
    let cases: [(Loss, usize); 4] = [
        (Contrastive::default().into(), 0),
        (everything(), 1),
        (MultiMargin::default().into(), 0),
        (MultiMargin::default().into(), 1),
    ];
    for caller in callers() {
        for (loss, mode) in &cases {
            let batch = sample.batches(loss)[*mode];
            let columns = batch.shape().dimensions();
            let expected = Ok(caller.context.evaluate(loss, &batch).unwrap());
            let mut guest = Guest::new(&caller, loss, &batch);
            for (input, what, columns) in [(0, "embeddings", columns), (2, "references", columns), (4, "beta", 1)] {
                let count = guest.arena.ranges[input].len() / 4;
                let places = if count == 0 { vec![] } else { vec![0, count / 2, count - 1] };
                for (place, word) in places.into_iter().flat_map(|place| poisons().map(|word| (place, word))) {
                    let begin = guest.arena.ranges[input].start / 4;
                    let before = guest.arena.words[begin + place];
                    guest.arena.write_word(&caller.queue, input, place, word);
                    let error = Error::NotFinite { what, row: place / columns, column: place % columns };
                    assert_eq!(guest.run(&caller), Err(error), "{}: {word:#x} in {loss:?}", caller.name);
                    guest.arena.write_word(&caller.queue, input, place, before);
                }
            }
            assert_eq!(guest.run(&caller), expected, "{}: {loss:?}", caller.name);
            guest.arena.is_untouched(&caller);
        }
    }
}

/// NaN, quiet and signalling, and the infinities.
fn poisons() -> [u32; 4] {
    [POISON, 0x7f80_0001, f32::INFINITY.to_bits(), f32::NEG_INFINITY.to_bits()]
}

#[test]
fn the_first_of_several_faults_is_named() {
    let _alone = contexts();
    let sample = sample(23, 5, Values::Ordinary);
    let loss = Contrastive::default().into();
    for caller in callers() {
        let mut guest = Guest::new(&caller, &loss, &sample.batches(&loss)[0]);
        for place in [112, 41, 60] {
            guest.arena.write_word(&caller.queue, 0, place, POISON);
        }
        assert_eq!(
            guest.run(&caller),
            Err(Error::NotFinite { what: "embeddings", row: 8, column: 1 }),
            "{}",
            caller.name
        );
    }
}

#[test]
fn labels_without_an_entry_are_found_where_they_are() {
    let _alone = contexts();
    let sample = sample(23, 5, Values::Ordinary);
    let cases: [(Loss, usize, &str); 3] = [
        (MultiMargin::default().into(), 0, "class"),
        (MultiMargin::default().into(), 1, "prototype"),
        (everything(), 0, "beta"),
    ];
    for caller in callers() {
        for (loss, mode, what) in &cases {
            let batch = sample.batches(loss)[*mode];
            let expected = Ok(caller.context.evaluate(loss, &batch).unwrap());
            let mut guest = Guest::new(&caller, loss, &batch);
            for (row, label) in [(0, 3), (11, u32::MAX), (22, 4)] {
                guest.arena.write_word(&caller.queue, 1, row, label);
                let error = Error::LabelOutOfRange { what, row, label: None, limit: 3 };
                assert_eq!(guest.run(&caller), Err(error), "{}: {loss:?}", caller.name);
                guest.arena.write_word(&caller.queue, 1, row, batch.labels()[row]);
            }
            assert_eq!(guest.run(&caller), expected, "{}: {loss:?}", caller.name);
        }
    }
}

#[test]
fn results_beyond_f32_are_errors() {
    let _alone = contexts();
    let distance = Distance::SquaredEuclidean;
    let losses: [Loss; 4] = [
        Contrastive { distance, ..Default::default() }.into(),
        Triplet { distance, ..Default::default() }.into(),
        Margin { distance, ..Default::default() }.into(),
        MultiMargin { distance, ..Default::default() }.into(),
    ];
    let [good, huge] = [Values::Ordinary, Values::Scaled(1e30)].map(|values| sample(23, 5, values));
    for caller in callers() {
        for loss in &losses {
            let [good, huge] = [&good, &huge].map(|sample| fullest(sample, loss));
            let expected = Ok(caller.context.evaluate(loss, &good).unwrap());
            let mut guest = Guest::new(&caller, loss, &good);
            guest.arena.write(&caller.queue, &huge);
            assert!(matches!(guest.run(&caller), Err(Error::Overflow { .. })), "{}: {loss:?}", caller.name);
            guest.arena.write(&caller.queue, &good);
            assert_eq!(guest.run(&caller), expected, "{}: {loss:?}", caller.name);
        }
    }
}

#[test]
fn plans_work_on_other_threads_and_results_can_be_awaited() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let _alone = contexts();
    let sample = sample(23, 5, Values::Ordinary);
    let loss: Loss = Triplet::default().into();
    let batch = sample.batches(&loss)[0];
    for caller in callers() {
        let expected = caller.context.evaluate(&loss, &batch).unwrap();
        assert_eq!(pollster::block_on(caller.context.evaluate_async(&loss, &batch)).as_ref(), Ok(&expected));
        let guest = is_send(Guest::new(&caller, &loss, &batch));
        let caller = &caller;
        let result = std::thread::scope(|scope| scope.spawn(move || guest.run(caller)).join().expect("no panic"));
        assert_eq!(result, Ok(expected));
    }
}

#[test]
fn a_timeout_is_an_error_and_no_end() {
    let _alone = contexts();
    let sample = sample(70, 6, Values::Ordinary);
    let loss: Loss = Triplet::default().into();
    let batch = sample.batches(&loss)[0];
    for caller in callers() {
        let expected = Ok(caller.context.evaluate(&loss, &batch).unwrap());
        let options = Options { timeout: Duration::ZERO, ..Options::default() };
        let hasty = Context::with_options(&caller.device, &caller.queue, options).unwrap();
        assert_eq!(hasty.evaluate(&loss, &batch), Err(Error::Timeout { after: Duration::ZERO }), "{}", caller.name);
        let patient = Caller { context: hasty, ..caller };
        assert_eq!(Guest::new(&patient, &loss, &batch).run(&patient), expected, "{}", patient.name);
    }
}

#[test]
fn limits_of_the_device_are_kept_or_named() {
    let _alone = contexts();
    const MIB: u64 = 1 << 20;
    let loss: Loss = Contrastive::default().into();
    for adapter in adapters() {
        let (device, queue) = device(&adapter, wgpu::Limits::downlevel_defaults());
        let error = Context::new(&device, &queue).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the baseline of the kernels needs 8, the device's maxStorageBuffersPerShaderStage is 4"
        );

        let limits = wgpu::Limits { max_storage_buffer_binding_size: MIB, ..wgpu::Limits::default() };
        let caller = caller(&adapter, limits);
        let error = caller.context.plan(&loss, Shape::batch(600, 1000)).unwrap_err();
        let [needed, limit] = [600 * 1000 * 4, MIB];
        let name = "maxStorageBufferBindingSize";
        assert_eq!(error, Error::DeviceLimit { what: "embeddings", needed, name, limit });

        // A matrix of 4 MiB in stripes that may be bound.
        let embeddings = Random(3).numbers(1000 * 4, 1.0);
        let labels: Vec<_> = (0..1000).map(|row| row % 7).collect();
        let batch = Batch::new(&embeddings, [1000, 4], &labels).unwrap();
        let unlimited = self::caller(&adapter, wgpu::Limits::default());
        assert_eq!(caller.context.evaluate(&loss, &batch), unlimited.context.evaluate(&loss, &batch));
        assert!(caller.context.evaluate(&loss, &batch).is_ok());
    }
}
