//! The dispatches of every loss in every mode, as `tests/gpu/ways/plans/` lists them: a change of
//! what is dispatched is seen there.
//!
//! `PLANS=write cargo test --release --test gpu plans` writes the lists anew.

use std::fs;
use std::path::PathBuf;

use support::adapters::best_with;
use wgpu::{BufferDescriptor, BufferUsages};
use wgpu_metric_learning::tuning::{RowWidth, Tier, Tile, Tiles};
use wgpu_metric_learning::{
    Context, Contrastive, Input, InputSet, Inputs, Loss, Margin, Mining, Mode, Options, Record,
    Reduction, Sampling, Shape, Triplet,
};

/// What a plan depends on beside the loss and the shape, so that the lists are those of any
/// adapter.
fn options() -> Options {
    Options::default()
        .with_tier(Tier::Baseline)
        .with_tiles(Tiles::both(Tile::Small))
        .with_row_width(RowWidth::Narrow)
}

fn shape_of(mode: Mode) -> Shape {
    match mode {
        Mode::Batch => Shape::batch(512, 128),
        Mode::Reference => Shape::reference(512, 1024, 128),
        Mode::Prototypes => Shape::prototypes(512, 10, 128),
        Mode::Scores => Shape::scores(512, 10),
        Mode::PairRows => Shape::pair_rows(512, 128),
        Mode::PairIndices => Shape::pair_indices(512, 128, 2048),
        Mode::ScoredPairRows => Shape::scored_pair_rows(512, 128),
        Mode::ScoredPairIndices => Shape::scored_pair_indices(512, 128, 2048),
        Mode::Triplets => Shape::triplets(512, 128, 2048),
        Mode::Pointwise => Shape::pointwise(512, 128),
        other => panic!("{other:?} has no shape here"),
    }
}

/// The settings of a loss that are dispatched in other ways than its default.
fn settings(name: &str) -> Vec<Loss> {
    let default = serde_json::json!({ "loss": name });
    let default: Loss = serde_json::from_value(default).expect("every loss has defaults");
    let triplet = |mining, soft| Triplet { mining, soft, ..Default::default() }.into();
    let more = match default {
        Loss::Contrastive(_) => {
            vec![Contrastive { reduction: Reduction::MeanNonZero, ..Default::default() }.into()]
        }
        Loss::Triplet(_) => vec![
            triplet(Mining::All, true),
            triplet(Mining::Hard, false),
            triplet(Mining::SemiHard, false),
            triplet(Mining::Explicit, false),
        ],
        Loss::Margin(_) => {
            vec![
                Margin {
                    sampling: Sampling::DistanceWeighted,
                    normalize: true,
                    ..Default::default()
                }
                .into(),
            ]
        }
        _ => Vec::new(),
    };
    [vec![default], more].concat()
}

/// The list of a recording on buffers of the right sizes, which nothing is ever read from.
fn listing(context: &Context, loss: &Loss, shape: Shape) -> String {
    let plan = context.plan(loss, shape).unwrap_or_else(|error| panic!("{loss:?}: {error}"));
    let given = Input::ALL.into_iter().filter(|&input| loss.takes(&shape, input));
    let buffers = given.fold(InputSet::new(), |set, input| {
        let size = shape.numbers(input) as u64 * 4;
        let usage = BufferUsages::STORAGE;
        let descriptor = BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
        set.with(input, context.device().create_buffer(&descriptor))
    });
    let binding = plan.bind(&Inputs::of(&buffers)).expect("buffers of the right sizes");
    plan.listing(&binding).expect("a binding of the plan").to_string()
}

#[test]
fn dispatches_are_those_of_the_lists() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/gpu/ways/plans");
    let writes = std::env::var_os("PLANS").is_some_and(|value| value == "write");
    // One adapter is enough: nothing that differs between adapters is left to choose.
    let device = best_with(options());
    for name in Loss::NAMES {
        let mut text = String::new();
        for loss in settings(name) {
            text.push_str(&format!("# {}\n\n", serde_json::to_string(&loss).expect("JSON")));
            for &mode in loss.modes() {
                text.push_str(&listing(&device.context, &loss, shape_of(mode)));
                text.push('\n');
            }
        }
        let path = folder.join(format!("{name}.txt"));
        if writes {
            fs::write(&path, &text).expect("the folder of the lists");
        }
        let known = fs::read_to_string(&path).unwrap_or_default();
        let path = path.display();
        assert!(
            known == text,
            "{path} is not what is dispatched now; PLANS=write writes it:\n{text}"
        );
    }
}
