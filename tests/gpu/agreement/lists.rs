//! Listed and row-aligned pairs and listed triplets: the kernels against the reference on every
//! adapter, and bad lists.

use support::adapters::{Device, contexts, one_by_one};
use support::agreement::Tally;
use support::sample::Random;
use wgpu::BufferUsages;
use wgpu_metric_learning::{
    Batch, Contrastive, Distance, Error, Evaluation, Input, Inputs, Loss, Margin, Mining, Record,
    Reduction, Result, Shape, Triplet,
};

const D: usize = 5;

/// Index lists of whole numbers, the same on every machine.
struct Lists {
    embeddings: Vec<f32>,
    rows: usize,
    pairs: Vec<[u32; 2]>,
    triplets: Vec<[u32; 3]>,
    same: Vec<u32>,
}

impl Lists {
    /// `listed` pairs and triplets of `rows` rows; one in `hub` of their places is row 0.
    fn new(rows: usize, listed: usize, hub: usize) -> Self {
        let mut random = Random(3).numbers(3 * listed, 1.0).into_iter().enumerate();
        let mut row = || {
            let (at, number) = random.next().expect("enough numbers");
            if at.is_multiple_of(hub) {
                0
            } else {
                ((0.5 + 0.5 * number) * rows as f32) as u32 % rows as u32
            }
        };
        let triplets: Vec<_> = (0..listed).map(|_| [row(), row(), row()]).collect();
        let apart = |&[i, j, _]: &[u32; 3]| [i, if i == j { (i + 1) % rows as u32 } else { j }];
        Self {
            embeddings: Random(4).numbers(rows * D, 0.5),
            rows,
            pairs: triplets.iter().map(apart).collect(),
            triplets,
            same: (0..listed as u32).map(|at| u32::from(at % 7 < 3)).collect(),
        }
    }

    fn pairs(&self) -> Batch<'_> {
        Batch::pair_indices(&self.embeddings, [self.rows, D], &self.pairs, &self.same)
            .expect("valid pairs")
    }

    fn triplets(&self) -> Batch<'_> {
        Batch::triplets(&self.embeddings, [self.rows, D], &self.triplets).expect("valid triplets")
    }
}

fn explicit() -> Triplet {
    Triplet { mining: Mining::Explicit, ..Default::default() }
}

/// Lists from one digit of the rows' numbers to three, from one pair to many blocks of them, spread
/// evenly and with hubs.
#[test]
fn lists_of_every_length_over_few_and_many_rows() {
    let mut tally = Tally::new();
    let cases = [
        (2, 1, 9),
        (2, 3000, 9),
        (255, 511, 100),
        (256, 512, 100),
        (257, 513, 2),
        (300, 20_000, 3),
        (65_536, 1024, 50),
        (65_537, 3000, 50),
        (70_000, 40_000, 10),
    ];
    for (turn, (rows, listed, hub)) in cases.into_iter().enumerate() {
        let lists = Lists::new(rows, listed, hub);
        let note = format!("{rows} rows, {listed} listed, hub {hub}");
        let split = Contrastive { reduction: Reduction::MeanNonZero, ..Default::default() };
        let of_pairs = [split.into(), Margin { alpha: 0.4, ..Default::default() }.into()];
        let of_triplets = [false, true].map(|soft| Triplet { soft, ..explicit() }.into());
        for kind in 0..2 {
            // Where there are many rows one loss of each list stands for both.
            if rows < 1000 || kind == turn % 2 {
                tally.hold(&of_pairs[kind], &lists.pairs(), &note);
                tally.hold(&of_triplets[kind], &lists.triplets(), &note);
            }
        }
    }
    tally.conclude(0.05);
}

#[test]
fn row_aligned_pairs_of_every_length() {
    let mut tally = Tally::new();
    for (pairs, d) in [(1, 1), (3, 67), (255, 4), (257, 17), (1023, 3), (1025, 2), (70_001, 2)] {
        let [embeddings, references] = [5, 6].map(|seed| Random(seed).numbers(pairs * d, 0.5));
        let same: Vec<_> = (0..pairs as u32).map(|row| row % 2).collect();
        let batch =
            Batch::pair_rows(&embeddings, &references, [pairs, d], &same).expect("valid pairs");
        for distance in Distance::ALL {
            let loss =
                Contrastive { distance, reduction: Reduction::HadsellMean, ..Default::default() };
            tally.hold(&loss.into(), &batch, "row pairs");
        }
    }
    tally.conclude(0.05);
}

#[test]
fn the_same_bits_in_every_run() {
    let lists = Lists::new(300, 20_000, 3);
    let bits = |evaluation: Evaluation| {
        let numbers = evaluation.gradient.iter().chain([&evaluation.loss]);
        numbers.map(|number| number.to_bits()).collect::<Vec<_>>()
    };
    for device in one_by_one() {
        let Device { name, context } = &*device;
        let runs = [(); 3].map(|()| {
            bits(context.evaluate(explicit(), &lists.triplets()).wait().expect("valid triplets"))
        });
        assert!(runs[1..].iter().all(|run| *run == runs[0]), "{name}");
    }
}

