//! Structs, constants and bindings that host and kernels share.

use std::mem::offset_of;

use crate::data::arithmetic::{Arithmetic, CENTRE_ROWS, NEAR_SHARE, ORDINARY, TINY};
use crate::gpu::cut::loops::{
    ANCHORS_PER_DISPATCH, EXPANDED_SUMMANDS_PER_DISPATCH, PLACES_PER_DISPATCH,
    SUMMANDS_PER_DISPATCH,
};
use crate::gpu::kernel::interface::Slot;
use crate::gpu::kernel::{Kernel, catalogue};
use crate::gpu::{RowWidth, Tier};
use crate::loss::Difficulty;
use crate::reference::samples::losses;
use crate::training::Optimizer;
use crate::wgsl::bindings::bindings;
use crate::wgsl::include::{Shader, compose, shader};
use crate::wgsl::layout::{
    Accumulate, Choice, Cut, Cutoff, DIGIT_BITS, Finish, Found, FoundRows, LIST_STRIDE, Mark,
    Measures, Output, Piece, Planned, Product, Progress, Ranks, Row, Rows, Sizes, Start, Statistic,
    Stripe, Summands, Totals, Weights, Withdrawal, state,
};
use crate::wgsl::status;

fn parse(shader: Shader) -> naga::Module {
    let source = compose(shader, Tier::Baseline);
    naga::front::wgsl::parse_str(&source)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string(&source)))
}

/// Size, then name and offset of every member.
fn layout_of(module: &naga::Module, name: &str) -> (usize, Vec<(String, usize)>) {
    let mut structs = module.types.iter().filter(|(_, ty)| ty.name.as_deref() == Some(name));
    let (_, ty) = structs.next().unwrap_or_else(|| panic!("no struct {name}"));
    let naga::TypeInner::Struct { members, span } = &ty.inner else {
        panic!("{name} is no struct")
    };
    let member = |member: &naga::StructMember| {
        (member.name.clone().unwrap_or_default(), member.offset as usize)
    };
    (*span as usize, members.iter().map(member).collect())
}

macro_rules! assert_same_layout {
    ($host:ident in $shader:literal: $($member:ident),*) => {
        let (size, members) = layout_of(&parse(shader!($shader)), stringify!($host));
        assert_eq!(size, size_of::<$host>(), "size of {}", stringify!($host));
        let host = [$((stringify!($member), offset_of!($host, $member))),*];
        let kernel: Vec<_> = members.iter().map(|(name, offset)| (name.as_str(), *offset)).collect();
        let kernel: Vec<_> = kernel.into_iter().filter(|(name, _)| !name.starts_with("padding")).collect();
        assert_eq!(kernel, host, "members of {}", stringify!($host));
    };
}

#[test]
fn structs_have_the_same_layout() {
    assert_same_layout!(Stripe in "terms/contrastive.wgsl":
        begin, rows, dimensions, vectors, stride, same_set, own, portion, first_x, first_y,
        first_row, slice);
    assert_same_layout!(Sizes in "prepare/list.wgsl": queries, references, listed, pairs, given);
    assert_same_layout!(Planned in "prepare/sizes.wgsl": sizes, is_given, pairs_per_entry);
    assert_same_layout!(Rows in "prepare/rows.wgsl": first, of_references, dimensions, vectors, unit, labelled, classes, fault, offset, stride);
    assert_same_layout!(Weights in "prepare/weights.wgsl": first, place);
    assert_same_layout!(Cut in "pointwise/l1.wgsl": first, dimensions, width, rows);
    assert_same_layout!(Finish in "finish/gradient.wgsl": first, of_references, dimensions, width, vectors, unit, add, last, factor);
    assert_same_layout!(Summands in "finish/totals.wgsl": weight, by);
    assert_same_layout!(Accumulate in "finish/accumulate.wgsl": first, count, is_first, is_first_of_all, weight);
    assert_same_layout!(Output in "finish/output.wgsl": first, count, accumulate, factor, columns, offset, stride);
    assert_same_layout!(Withdrawal in "finish/withdraw.wgsl": first, count, filling);
    assert_same_layout!(Statistic in "terms/lifted_structured.wgsl": value, number, weight, rest);
    assert_same_layout!(Choice in "gradient/chosen.wgsl": positive, negative, positive_coefficient, negative_coefficient);
    assert_same_layout!(Row in "finish/totals.wgsl":
        loss, negative_loss, positive_distance, negative_distance, positives, negatives, nonzero_positives,
        nonzero_negatives, terms, nonzero, learned_slopes, scaled);
    assert_same_layout!(Totals in "finish/totals.wgsl":
        loss, scale, positive_weight, negative_weight, mean_positive_distance, mean_negative_distance, sequence, rows, terms,
        nonzero, nonzero_positives, nonzero_negatives, positive_pairs, negative_pairs, faults, list_faults, given,
        status);
    assert_same_layout!(Ranks in "measures/ranks.wgsl":
        positives, first, within, precisions, all_precisions, overflow);
    assert_same_layout!(Cutoff in "measures/ranks.wgsl": measure, k, divisor, first);
    assert_same_layout!(Measures in "measures/totals.wgsl":
        counted, overflow, sequence, reciprocal_rank, r_precision, average_precision_at_r, average_precision, faults,
        given);
    assert_same_layout!(Piece in "verification/places.wgsl": sizes, first, capacity);
    assert_same_layout!(Found in "verification/totals.wgsl":
        nearer, faults, list_faults, given, same_pairs, margin, threshold, overflow, sequence);
    assert_same_layout!(FoundRows in "search/totals.wgsl": faults, given, overflow, sequence);
    assert_same_layout!(Mark in "verification/choose.wgsl":
        before, accepted, totals, share, is_of_errors, prefix, is_open, below);
    assert_same_layout!(Progress in "training/sgd.wgsl": steps, left_out, first_left_out, means_of_one);
    assert_same_layout!(Start in "finish/learned.wgsl": first);
    assert_same_layout!(Product in "training/linear.wgsl":
        first, rows, columns, summands, across, right_begin, product_begin);
}

