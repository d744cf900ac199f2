//! The dispatches that check and prepare the caller's inputs, and those that set the sizes.

use crate::data::arithmetic::CENTRE_ROWS;
use crate::data::input::Input;
use crate::data::mode::Mode;
use crate::error::{Error, Result};
use crate::gpu::device::allocate::{filled, uniform};
use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::binding::Surroundings;
use crate::gpu::dispatch::bound::{Bound, Checker, RowLayout};
use crate::gpu::dispatch::workgroups::{Workgroups, folded};
use crate::gpu::kernel::catalogue;
use crate::gpu::pairs::basis::Basis;
use crate::gpu::pairs::inputs::{Count, Inputs};
use crate::gpu::pairs::list::List;
use crate::gpu::pairs::matrix::Set;
use crate::gpu::pairs::planned_loss::PlannedLoss;
use crate::gpu::pairs::pointwise;
use crate::gpu::pairs::sizes::planned;
use crate::loss::Learned;
use crate::wgsl::layout::{Planned, Rows, Start, Weights, state};

/// Dimensions that a workgroup of `shaders/prepare/centre.wgsl` takes.
pub(crate) const CENTRE_DIMENSIONS: u64 = 64;

/// Checks the caller's buffers and binds the dispatches that prepare them for these losses, which
/// share the basis. After the program the sizes are set back.
pub(crate) fn surroundings(
    basis: &Basis,
    parts: &[PlannedLoss],
    inputs: &Inputs<'_>,
) -> Result<Surroundings> {
    let mut surroundings = sized(basis, inputs)?;
    for turned in parts.iter().filter_map(|part| part.turned.as_ref()) {
        surroundings.extend(sized_turned(turned, inputs)?);
    }
    surroundings.before.extend(prepare(basis, parts, inputs)?);
    Ok(surroundings)
}

pub(crate) fn prepare(
    basis: &Basis,
    parts: &[PlannedLoss],
    inputs: &Inputs<'_>,
) -> Result<Vec<Dispatch>> {
    if basis.shape.mode() == Mode::Pointwise {
        let bound = parts
            .iter()
            .map(|part| pointwise::bind(basis, part, inputs))
            .collect::<Result<Vec<_>>>()?;
        return Ok(bound.concat());
    }
    let all = parts.iter().flat_map(|part| {
        let learned = part.loss.description().learned().into_iter();
        learned.map(|learned| (learned, &part.buffers.learned))
    });
    let has_beta_per_class = all.clone().any(|(learned, _)| learned.per_class);
    let mut dispatches = prepare_pairs(basis, inputs, has_beta_per_class)?;
    for (learned, buffer) in all {
        dispatches.push(prepare_learned(basis, inputs, learned, buffer)?);
    }
    if basis.shape.has_weights() {
        for part in parts {
            dispatches.extend(prepare_weights(basis, inputs, &part.buffers.learned)?);
        }
    }
    Ok(dispatches)
}

/// The rows of both sets, and the list of the pairs.
fn prepare_pairs(
    basis: &Basis,
    inputs: &Inputs<'_>,
    has_beta_per_class: bool,
) -> Result<Vec<Dispatch>> {
    let Basis { shape, matrix, context, .. } = basis;
    let [n, m, d] = [shape.queries(), shape.references(), shape.dimensions()];
    let check = Checker::new(context);

    let raw = rows_of(&check, inputs, Input::Embeddings, [n, d], "every mode has them")?;
    let labels = match shape.is_labelled() {
        true => Some(check.needed(
            "labels",
            inputs.get(Input::Labels),
            n,
            "every row of the mode has one",
        )?),
        false => None,
    };
    let classes = match shape.mode() {
        Mode::Scores | Mode::Prototypes => shape.classes(),
        _ if has_beta_per_class => shape.betas(),
        _ => 0,
    };
    let classes = [classes, shape.class_weights()].into_iter().filter(|&classes| classes > 0);
    let classes = classes.min().unwrap_or(0);
    let queries = RowSet { set: &matrix.queries, rows: n, classes, fault: state::EMBEDDINGS_FAULT };
    let mut dispatches = prepare_rows(basis, queries, raw, labels)?;

    if let Some(set) = &matrix.references {
        let reason = "the plan was made for a shape with references";
        let raw = rows_of(&check, inputs, Input::References, [m, d], reason)?;
        let labels = match shape.mode() {
            Mode::Reference => {
                let reason = "references have labels of their own";
                Some(check.needed(
                    "reference labels",
                    inputs.get(Input::ReferenceLabels),
                    m,
                    reason,
                )?)
            }
            _ => None,
        };
        let references = RowSet { set, rows: m, classes: 0, fault: state::REFERENCES_FAULT };
        dispatches.extend(prepare_rows(basis, references, raw, labels)?);
    }

    dispatches.extend(prepare_squares(basis)?);

    if let Some(list) = &matrix.list {
        dispatches.extend(prepare_list(basis, list, inputs, &check)?);
    }
    Ok(dispatches)
}