/// Listing a pair twice is as good as weighing it twice.
#[test]
fn what_is_listed_again_counts_again() {
    let embeddings = Random(7).numbers(3 * D, 0.3);
    let once = [[0, 1], [0, 2]];
    let twice = [[0, 1], [0, 2], [0, 1], [0, 2]];
    let evaluate = |device: &Device, pairs: &[[u32; 2]]| {
        let batch = Batch::pair_indices(&embeddings, [3, D], pairs, &[1, 0, 1, 0][..pairs.len()])
            .expect("valid pairs");
        let loss = Contrastive { reduction: Reduction::Sum, ..Default::default() };
        device.context.evaluate(loss, &batch).wait().expect("it runs")
    };
    for device in one_by_one() {
        let [once, twice] = [&once[..], &twice].map(|pairs| evaluate(&device, pairs));
        assert_eq!((twice.terms, twice.positive_pairs), (2 * once.terms, 2 * once.positive_pairs));
        assert!(
            once.loss > 0.0 && (twice.loss - 2.0 * once.loss).abs() < 1e-6 * twice.loss,
            "{}",
            device.name
        );
    }
}

#[test]
fn bad_lists_are_errors_on_the_host() {
    let embeddings = [0.0; 8];
    let pairs = |pairs: &[[u32; 2]], same: &[u32]| {
        Batch::pair_indices(&embeddings, [4, 2], pairs, same).unwrap_err()
    };
    let error = pairs(&[[0, 1], [2, 4]], &[1, 0]);
    assert_eq!(error, Error::IndexOutOfRange { what: "pairs", row: 1, column: 1, limit: 4 });
    assert_eq!(
        error.to_string(),
        "pairs: entry 1 has an index at place 1 that is no row: there are 4"
    );
    assert_eq!(pairs(&[[0, 1], [3, 3]], &[1, 0]), Error::PairWithItself { row: 1 });
    let error = pairs(&[[0, 1], [3, 2]], &[1, 2]);
    assert_eq!(error, Error::Target { what: "same", row: 1, column: 0, allowed: "0 or 1" });
    assert_eq!(error.to_string(), "same at row 1, column 0 is not 0 or 1");
    assert_eq!(
        pairs(&[[0, 1], [3, 2]], &[1]),
        Error::Length { what: "same", expected: 2, actual: 1 }
    );
    assert_eq!(pairs(&[], &[]), Error::Empty { what: "the number of pairs" });
    let error = Batch::triplets(&embeddings, [4, 2], &[[0, 1, 2], [u32::MAX, 0, 0]]).unwrap_err();
    assert_eq!(error, Error::IndexOutOfRange { what: "triplets", row: 1, column: 0, limit: 4 });
    let error = Batch::pair_rows(&embeddings, &embeddings[1..], [4, 2], &[0; 4]).unwrap_err();
    assert_eq!(error, Error::Length { what: "references", expected: 8, actual: 7 });
}

#[test]
fn losses_say_which_lists_they_take() {
    let lists = Lists::new(9, 4, 3);
    let refuse = |loss: &Loss, batch: &Batch| {
        assert!(matches!(batch.check(loss), Err(Error::Unsupported { .. })))
    };
    refuse(&Triplet::default().into(), &lists.triplets());
    refuse(&explicit().into(), &lists.pairs());
    refuse(&Margin { beta_per_class: true, ..Default::default() }.into(), &lists.pairs());
    refuse(&Contrastive::default().into(), &lists.triplets());
    assert!(lists.pairs().check(&Contrastive::default().into()).is_ok());
}

/// Buffers of the caller's for the losses of lists.
struct Guest {
    embeddings: wgpu::Buffer,
    list: wgpu::Buffer,
    same: wgpu::Buffer,
}

impl Guest {
    fn new(device: &Device, embeddings: &[f32], list: &[u32], same: &[u32]) -> Self {
        let upload = |bytes: &[u8]| {
            let buffer = device.context.device().create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: bytes.len() as u64,
                usage: BufferUsages::STORAGE | BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            device.context.queue().write_buffer(&buffer, 0, bytes);
            buffer
        };
        Self {
            embeddings: upload(bytemuck::cast_slice(embeddings)),
            list: upload(bytemuck::cast_slice(list)),
            same: upload(bytemuck::cast_slice(same)),
        }
    }

    fn pairs(&self) -> Inputs<'_> {
        Inputs::unlabelled(&self.embeddings)
            .with(Input::Pairs, self.list.slice(..))
            .with(Input::Same, self.same.slice(..))
    }

    fn triplets(&self) -> Inputs<'_> {
        Inputs::unlabelled(&self.embeddings).with(Input::Triplets, self.list.slice(..))
    }
}