/// The value of a named constant.
fn constant(module: &naga::Module, name: &str) -> u32 {
    let mut found =
        module.constants.iter().filter(|(_, constant)| constant.name.as_deref() == Some(name));
    let (_, constant) = found.next().unwrap_or_else(|| panic!("no constant {name}"));
    match module.global_expressions[constant.init] {
        naga::Expression::Literal(naga::Literal::U32(value)) => value,
        ref other => panic!("{name} is {other:?}"),
    }
}

/// A constant that is a number.
fn number(module: &naga::Module, name: &str) -> f64 {
    let mut found =
        module.constants.iter().filter(|(_, constant)| constant.name.as_deref() == Some(name));
    let (_, constant) = found.next().unwrap_or_else(|| panic!("no constant {name}"));
    match module.global_expressions[constant.init] {
        naga::Expression::Literal(naga::Literal::F32(value)) => value.into(),
        ref other => panic!("{name} is {other:?}"),
    }
}

/// `SquaredEuclidean` as the kernels write it: `SQUARED_EUCLIDEAN`.
fn in_capitals(name: impl std::fmt::Debug) -> String {
    let mut capitals = String::new();
    for letter in format!("{name:?}").chars() {
        if letter.is_uppercase() && !capitals.is_empty() {
            capitals.push('_');
        }
        capitals.push(letter.to_ascii_uppercase());
    }
    capitals
}

