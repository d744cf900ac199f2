//! Sizes beyond what can be counted, addressed or dispatched: typed errors, without a panic and
//! before anything is allocated.

use support::adapters::{contexts, one_by_one};
use wgpu::BufferUsages;
use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::{
    Batch, Contrastive, Error, L2, Loss, Margin, MemoryBank, Mining, Mode, MultiMargin, Shape,
    Triplet, Weighted,
};

/// Counts at whose products and bytes 32 or 64 bits overflow.
const HUGE: [usize; 8] = [
    1 << 30,
    u32::MAX as usize / 2,
    u32::MAX as usize,
    usize::MAX / 12 + 1,
    usize::MAX / 4 + 2,
    usize::MAX / 2,
    usize::MAX - 3,
    usize::MAX,
];

/// Shapes of every mode with this count in one place after the other.
fn shapes(huge: usize) -> Vec<(Loss, Shape)> {
    let explicit = Triplet { mining: Mining::Explicit, ..Default::default() };
    let beta_per_class = Margin { beta_per_class: true, ..Default::default() };
    vec![
        (Contrastive::default().into(), Shape::batch(huge, 3)),
        (Contrastive::default().into(), Shape::batch(3, huge)),
        (Contrastive::default().into(), Shape::reference(2, huge, 3)),
        (Contrastive::default().into(), Shape::reference(2, 3, huge)),
        (Contrastive::default().into(), Shape::pair_rows(huge, 3)),
        (Contrastive::default().into(), Shape::pair_indices(huge, 3, 5)),
        (Contrastive::default().into(), Shape::pair_indices(3, 3, huge)),
        (MultiMargin::default().into(), Shape::prototypes(2, huge, 3)),
        (MultiMargin::default().into(), Shape::scores(2, huge)),
        (MultiMargin::default().into(), Shape::scores(huge, 2)),
        (explicit.clone().into(), Shape::triplets(3, 3, huge)),
        (explicit.into(), Shape::triplets(3, huge, 5)),
        (beta_per_class.into(), Shape::batch(3, 3).with_betas(huge)),
        (L2::default().into(), Shape::pointwise(huge, 3)),
        (L2::default().into(), Shape::pointwise(3, huge)),
    ]
}

#[test]
fn shapes_that_cannot_be_counted_are_errors() {
    let devices = contexts();
    for (loss, shape) in HUGE.into_iter().flat_map(shapes) {
        let is_too_large =
            |error: Error| assert!(matches!(error, Error::TooLarge { .. }), "{shape:?}: {error}");
        is_too_large(shape.check().unwrap_err());
        for device in devices.iter() {
            is_too_large(device.context.plan(&loss, shape).unwrap_err());
            is_too_large(
                device.context.plan_objective(&[Weighted::new(1.0, &loss, shape)]).unwrap_err(),
            );
            if matches!(shape.mode(), Mode::Batch | Mode::Reference) {
                is_too_large(
                    device.context.plan_measures(&Retrieval::default(), shape).unwrap_err(),
                );
            }
        }
    }
}

#[test]
fn slices_are_not_read_for_shapes_that_cannot_be_counted() {
    for huge in HUGE {
        let batch = || Batch::new(&[1.0; 6], [2, 3], &[0, 1]).expect("a valid batch");
        let results = [
            Batch::new(&[1.0; 6], [huge, 3], &[0, 1]),
            Batch::new(&[1.0; 6], [2, huge], &[0, 1]),
            Batch::scores(&[1.0; 6], [huge, 3], &[0, 1]),
            Batch::pair_rows(&[1.0; 6], &[1.0; 6], [huge, 3], &[0, 1]),
            Batch::pair_indices(&[1.0; 6], [huge, 3], &[[0, 1]], &[0]),
            Batch::triplets(&[1.0; 6], [2, huge], &[[0, 1, 1]]),
            Batch::pointwise(&[1.0; 6], [huge, 3]),
            batch().with_references(&[1.0; 6], huge, &[0, 1]),
            batch().with_prototypes(&[1.0; 6], huge),
        ];
        for result in results {
            assert!(matches!(result, Err(Error::TooLarge { .. })), "{huge}: {result:?}");
        }
    }
}

/// The tiles of the kernels are dispatched in two dimensions, of which each stops here.
const MOST: usize = 65535 * 64;

#[test]
fn more_tiles_than_can_be_dispatched_are_an_error() {
    for device in one_by_one() {
        let [rows, dimensions] =
            ["a workgroup for every 64 rows", "a workgroup for every 64 dimensions"];
        for (shape, what) in [
            (Shape::batch(MOST + 1, 2), rows),
            (Shape::reference(2, MOST + 1, 2), rows),
            (Shape::batch(2, MOST + 1), dimensions),
        ] {
            let error = device.context.plan(Contrastive::default(), shape).unwrap_err();
            let name = "maxComputeWorkgroupsPerDimension";
            assert_eq!(
                error,
                Error::DeviceLimit { what, needed: 65536, name, limit: 65535 },
                "{}",
                device.name
            );
        }
    }
}

/// Pointwise losses have no tiles. Many rows and one long row, on the adapters in turn.
#[test]
fn as_many_weights_as_fit_a_binding() {
    let weights = vec![0.5; MOST + 1];
    let loss = L2 { strength: 1.0, ..Default::default() };
    for (device, shape) in one_by_one().zip([[MOST + 1, 1], [1, MOST + 1]].into_iter().cycle()) {
        let batch = Batch::pointwise(&weights, shape).unwrap();
        let evaluation = device.context.evaluate(&loss, &batch).wait().unwrap();
        assert_eq!(evaluation.terms, MOST as u64 + 1, "{}", device.name);
        assert_eq!(evaluation.loss, 0.25 * (MOST as f32 + 1.0), "{}", device.name);
        assert!(evaluation.gradient.iter().all(|&slope| slope == 1.0), "{}", device.name);
    }
}

#[test]
fn memory_banks_that_cannot_be_counted_are_errors() {
    let devices = contexts();
    let context = &devices[0].context;
    for huge in HUGE {
        for [capacity, d] in [[huge, 3], [3, huge]] {
            let error = MemoryBank::new(context, capacity, d).unwrap_err();
            assert!(matches!(error, Error::TooLarge { .. }), "{capacity} x {d}: {error}");
        }
    }
    let mut bank = MemoryBank::new(context, 4, 3).expect("a small bank");
    let buffer = context.device().create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 4096,
        usage: BufferUsages::COPY_SRC,
        mapped_at_creation: false,
    });
    for huge in HUGE {
        let mut encoder =
            context.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let error =
            bank.enqueue(&mut encoder, huge, buffer.slice(..), buffer.slice(..)).unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{huge}: {error}");
    }
    assert!(bank.is_empty());
}