fn run(
    device: &Device,
    loss: impl Into<Loss>,
    shape: Shape,
    inputs: &Inputs,
) -> Result<Evaluation> {
    let plan = device.context.plan(loss, shape)?;
    let binding = plan.bind(inputs)?;
    let mut encoder =
        device.context.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    plan.record(&mut encoder, &binding)?;
    let mut pending = plan.read_back(&mut encoder)?;
    device.context.queue().submit([encoder.finish()]);
    pending.wait(std::time::Duration::from_secs(60))
}

/// A list on the GPU is seen by nobody before the kernels.
#[test]
fn bad_lists_are_errors_on_the_gpu() {
    let embeddings = Random(8).numbers(4 * D, 1.0);
    for device in one_by_one() {
        let pairs = |list: [u32; 6], same: [u32; 3]| {
            let guest = Guest::new(&device, &embeddings, &list, &same);
            run(&device, Contrastive::default(), Shape::pair_indices(4, D, 3), &guest.pairs())
        };
        assert!(
            pairs([0, 1, 1, 2, 2, 3], [1, 0, 1]).expect("valid pairs").loss > 0.0,
            "{}",
            device.name
        );
        let error = pairs([0, 1, 1, 4, 9, 3], [1, 0, 1]).unwrap_err();
        assert_eq!(error, Error::IndexOutOfRange { what: "pairs", row: 1, column: 1, limit: 4 });
        assert_eq!(
            pairs([0, 1, 2, 2, 3, 3], [1, 0, 1]).unwrap_err(),
            Error::PairWithItself { row: 1 }
        );
        let error = pairs([0, 1, 1, 2, 2, 3], [1, 0, u32::MAX]).unwrap_err();
        assert_eq!(error, Error::Target { what: "same", row: 2, column: 0, allowed: "0 or 1" });

        let triplets = |list: [u32; 6]| {
            let guest = Guest::new(&device, &embeddings, &list, &[0]);
            run(&device, explicit(), Shape::triplets(4, D, 2), &guest.triplets())
        };
        assert_eq!(triplets([0, 1, 2, 3, 3, 0]).expect("valid triplets").terms, 2);
        let error = triplets([0, 1, 2, 3, 0, u32::MAX]).unwrap_err();
        assert_eq!(error, Error::IndexOutOfRange { what: "triplets", row: 1, column: 2, limit: 4 });
    }
}

#[test]
fn a_list_that_was_not_given_is_missing() {
    let devices = contexts();
    let guest = Guest::new(devices[0], &[0.0; 4 * D], &[0; 6], &[0; 3]);
    let missing = |loss: Loss, shape, inputs: Inputs| match run(devices[0], loss, shape, &inputs)
        .unwrap_err()
    {
        Error::Missing { what, .. } => what,
        other => panic!("{other}"),
    };
    let pairs = Shape::pair_indices(4, D, 3);
    let contrastive = || Loss::from(Contrastive::default());
    assert_eq!(missing(contrastive(), pairs, guest.pairs().without(Input::Pairs)), "pairs");
    assert_eq!(missing(contrastive(), pairs, guest.pairs().without(Input::Same)), "same");
    let bare = || Inputs::unlabelled(&guest.embeddings);
    assert_eq!(
        missing(contrastive(), Shape::pair_rows(3, D), guest.pairs().without(Input::Pairs)),
        "references"
    );
    assert_eq!(missing(explicit().into(), Shape::triplets(4, D, 2), bare()), "triplets");
    assert_eq!(missing(contrastive(), Shape::batch(4, D), bare()), "labels");
}

#[test]
fn an_input_that_nothing_takes_is_refused() {
    let devices = contexts();
    let guest = Guest::new(devices[0], &[0.5; 4 * D], &[0, 1, 1, 2, 2, 3], &[0; 4]);
    let given = |shape, inputs: Inputs| match run(devices[0], Margin::default(), shape, &inputs)
        .unwrap_err()
    {
        Error::NotTaken { what } => what,
        other => panic!("{other}"),
    };
    let rows = || Inputs::new(&guest.embeddings, &guest.same);
    assert_eq!(
        given(Shape::batch(4, D), rows().with(Input::Beta, guest.embeddings.slice(..))),
        "beta"
    );
    assert_eq!(
        given(Shape::batch(4, D), rows().with(Input::References, guest.embeddings.slice(..))),
        "references"
    );
    assert_eq!(
        given(Shape::batch(4, D), rows().with(Input::Triplets, guest.list.slice(..))),
        "triplets"
    );
    let labelled = guest.pairs().with(Input::Labels, guest.same.slice(..));
    assert_eq!(given(Shape::pair_indices(4, D, 3), labelled), "labels");
    assert!(
        run(devices[0], Margin::default(), Shape::pair_indices(4, D, 3), &guest.pairs()).is_ok()
    );
}