#[test]
fn constants_have_the_same_value() {
    let prepare = parse(shader!("prepare/rows.wgsl"));
    assert_eq!(constant(&prepare, "EMBEDDINGS_FAULT"), state::EMBEDDINGS_FAULT);
    assert_eq!(constant(&prepare, "REFERENCES_FAULT"), state::REFERENCES_FAULT);
    assert_eq!(constant(&prepare, "STATE_SIZE") as usize, state::SIZE);

    let elements = parse(shader!("pointwise/hinge.wgsl"));
    for truth in [crate::Truth::Nothing, crate::Truth::Targets, crate::Truth::Signs] {
        assert_eq!(constant(&elements, &in_capitals(truth)), truth as u32);
    }

    let distance = parse(shader!("distance/pairwise.wgsl"));
    for kind in crate::Distance::ALL {
        assert_eq!(constant(&distance, &in_capitals(kind)), kind as u32);
    }
    assert_eq!(number(&distance, "NEAR_SHARE"), NEAR_SHARE);
    assert_eq!(number(&distance, "TINY"), TINY);
    let exponents = ["SMALLEST_ORDINARY", "LARGEST_ORDINARY"];
    let [smallest, largest] = exponents.map(|name| constant(&distance, name) as i32 - 127);
    assert_eq!(2.0_f64.powi(smallest)..2.0_f64.powi(largest + 1), ORDINARY);
    assert_eq!(constant(&distance, "SCORES") as usize, crate::Distance::ALL.len());

    let co_sent = parse(shader!("terms/co_sent.wgsl"));
    assert_eq!(constant(&co_sent, "STRIDE"), LIST_STRIDE);

    let finish_status = parse(shader!("finish/status.wgsl"));
    for (name, bits) in [
        ("VALID", status::VALID),
        ("FAULTY_INPUTS", status::FAULTY_INPUTS),
        ("SIZES_BEYOND_PLAN", status::SIZES_BEYOND_PLAN),
        ("LOSS_BEYOND_F32", status::LOSS_BEYOND_F32),
        ("DISTANCES_BEYOND_F32", status::DISTANCES_BEYOND_F32),
        ("GRADIENT_BEYOND_F32", status::GRADIENT_BEYOND_F32),
    ] {
        assert_eq!(constant(&finish_status, name), bits);
    }

    let totals = parse(shader!("finish/totals.wgsl"));
    for reduction in crate::Reduction::ALL {
        assert_eq!(constant(&totals, &in_capitals(reduction)), reduction.number());
    }
    for (name, by) in [
        ("ALL", Summands::ALL),
        ("QUERIES", Summands::QUERIES),
        ("REFERENCES", Summands::REFERENCES),
    ] {
        assert_eq!(constant(&totals, name), by);
    }

    let one_per_anchor = parse(shader!("terms/triplet/one_per_anchor.wgsl"));
    for difficulty in Difficulty::ALL {
        assert_eq!(constant(&one_per_anchor, &in_capitals(difficulty)), difficulty as u32);
    }

    let ranks = parse(shader!("measures/ranks.wgsl"));
    for (name, cutoff) in
        [("RECALL", Cutoff::RECALL), ("PRECISION", Cutoff::PRECISION), ("GAIN", Cutoff::GAIN)]
    {
        assert_eq!(constant(&ranks, name), cutoff);
    }

    let digits = parse(shader!("verification/digits.wgsl"));
    assert_eq!(constant(&digits, "MARKS") as usize, Mark::AT_ONCE);
    assert_eq!(u64::from(constant(&digits, "BINS")), Mark::BINS);
    assert_eq!(constant(&digits, "FIRST_SHIFT") / DIGIT_BITS, Mark::ROUNDS - 1);
    assert_eq!(constant(&digits, "DIGIT_BITS"), DIGIT_BITS);

    let gradient = parse(shader!("gradient/pairwise.wgsl"));
    assert_eq!(
        ["LINK", "STEP"].map(|name| u64::from(constant(&gradient, name))),
        [crate::gpu::cut::stripes::LINK, crate::gpu::cut::stripes::STEP]
    );
    let softmax = parse(shader!("terms/nt_xent.wgsl"));
    assert_eq!(constant(&softmax, "GRADIENT_STEP"), constant(&gradient, "STEP"));
    let linear = parse(shader!("training/linear.wgsl"));
    assert_eq!(constant(&linear, "TILE"), crate::gpu::cut::tiles::TILE);
    assert_eq!(
        [&gradient, &distance].map(|module| constant(module, "BLOCK")),
        [crate::gpu::cut::tiles::TILE; 2]
    );
    let listed = parse(shader!("gradient/listed.wgsl"));
    let chosen = parse(shader!("gradient/chosen.wgsl"));
    let expanded = parse(shader!("gradient/expanded.wgsl"));
    let portions = [&gradient, &expanded, &listed, &chosen]
        .map(|module| u64::from(constant(module, "PORTION")));
    let per_dispatch = [
        SUMMANDS_PER_DISPATCH,
        EXPANDED_SUMMANDS_PER_DISPATCH,
        PLACES_PER_DISPATCH,
        ANCHORS_PER_DISPATCH,
    ];
    assert_eq!(portions, per_dispatch);
    let centre = parse(shader!("prepare/centre.wgsl"));
    assert_eq!(constant(&centre, "MOST_ROWS") as usize, CENTRE_ROWS);
    assert_eq!(
        4 * u64::from(constant(&centre, "SIDE")),
        crate::gpu::pairs::prepare::CENTRE_DIMENSIONS
    );
    let tile = [constant(&chosen, "ROWS"), 4 * constant(&chosen, "VECTORS")];
    assert_eq!(tile.map(u64::from), crate::gpu::pairs::gradients::CHOSEN_TILE);
    let listed = parse(shader!("distance/listed.wgsl"));
    assert_eq!(
        u64::from(constant(&listed, "PAIRS_PER_GROUP")),
        crate::gpu::pairs::sweeps::PAIRS_PER_GROUP
    );
    let sorting = parse(shader!("incidence/count.wgsl"));
    assert_eq!(constant(&prepare, "ACROSS"), crate::gpu::dispatch::workgroups::MOST_GROUPS);

    let sizes = ["BLOCK", "DIGITS"].map(|name| u64::from(constant(&sorting, name)));
    assert_eq!(sizes, [crate::wgsl::layout::BLOCK, crate::wgsl::layout::DIGITS]);
    let ranks = parse(shader!("measures/ranks.wgsl"));
    assert_eq!(u64::from(constant(&ranks, "CHUNK")), crate::wgsl::terms::SORTED_CHUNK);
    // Its invocations take their sorted positives as the four components of a vector.
    assert_eq!(constant(&ranks, "CHUNK"), 4 * RowWidth::Wide.invocations());
}