/// The caller's range of an input that has to be there, and where its rows lie in it.
fn rows_of<'a>(
    check: &Checker<'_>,
    inputs: &Inputs<'a>,
    input: Input,
    size: [usize; 2],
    reason: &'static str,
) -> Result<(Bound<'a>, RowLayout)> {
    let what = input.name();
    let range = inputs.get(input).ok_or(Error::Missing { what, reason })?;
    check.rows(what, range, size, inputs.rows(input))
}

/// A set of rows that is prepared.
pub(crate) struct RowSet<'a> {
    set: &'a Set,
    rows: usize,
    /// Labels must be below it; 0: any label will do.
    classes: usize,
    /// The entry of the state for values that are not finite.
    fault: u32,
}

pub(crate) fn prepare_rows(
    basis: &Basis,
    subject: RowSet<'_>,
    (raw, layout): (Bound<'_>, RowLayout),
    labels: Option<Bound<'_>>,
) -> Result<Vec<Dispatch>> {
    let Basis { shape, matrix, context, .. } = basis;
    let RowSet { set, rows, classes, fault } = subject;
    let uniform = Rows {
        first: 0,
        of_references: (fault == state::REFERENCES_FAULT).into(),
        dimensions: shape.dimensions() as u32,
        vectors: shape.dimensions().div_ceil(4) as u32,
        unit: basis.on_unit_rows.into(),
        labelled: labels.is_some().into(),
        classes: classes as u32,
        fault,
        offset: layout.offset,
        stride: layout.stride,
    };
    let bound = [
        raw,
        labels.unwrap_or(Bound::all(&matrix.unused)),
        Bound::all(&set.points),
        Bound::all(&set.norms),
        Bound::all(&set.labels),
        Bound::all(&matrix.state),
        Bound::all(&basis.sizes),
    ];
    let groups = Workgroups::for_rows(rows as u32, shape.dimensions() as u64, 8);
    catalogue::prepare_rows().dispatches(context, "prepare", uniform, &bound, groups)
}

/// The centre of all rows and their squared norms, where distances are expanded.
fn prepare_squares(basis: &Basis) -> Result<Vec<Dispatch>> {
    let Basis { shape, matrix, context, .. } = basis;
    let (Some(centre), Some(kernel)) = (&matrix.centre, basis.matrix_kind().prepare_squares())
    else {
        return Ok(Vec::new());
    };
    let dimensions = shape.dimensions() as u64;
    let points = &matrix.other().points;
    let bound = [points, centre, &basis.sizes].map(Bound::all);
    let groups = [dimensions.div_ceil(CENTRE_DIMENSIONS) as u32, 1, 1];
    let cost = CENTRE_ROWS.min(shape.references()) as u64 * dimensions * 2;
    let centre_kernel = catalogue::prepare_centre();
    let mut dispatches = vec![centre_kernel.dispatch(context, "centre", &bound, groups, cost)];
    let sets = [Some(&matrix.queries), matrix.references.as_ref()].into_iter().flatten();
    for (set, rows) in sets.zip([shape.queries(), shape.references()]) {
        let Set { points, squares: Some(squares), .. } = set else { continue };
        let bound = [points, centre, squares, &matrix.state].map(Bound::all);
        // One more for the centre.
        let groups = Workgroups::for_rows(rows as u32 + 1, dimensions, 3);
        let start = Start::default();
        dispatches.extend(kernel.dispatches(context, "squared norms", start, &bound, groups)?);
    }
    Ok(dispatches)
}

pub(crate) fn prepare_learned(
    basis: &Basis,
    inputs: &Inputs<'_>,
    learned: Learned,
    numbers: &wgpu::Buffer,
) -> Result<Dispatch> {
    let (context, given) = (&basis.context, basis.shape.numbers(learned.input));
    let the_default;
    let raw = match given {
        0 => {
            let bytes = learned.default.to_ne_bytes();
            the_default = filled(
                context,
                "metric-learning default of learned",
                &bytes,
                wgpu::BufferUsages::STORAGE,
            )?;
            Bound::all(&the_default)
        }
        _ => {
            let what = learned.input.name();
            let reason = "the plan was made for a shape with it";
            Checker::new(context).needed(what, inputs.get(learned.input), given, reason)?
        }
    };
    let bound = [raw, Bound::all(numbers), Bound::all(&basis.matrix.state)];
    let count = learned.numbers(&basis.shape) as u32;
    Ok(catalogue::prepare_learned(learned).dispatch(
        context,
        "prepare learned",
        &bound,
        folded(count.div_ceil(64)),
        count.into(),
    ))
}

/// The weights of all rows, or of all pairs or triplets of a list, behind the numbers that the loss
/// learns.
fn prepare_weights(
    basis: &Basis,
    inputs: &Inputs<'_>,
    learned: &wgpu::Buffer,
) -> Result<Vec<Dispatch>> {
    let Basis { context, shape, matrix, sizes, .. } = basis;
    let by_class = shape.class_weights() > 0;
    let input = if by_class { Input::ClassWeights } else { Input::Weights };
    let given = shape.numbers(input);
    let rows = if shape.listed() > 0 { shape.listed() } else { shape.queries() };
    let reason = "the plan was made for a shape with them";
    let check = Checker::new(context);
    let raw = check.needed(input.name(), inputs.get(input), given, reason)?;
    let place = learned.size() / 4 - rows as u64;
    let subject = Weights { first: 0, place: place as u32 };
    let others = [&matrix.queries.labels, learned, &matrix.state, sizes].map(Bound::all);
    let bound: Vec<_> = std::iter::once(raw).chain(others).collect();
    catalogue::prepare_weights(by_class).dispatches(
        context,
        "prepare weights",
        subject,
        &bound,
        Workgroups::for_values(given.max(rows) as u32, 4),
    )
}

/// Checks the caller's list and prepares it.
fn prepare_list(
    basis: &Basis,
    list: &List,
    inputs: &Inputs<'_>,
    check: &Checker<'_>,
) -> Result<Vec<Dispatch>> {
    let Basis { shape, matrix, context, .. } = basis;
    let count = shape.listed();
    let triplets = || {
        check.needed(
            "triplets",
            inputs.get(Input::Triplets),
            3 * count,
            "the plan was made for listed triplets",
        )
    };
    let pairs = || {
        check.needed(
            "pairs",
            inputs.get(Input::Pairs),
            2 * count,
            "the plan was made for listed pairs",
        )
    };
    let same_or_targets = || match shape.mode().is_scored() {
        true => {
            check.needed("targets", inputs.get(Input::Targets), count, "every pair has a target")
        }
        false => {
            let reason = "every pair is the same or different";
            check.needed("same", inputs.get(Input::Same), count, reason)
        }
    };
    // What a kind does not use is bound to what it does.
    let (entries, same_or_targets) = match shape.mode() {
        Mode::Triplets => (triplets()?, triplets()?),
        mode if mode.has_pair_indices() => (pairs()?, same_or_targets()?),
        _ => (same_or_targets()?, same_or_targets()?),
    };
    let rows = list.indices.as_ref().map_or(&matrix.unused, |indices| &indices.rows);
    let Some(kernel) = catalogue::prepare_list(shape.mode()) else { return Ok(Vec::new()) };
    let bound = [
        entries,
        same_or_targets,
        Bound::all(rows),
        Bound::all(&list.kinds),
        Bound::all(&matrix.state),
        Bound::all(&basis.sizes),
    ];
    kernel.dispatches(
        context,
        "prepare list",
        Start::default(),
        &bound,
        Workgroups::for_values(count as u32, 8),
    )
}

/// Everything before the dispatches of what ranks distances, and what brings the planned sizes back.
pub(crate) fn ranked(basis: &Basis, inputs: &Inputs<'_>) -> Result<Surroundings> {
    let mut surroundings = sized(basis, inputs)?;
    surroundings.before.extend(prepare_pairs(basis, inputs, false)?);
    Ok(surroundings)
}

/// Around the dispatches of a recording that has other sizes than planned: writes them, and brings
/// the planned ones back. Nothing where the caller gives no numbers.
pub(crate) fn sized(basis: &Basis, inputs: &Inputs<'_>) -> Result<Surroundings> {
    let mode = basis.shape.mode();
    // In the modes of one set the references are the queries, and each row of two aligned sets is a
    // pair.
    let rows = inputs.count(Count::Rows).copied();
    let references = if has_as_many_references(mode) {
        rows
    } else {
        inputs.count(Count::ReferenceRows).copied()
    };
    let listed = if mode.is_row_aligned() { rows } else { inputs.count(Count::Listed).copied() };
    sized_by(basis, [("rows", rows), ("reference rows", references), ("listed", listed)])
}

/// The same for a basis with the columns as rows.
fn sized_turned(turned: &Basis, inputs: &Inputs<'_>) -> Result<Surroundings> {
    let [rows, references] =
        [Count::Rows, Count::ReferenceRows].map(|count| inputs.count(count).copied());
    sized_by(turned, [("reference rows", references), ("rows", rows), ("listed", None)])
}

fn sized_by(
    basis: &Basis,
    numbers: [(&'static str, Option<wgpu::BufferSlice<'_>>); 3],
) -> Result<Surroundings> {
    if numbers.iter().all(|(_, number)| number.is_none()) {
        return Ok(Surroundings::default());
    }
    Ok(Surroundings {
        before: vec![write(basis, numbers)?],
        after: vec![write(basis, numbers.map(|(what, _)| (what, None)))?],
    })
}

pub(crate) fn has_as_many_references(mode: Mode) -> bool {
    !matches!(mode, Mode::Reference | Mode::Prototypes | Mode::Scores)
}

pub(crate) fn write(
    basis: &Basis,
    numbers: [(&'static str, Option<wgpu::BufferSlice<'_>>); 3],
) -> Result<Dispatch> {
    let Basis { context, shape, sizes, matrix, .. } = basis;
    let check = Checker::new(context);
    let [rows, references, listed] = numbers;
    let [rows, references, listed] =
        [given(&check, rows)?, given(&check, references)?, given(&check, listed)?];
    let is_given = |number: &Option<Bound<'_>>| u32::from(number.is_some());
    let subject = Planned {
        sizes: planned(shape),
        is_given: [is_given(&rows), is_given(&references), is_given(&listed), 0],
        pairs_per_entry: (shape.pairs() / shape.listed().max(1) as u64) as u32,
        padding: [0; 3],
    };
    let uniform = uniform(context, "planned sizes", bytemuck::bytes_of(&subject))?;
    let unused = Bound::all(&matrix.unused);
    let [rows, references, listed] =
        [rows, references, listed].map(|number| number.unwrap_or(unused));
    let bound = [Bound::all(&uniform), rows, references, listed, Bound::all(sizes)];
    Ok(catalogue::prepare_sizes().dispatch(context, "sizes", &bound, [1, 1, 1], 1))
}

pub(crate) fn given<'a>(
    check: &Checker<'_>,
    (what, number): (&'static str, Option<wgpu::BufferSlice<'a>>),
) -> Result<Option<Bound<'a>>> {
    number.map(|range| check.bound(what, &range, 1)).transpose()
}