#[test]
fn parameters_stand_in_the_order_of_the_kernel() {
    for loss in losses() {
        let terms = loss.description().terms_kernel();
        let module = parse(terms.shader);
        if !module.types.iter().any(|(_, ty)| ty.name.as_deref() == Some("Parameters")) {
            assert!(terms.parameters.is_empty(), "{}", terms.shader.path);
            continue;
        }
        let (_, members) = layout_of(&module, "Parameters");
        let host: Vec<_> = terms
            .parameters
            .iter()
            .enumerate()
            .map(|(at, &(name, _))| (name.to_owned(), at * 4))
            .collect();
        assert_eq!(members, host, "{}", terms.shader.path);
    }
}

#[test]
fn settings_stand_in_the_order_of_the_kernel() {
    for optimizer in Optimizer::all() {
        let rule = optimizer.rule();
        let (_, members) = layout_of(&parse(rule.shader), "Settings");
        let names = std::iter::once("count").chain(rule.settings.iter().map(|&(name, _)| name));
        let host: Vec<_> = names.enumerate().map(|(at, name)| (name.to_owned(), at * 4)).collect();
        assert_eq!(members, host, "{}", rule.shader.path);
    }
}

#[test]
fn interfaces_have_the_bindings_of_their_kernels_by_name() {
    for Kernel { interface, shader, .. } in catalogue::all() {
        let module = parse(shader);
        for (_, global) in module.global_variables.iter() {
            let Some(binding) = &global.binding else { continue };
            let name = global.name.as_deref().unwrap_or_default();
            let slot = interface.slots().get(binding.binding as usize);
            let is_of_its_kind = match (global.space, slot) {
                (naga::AddressSpace::Uniform, Some(Slot::Stripe)) => name == "stripe",
                (naga::AddressSpace::Uniform, Some(Slot::Uniform(_))) => name != "stripe",
                (naga::AddressSpace::Storage { access }, Some(Slot::Write(_))) => {
                    access.contains(naga::StorageAccess::STORE)
                }
                (naga::AddressSpace::Storage { access }, Some(Slot::Read(_))) => {
                    !access.contains(naga::StorageAccess::STORE)
                }
                _ => false,
            };
            let has_its_name = slot.is_some_and(|slot| slot.names().any(|known| known == name));
            assert!(
                binding.group == 0 && is_of_its_kind && has_its_name,
                "{}: binding {} is {name}, the interface has {slot:?}",
                shader.path,
                binding.binding
            );
        }
    }
}

/// What a listing prints is read from the text of the WGSL.
#[test]
fn bindings_are_read_from_the_text_as_naga_reads_them() {
    for Kernel { shader, .. } in catalogue::all() {
        let module = parse(shader);
        let mut parsed: Vec<_> = module
            .global_variables
            .iter()
            .filter_map(|(_, global)| {
                Some((global.binding.as_ref()?.binding as usize, global.name.clone()?))
            })
            .collect();
        parsed.sort();
        let read = bindings(&compose(shader, Tier::Baseline));
        let read: Vec<_> = read.into_iter().map(|one| (one.index, one.name)).collect();
        assert_eq!(read, parsed, "{}", shader.path);
    }
}

#[test]
fn no_interface_needs_more_than_the_baseline() {
    for Kernel { interface, .. } in catalogue::all() {
        let is_storage = |slot: &&Slot| matches!(slot, Slot::Read(_) | Slot::Write(_));
        let storage = interface.slots().iter().filter(is_storage).count();
        assert!(storage <= 8, "{interface:?} has {storage} storage buffers");
    }
}

#[test]
fn cooperative_matrices_take_the_workgroup_memory_that_is_asked_for() {
    for (arithmetic, shader) in [
        (Arithmetic::Cooperative8, shader!("distance/cooperative8.wgsl")),
        (Arithmetic::Cooperative16, shader!("distance/cooperative16.wgsl")),
    ] {
        let module = parse(shader);
        let mut layouter = naga::proc::Layouter::default();
        layouter.update(module.to_ctx()).expect("a layout");
        let globals = module.global_variables.iter().map(|(_, global)| global);
        let workgroup = globals.filter(|global| global.space == naga::AddressSpace::WorkGroup);
        let bytes: u32 = workgroup.map(|global| layouter[global.ty].size).sum();
        assert_eq!(bytes, arithmetic.workgroup_bytes());
        assert_eq!(Some(constant(&module, "SIDE")), arithmetic.matrix_side());
    }
}

/// HLSL has no such number, and what naga writes in its place is right in an entry point alone.
#[test]
fn no_kernel_asks_how_many_workgroups_there_are() {
    for Kernel { shader, .. } in catalogue::all() {
        for tier in Tier::ALL {
            assert!(!compose(shader, tier).contains("num_workgroups"), "{}", shader.path);
        }
    }
}
