//! Every loss against the reference, and faults planted in the kernels that this comparison has to
//! catch.

use std::collections::BTreeSet;

use super::{contexts, first_context, one_of_each_kind};
use crate::Error;
use crate::data::arithmetic::Arithmetic;
use crate::data::objective::Weighted;
use crate::gpu::kernel::Kernel;
use crate::gpu::kernel::catalogue::{
    MatrixKind, finish_learned, over_pairs, pointwise, prepare_learned,
};
use crate::gpu::kernel::interface::Interface;
use crate::gpu::{Checks, Context, Options};
use crate::loss::{Contrastive, Distance, Loss, NtXent, Triplet};
use crate::reference::samples::{Sample, losses, representatives};
use crate::reference::{evaluate_objective_with_bounds, evaluate_with_bounds_in};
use crate::wgsl::include::planted;

/// Whether the kernels agree with the reference on every batch of the sample that the loss can
/// take.
fn agrees(context: &Context, loss: &Loss, sample: &Sample) -> Result<(), String> {
    for batch in sample.batches(loss) {
        let arithmetic = context.options().arithmetic;
        let expected =
            evaluate_with_bounds_in(arithmetic, loss, &batch).map_err(|error| error.to_string())?;
        let actual = match context.evaluate(loss, &batch).wait() {
            Err(error @ Error::Overflow { .. }) => return Err(error.to_string()),
            // Anything else is no disagreement: a fault that does not compile, say.
            actual => actual.unwrap(),
        };
        let comparison = expected.compare(&actual);
        if !comparison.agrees() {
            return Err(format!("{loss:?} in {} mode:\n{comparison}", batch.shape().mode().name()));
        }
    }
    Ok(())
}

fn assert_agrees(context: &Context, losses: &[Loss]) {
    let sample = Sample::new(19, 6, 1.0);
    for loss in losses {
        if let Err(problem) = agrees(context, loss, &sample) {
            panic!("{:?}: {problem}", context.device().adapter_info().backend);
        }
    }
}

#[test]
fn every_setting_of_every_loss_agrees() {
    assert_agrees(&first_context(Options::default()), &losses());
}

/// Every adapter and every tier, since drivers translate the same kernels differently. (Every loss
/// with every distance is held on every adapter in `tests/gpu/agreement/digits.rs`.)
#[test]
fn every_kernel_agrees_on_every_adapter() {
    for context in contexts(Options::default()) {
        assert_agrees(&context, &one_of_each_kind());
        assert_has_every_kernel(&context);
    }
}

/// One adapter, since the checks are written into the kernels before a driver sees them.
#[test]
fn every_kernel_agrees_with_run_time_checks() {
    let context = &first_context(Options::default().with_checks(Checks::Checked));
    assert_agrees(context, &one_of_each_kind());
    assert_has_every_kernel(context);
}

/// The kernels of a loss in all its modes, without those that all losses have.
fn kernels_of(loss: &Loss) -> Vec<Kernel> {
    let description = loss.description();
    let Some(distance) = loss.distance() else { return vec![pointwise(description)] };
    let of_mode = |&mode| {
        let arithmetic = Arithmetic::Exact;
        over_pairs(MatrixKind { mode, distance, arithmetic }, &description.terms_kernel())
    };
    let of_learned = description.learned().into_iter();
    let of_learned =
        of_learned.flat_map(|learned| [prepare_learned(learned), finish_learned(learned)]);
    loss.modes().iter().flat_map(of_mode).chain(of_learned).collect()
}

/// Whether the context has made every kernel of every loss: each file and entry point, those of
/// distances and gradients for every distance.
fn assert_has_every_kernel(context: &Context) {
    fn variant(kernel: &Kernel) -> (&'static str, &'static str, Option<u32>) {
        use Interface::{FinishedGradient, Gradient};
        let depends = matches!(kernel.interface, Interface::Distance | Gradient | FinishedGradient);
        let mut constants = kernel.constants.iter();
        let distance = constants.find(|(name, _)| depends && *name == "DISTANCE");
        (kernel.shader.path, kernel.entry, distance.map(|&(_, number)| number as u32))
    }
    let made: BTreeSet<_> = context.pipelines().kernels().iter().map(variant).collect();
    // The cosine is taken of unit rows, whose gradients are finished in a kernel of its own.
    let of_cosine = ("DISTANCE", f64::from(Distance::Cosine as u32));
    let is_planned = |kernel: &Kernel| {
        kernel.interface != Interface::FinishedGradient || !kernel.constants.contains(&of_cosine)
    };
    let all = Loss::variants().iter().flat_map(kernels_of).collect::<Vec<_>>();
    let all: BTreeSet<_> = all.iter().filter(|kernel| is_planned(kernel)).map(variant).collect();
    let missing: Vec<_> = all.difference(&made).collect();
    assert!(missing.is_empty(), "{missing:?} are not run");
}

/// A line of a kernel and what it is replaced with.
const FAULTS: &[(&str, &str, &str)] = &[
    ("prepare/rows.wgsl", "value * scale / scaled_norm", "value * scale / (1.0001 * scaled_norm)"),
    ("prepare/rows.wgsl", "labels[row] = label;", "labels[row] = label & 1u;"),
    (
        "prepare/learned.wgsl",
        "learned[PLACE + index] = value;",
        "learned[PLACE + index] = value + 0.01;",
    ),
    ("distance/pairwise.wgsl", "let difference = x - y;", "let difference = x - 1.0001 * y;"),
    (
        "distance/pairwise.wgsl",
        "return with_products(sum, x, y);",
        "return with_products(sum, x, vec4(y.xyz, 0.0));",
    ),
    ("distance/pairwise.wgsl", "apart.z + apart.w", "apart.z"),
    ("distance/pairwise.wgsl", "min(0.5 * sum, 2.0)", "min(sum, 2.0)"),
    ("distance/scores.wgsl", "= -scores", "= scores"),
    (
        "terms/contrastive.wgsl",
        "d - parameters.positive_margin",
        "d - 0.99 * parameters.positive_margin",
    ),
    ("terms/contrastive.wgsl", "- weights.y * hinge_slopes", "+ weights.y * hinge_slopes"),
    ("terms/contrastive.wgsl", "return 2.0 * hinges;", "return hinges;"),
    (
        "terms/margin/all.wgsl",
        "vec4(-1.0), negative > vec4(0.0)",
        "vec4(1.0), negative > vec4(0.0)",
    ),
    (
        "terms/margin/all.wgsl",
        "i32(summary.nonzero_negatives) - i32(summary.nonzero_positives)",
        "summary.nonzero_negatives + summary.nonzero_positives",
    ),
    ("terms/margin/all.wgsl", "learned[labels[i]]", "learned[0]"),
    (
        "terms/margin/distance_weighted.wgsl",
        "(2.0 - dimensions) * log(d)",
        "(1.0 - dimensions) * log(d)",
    ),
    ("terms/margin/distance_weighted.wgsl", "let d = max(at, NEAREST);", "let d = max(at, 0.9);"),
    ("terms/margin/distance_weighted.wgsl", "if (d >= FARTHEST) {", "if (d >= 1.3) {"),
    ("terms/margin/distance_weighted.wgsl", "key * 1664525u", "key * 1664527u"),
    (
        "terms/margin/distance_weighted.wgsl",
        "vec3(parameters.seed, i, rank)",
        "vec3(parameters.seed, rank, i)",
    ),
    (
        "terms/margin/distance_weighted.wgsl",
        "if (sum > threshold) {",
        "if (sum > 0.9 * threshold) {",
    ),
    ("terms/margin/distance_weighted.wgsl", "sum = cumulative[segment - 1u];", "sum = 0.0;"),
    ("terms/margin/distance_weighted.wgsl", "drawn], 1u);", "drawn], 2u);"),
    ("terms/margin/distance_weighted.wgsl", "-f32(times), hinge", "-1.0, hinge"),
    ("terms/margin/distance_weighted.wgsl", "f32(times) * hinge", "hinge"),
    ("terms/multi_margin.wgsl", "coefficient(sums.y, own)", "coefficient(-sums.y, own)"),
    ("terms/multi_margin.wgsl", "1.0 / f32(sizes.references)", "1.0 / f32(stripe.stride)"),
    ("terms/normalized_softmax.wgsl", "sum_of(parts);", "0.999 * sum_of(parts);"),
    ("terms/normalized_softmax.wgsl", "sigmoid(over)", "0.999 * sigmoid(over)"),
    ("terms/normalized_softmax.wgsl", "ahead + sums.y / parts", "ahead + 0.99 * sums.y / parts"),
    ("terms/normalized_softmax.wgsl", "-weight / parts", "-0.999 * weight / parts"),
    ("terms/cos_face.wgsl", "nearer(nearest, Extreme(", "farther(nearest, Extreme("),
    ("terms/cos_face.wgsl", "0.0, 1.0, column ==", "1.0, 1.0, column =="),
    ("terms/cos_face.wgsl", "select(d, vec4(0.0), is_own)", "d"),
    ("terms/cos_face.wgsl", "sizes.references - parameters.centers", "sizes.references - 1u"),
    ("terms/cos_face.wgsl", "d + parameters.margin", "d + 0.99 * parameters.margin"),
    ("terms/cos_face.wgsl", "scale / parameters.scale * slope", "slope"),
    ("terms/arc_face.wgsl", "weight * own.slope", "weight"),
    ("terms/arc_face.wgsl", "parameters.cosine + quotient", "parameters.cosine"),
    ("terms/arc_face.wgsl", "d + parameters.lift", "d"),
    ("terms/sig_lip.wgsl", "scale * similar + bias", "scale * similar"),
    ("terms/sig_lip.wgsl", "select(0.0, 1.0, DISTANCE == COSINE) - d", "-d"),
    ("terms/sig_lip.wgsl", "+ logs_one_plus(small)", "+ 0.999 * logs_one_plus(small)"),
    ("terms/sig_lip.wgsl", "vec4(1.0), over >= vec4(0.0)", "vec4(0.999), over >= vec4(0.0)"),
    ("terms/sig_lip.wgsl", "select(vec4(0.0), terms, is_pair)", "terms"),
    ("terms/sig_lip.wgsl", "dot(slopes, similar)", "dot(slopes, d)"),
    ("terms/sig_lip.wgsl", "sum_of(slopes)", "0.999 * sum_of(slopes)"),
    ("terms/sig_lip.wgsl", "-weight * slopes", "-slopes"),
    ("terms/soft_triple.wgsl", "part * (d - nearest)", "0.99 * part * (d - nearest)"),
    ("terms/soft_triple.wgsl", "1.0 - apart / parameters.gamma", "1.0"),
    ("terms/soft_triple.wgsl", "/ centers.sum", "/ (1.001 * centers.sum)"),
    ("terms/soft_triple.wgsl", "d + parameters.margin", "d"),
    ("terms/proxy_anchor.wgsl", "d - ends.x", "0.999 * (d - ends.x)"),
    ("terms/proxy_anchor.wgsl", "shift - ends.y", "-ends.y"),
    ("terms/proxy_anchor.wgsl", "slopes / parts", "0.999 * slopes / parts"),
    ("terms/proxy_anchor.wgsl", "weights * vec2(", "vec2("),
    ("terms/proxy_anchor.wgsl", "-end.rest", "end.rest"),
    ("terms/proxy_anchor.wgsl", "= losses.y;", "= 0.999 * losses.y;"),
    ("terms/proxy_anchor.wgsl", "stripe.stride + which", "which"),
    ("finish/totals.wgsl", "terms.x - negatives", "terms.x"),
    ("terms/clip.wgsl", "bitcast<f32>(end.number)", "0.999 * bitcast<f32>(end.number)"),
    ("terms/clip.wgsl", "sum += sum_of(parts);", "sum += 0.999 * sum_of(parts);"),
    ("terms/clip.wgsl", "weight += sigmoid", "weight += 0.999 * sigmoid"),
    ("terms/clip.wgsl", "[stripe.stride + stripe.begin + row] = end", "[stripe.stride] = end"),
    ("terms/clip.wgsl", "- stripe.stride + j]", "- stripe.stride]"),
    ("terms/clip.wgsl", "share_of(end_of_column(j), scale", "share_of(own, scale"),
    ("terms/clip.wgsl", "-end.weight * exp", "-0.999 * end.weight * exp"),
    ("terms/clip.wgsl", "d - end.value + end.rest", "d - end.value"),
    ("terms/clip.wgsl", "scale / parameters.scale", "1.0"),
    ("terms/clip.wgsl", "first.term + second.term", "first.term + 0.999 * second.term"),
    ("terms/clip.wgsl", "2u * counts.x", "counts.x"),
    (
        "terms/co_sent.wgsl",
        "exp(-rate * abs(a.top - b.top))",
        "exp(-0.99 * rate * abs(a.top - b.top))",
    ),
    ("terms/co_sent.wgsl", "a.sum * small + b.sum,", "a.sum + b.sum,"),
    ("terms/co_sent.wgsl", "invocation.index - reach].lower", "invocation.index].lower"),
    ("terms/co_sent.wgsl", "invocation.index + 1u].higher", "invocation.index].higher"),
    ("terms/co_sent.wgsl", "levels[place].lower = both.lower;", "levels[place].lower = own.lower;"),
    (
        "terms/co_sent.wgsl",
        "levels[row_at(row)].lower = both.lower;",
        "levels[row_at(row)].lower = NOTHING;",
    ),
    (
        "terms/co_sent.wgsl",
        "levels[row_at(row - 1u)].higher = both.higher;",
        "levels[row_at(row - 1u)].higher = NOTHING;",
    ),
    (
        "terms/co_sent.wgsl",
        "level_before(places_below(key))",
        "level_before(places_below(key + 1u))",
    ),
    (
        "terms/co_sent.wgsl",
        "level_behind(places_below(key + 1u))",
        "level_behind(places_below(key))",
    ),
    ("terms/co_sent.wgsl", "+ log(level.sum)", "+ 0.999 * log(level.sum)"),
    ("terms/co_sent.wgsl", "parts.x - parts.y", "parts.x + parts.y"),
    ("terms/co_sent.wgsl", "levels[met_at(k)].lower);", "levels[met_at(row)].lower);"),
    ("terms/co_sent.wgsl", "sigmoid(total.top + spread) * exp", "exp"),
    ("terms/co_sent.wgsl", "softplus(total.top + spread)", "total.top + spread"),
    ("terms/lifted_structured.wgsl", "-sums.y * exp(", "-0.999 * sums.y * exp("),
    ("terms/lifted_structured.wgsl", "return 0.5 * h;", "return h;"),
    ("terms/lifted_structured.wgsl", "own > other || (", "own < other || ("),
    ("terms/triplet/all.wgsl", "coefficients[begin + j] + f32(above)", "f32(above) + 1.0"),
    ("terms/triplet/all.wgsl", "atomicAdd(&places[place], 1u);", "atomicMax(&places[place], 1u);"),
    ("terms/triplet/all.wgsl", "loss -= above", "loss += above"),
    ("terms/triplet/all_soft.wgsl", "c += share.y;", "c += 0.999 * share.y;"),
    (
        "terms/triplet/all_soft.wgsl",
        "sixteen += with_columns(i, begin, j, p)",
        "sixteen += 0.999 * with_columns(i, begin, j, p)",
    ),
    ("terms/triplet/one_per_anchor.wgsl", "select(-d, d, POSITIVE_DIFFICULTY == HARD)", "d"),
    ("terms/triplet/one_per_anchor.wgsl", "select(-d, d, NEGATIVE_DIFFICULTY == HARD)", "d"),
    ("terms/triplet/one_per_anchor.wgsl", "(d > vec4(least))", "(d < vec4(least))"),
    ("terms/triplet/one_per_anchor.wgsl", "beyond.column != NOWHERE", "beyond.column == NOWHERE"),
    ("terms/triplet/one_per_anchor.wgsl", "coefficient(-slope", "coefficient(slope"),
    (
        "terms/triplet/semi_hard.wgsl",
        "select(value_of(order), farthest.value",
        "select(value_of(order), 0.0",
    ),
    (
        "terms/triplet/semi_hard.wgsl",
        "slopes += slopes_of_choosers(size, EMPTY, d);",
        "slopes += 0.0;",
    ),
    (
        "terms/triplet/semi_hard.wgsl",
        "smallest = scan_scratch[invocation.index - 1u];",
        "smallest = EMPTY;",
    ),
    ("terms/nt_xent.wgsl", "/ (1.0 + small)", "/ (1.001 + small)"),
    ("terms/nt_xent.wgsl", "-end.weight * small", "-0.999 * end.weight * small"),
    ("terms/nt_xent.wgsl", "select(0u, counts.x, has_negatives)", "0u"),
    ("terms/nt_xent.wgsl", "row_statistics[j];", "own;"),
    ("terms/sup_con.wgsl", "return kind != NO_PAIR;", "return kind == NEGATIVE;"),
    ("terms/sup_con.wgsl", "- positives * exponential", "- 0.999 * positives * exponential"),
    ("terms/sup_con.wgsl", "-exponential / sum", "-0.999 * exponential / sum"),
    ("terms/sup_con.wgsl", "+ log_sum;", "+ 0.999 * log_sum;"),
    ("terms/sup_con.wgsl", "sums.below / f32(counts.x)", "sums.below"),
    (
        "terms/generalized_lifted_structured.wgsl",
        "select(vec4(tops.y), vec4(tops.x), is_positive)",
        "vec4(tops.x)",
    ),
    (
        "terms/generalized_lifted_structured.wgsl",
        "select(-end.rest, end.weight",
        "select(end.rest, end.weight",
    ),
    (
        "terms/generalized_lifted_structured.wgsl",
        "term.weights / levels.sums",
        "0.999 * term.weights / levels.sums",
    ),
    (
        "terms/generalized_lifted_structured.wgsl",
        "-extremes.nearest.value);",
        "-extremes.farthest.value);",
    ),
    (
        "terms/generalized_lifted_structured.wgsl",
        "+ parameters.margin",
        "+ 0.99 * parameters.margin",
    ),
    ("terms/generalized_lifted_structured.wgsl", "(logarithms.x + logarithms.y)", "logarithms.x"),
    ("terms/nca.wgsl", "sigmoid(over)", "0.999 * sigmoid(over)"),
    ("terms/nca.wgsl", "(logarithms.y - logarithms.x)", "(logarithms.y + logarithms.x)"),
    ("terms/multi_similarity.wgsl", "sigmoid(over.y)", "0.999 * sigmoid(over.y)"),
    ("terms/multi_similarity.wgsl", "parameters.base, parameters.base", "parameters.base, 0.0"),
    ("terms/multi_similarity.wgsl", "d + parameters.epsilon >", "d >"),
    ("terms/multi_similarity.wgsl", "d - parameters.epsilon <", "d <"),
    ("terms/multi_similarity.wgsl", "max(reach, vec2(0.0)) + tails", "max(reach, vec2(0.0))"),
    ("terms/circle.wgsl", "return paces(vec4(is_positive), vec4(d)).x;", "return 1.0;"),
    ("terms/circle.wgsl", "1.0 + parameters.margin - d", "1.0 - parameters.margin - d"),
    ("terms/circle.wgsl", "sigmoid(over)", "0.999 * sigmoid(over)"),
    ("terms/fast_ap.wgsl", "negatives - of_last.x", "negatives - 0.999 * of_last.x"),
    ("terms/fast_ap.wgsl", "-of_last.y", "-0.999 * of_last.y"),
    (
        "terms/fast_ap.wgsl",
        "add_share(centre + 1u, kind, beyond);",
        "add_share(centre, kind, beyond);",
    ),
    ("terms/fast_ap.wgsl", "select(0u, 2u, kind == NEGATIVE)", "0u"),
    ("terms/smooth_ap.wgsl", "1.0 + sums.x", "sums.x"),
    ("terms/smooth_ap.wgsl", "of_negatives * sums.w", "0.999 * of_negatives * sums.w"),
    ("terms/smooth_ap.wgsl", "NO_PAIR, j == positive.column", "NO_PAIR, false"),
    ("terms/smooth_ap.wgsl", "select(-ranked[k].of_negatives", "select(ranked[k].of_negatives"),
    ("gradient/pairwise.wgsl", "value.x = gradient[at];", "value.x = 0.0;"),
    (
        "gradient/pairwise.wgsl",
        "sizes.references, stripe.begin, TRIANGLE == 1u",
        "sizes.references, sizes.references, TRIANGLE == 1u",
    ),
    (
        "gradient/pairwise.wgsl",
        "(*sums).first += direction_sign()",
        "(*sums).first = direction_sign()",
    ),
    ("gradient/pairwise.wgsl", "return sign(x - y);", "return sign(y - x);"),
    ("gradient/pairwise.wgsl", "select(1.0, -1.0, DISTANCE", "select(1.0, 1.0, DISTANCE"),
    ("gradient/scores.wgsl", "= -coefficients", "= coefficients"),
    ("pointwise/mean_squared_error.wgsl", "2.0 * r,", "1.999 * r,"),
    (
        "pointwise/mean_squared_error.wgsl",
        "checked_value(index), checked_target(index)",
        "checked_value(index), 0.0",
    ),
    ("pointwise/mean_squared_error.wgsl", "Term(r * r", "Term(0.999 * r * r"),
    ("pointwise/huber.wgsl", "0.5 * c", "0.6 * c"),
    ("pointwise/huber.wgsl", "clamp(r,", "clamp(2.0 * r,"),
    ("pointwise/hinge.wgsl", "select(0.0, -t, is_within)", "-t"),
    ("pointwise/hinge.wgsl", "1.0 - t * p", "1.0 - abs(t) * p"),
    ("pointwise/binary_cross_entropy.wgsl", "- x * t", "- 0.999 * x * t"),
    ("pointwise/binary_cross_entropy.wgsl", "(1.0 - t) - tail", "(1.0 - t) + tail"),
    ("pointwise/cross_entropy.wgsl", "slope - 1.0,", "slope,"),
    ("pointwise/cross_entropy.wgsl", "-softmax.others / (", "-0.999 * softmax.others / ("),
    ("pointwise/cross_entropy.wgsl", "if (c != largest.column)", "if (c != 0u)"),
    ("pointwise/cross_entropy.wgsl", "return label;", "return label & 1u;"),
    ("pointwise/uniform_entropy.wgsl", "sum + classes * softmax.log_sum", "sum + softmax.log_sum"),
    ("pointwise/uniform_entropy.wgsl", "part_of(softmax, x) - 1.0", "part_of(softmax, x)"),
    ("pointwise/l1.wgsl", "strength * sign(w)", "strength * abs(sign(w))"),
    ("pointwise/l2.wgsl", "2.0 * parameters.strength", "parameters.strength"),
    (
        "pointwise/elastic_net.wgsl",
        "parameters.l1_strength * sign(w) + ",
        "parameters.l1_strength + ",
    ),
    ("finish/totals.wgsl", "return inverse(nonzero);", "return inverse(terms);"),
    ("finish/totals.wgsl", "return 0.5 * inverse(terms);", "return inverse(terms);"),
    (
        "finish/totals.wgsl",
        "+ weighed(negative_weight, sums.y",
        "- weighed(negative_weight, sums.y",
    ),
    ("prepare/list.wgsl", "kinds[entry] = kind;", "kinds[entry] = 1u - kind;"),
    (
        "distance/listed.wgsl",
        "parts[invocation.index] += parts[invocation.index + width]",
        "parts[invocation.index] = parts[invocation.index + width]",
    ),
    ("incidence/count.wgsl", "place_at(index))], 1u)", "place_at(index))], 2u)"),
    ("incidence/scan.wgsl", "sums[invocation.index] - sum;", "sums[invocation.index];"),
    ("incidence/scatter.wgsl", "next[digit] + earlier_holders(digit, invocation)", "next[digit]"),
    (
        "terms/triplet/explicit.wgsl",
        "coefficient(-slope, negative)",
        "coefficient(slope, negative)",
    ),
    (
        "gradient/chosen.wgsl",
        "choice.negative_coefficient, choice.positive_coefficient, choice",
        "-choice.negative_coefficient, choice.positive_coefficient, choice",
    ),
    ("gradient/chosen.wgsl", "row < ROWS", "row < ROWS - 1u"),
    ("gradient/finished_chosen.wgsl", "row < ROWS", "row < ROWS - 1u"),
    ("gradient/finished_chosen.wgsl", "sum * finish.factor * totals.scale", "sum * finish.factor"),
    ("gradient/chosen.wgsl", "+ choice.negative_coefficient", "- choice.negative_coefficient"),
    ("gradient/chosen.wgsl", "1u << (anchor % BITS)", "1u << (anchor % 8u)"),
    ("gradient/listed.wgsl", "index < end;", "index + 1u < end;"),
    ("gradient/aligned.wgsl", "= coefficients[row]", "= -coefficients[row]"),
    ("gradient/pairwise.wgsl", "values += four_coefficients(", "values -= four_coefficients("),
    ("gradient/finished.wgsl", "values += four_coefficients(", "values -= four_coefficients("),
    ("gradient/finished.wgsl", "values > vec4(0.0)", "values < vec4(0.0)"),
    ("gradient/finished.wgsl", "sum * finish.factor", "sum"),
    ("gradient/finished.wgsl", "* totals.scale", "* 1.0"),
    ("distance/pairwise.wgsl", "row] = d;", "row] = 2.0 * d;"),
    ("finish/gradient.wgsl", "value - radial", "value + radial"),
    ("finish/gradient.wgsl", "value += transposed[index];", "value -= transposed[index];"),
    ("finish/learned.wgsl", "totals.scale * total", "total"),
    ("finish/learned.wgsl", "PLACE == 1u", "false"),
];

/// One adapter, since whether a fault is noticed is for the comparison to show, and no driver's
/// doing.
#[test]
fn every_planted_fault_is_caught() {
    // Rows enough for a second step of the gradient's sums, and cut for a second stripe; and for
    // several tiles in one stripe, and invocations that own several columns.
    let samples = [Sample::new(19, 6, 1.0), Sample::new(600, 4, 1.0)];
    let contexts = [16 * 20 * 8, 32 << 20].map(|workspace_bytes| {
        first_context(Options::default().with_workspace_bytes(workspace_bytes))
    });
    let agrees = |(context, sample, loss): &(usize, usize, Loss)| {
        agrees(&contexts[*context], loss, &samples[*sample])
    };
    // Few see most of them. The others come last, for a fault that those do not see.
    let mut losses = one_of_each_kind();
    losses.extend(representatives());
    let mut witnesses = Vec::new();
    for &(path, line, fault) in FAULTS {
        let is_of = |kernel: &Kernel| kernel.shader.path == path;
        losses.sort_by_key(|loss| !kernels_of(loss).iter().any(is_of));
        // Losses that have the kernel; of one that all have, all.
        let own = losses.iter().filter(|loss| kernels_of(loss).iter().any(is_of)).count();
        let concerned = if own > 0 { own } else { losses.len() };
        let whole = losses[..concerned].iter();
        let whole = whole.flat_map(|loss| [(0, 0, loss.clone()), (1, 0, loss.clone())]);
        let long = [losses[0].clone(), Contrastive::default().into()].map(|loss| (1, 1, loss));
        let forget = || contexts.iter().for_each(|context| context.pipelines().forget(path));
        forget();
        let witness =
            planted(path, line, fault, || whole.chain(long).find(|one| agrees(one).is_err()));
        forget();
        let witness = witness.unwrap_or_else(|| panic!("nobody noticed `{fault}` in {path}"));
        if !witnesses.contains(&witness) {
            witnesses.push(witness);
        }
    }
    for witness in &witnesses {
        assert_eq!(agrees(witness), Ok(()), "a fault is noticed where there is none");
    }
}

/// Those of kernels that only expanded distances have, or of what is theirs.
const FAULTS_OF_EXPANSION: &[(&str, &str, &str)] = &[
    ("prepare/squares.wgsl", "- centre[k] * scale", "- 0.9 * centre[k] * scale"),
    ("distance/pairwise.wgsl", "squares - 2.0 * sums", "squares - 1.999 * sums"),
    ("distance/pairwise.wgsl", "right_tile[at] -= centre;", ""),
    ("gradient/expanded.wgsl", "left &= left - 1u;", "left = 0u;"),
    ("gradient/expanded.wgsl", "select(values, vec4(0.0), near)", "values"),
    ("gradient/expanded.wgsl", "weight_sums += far;", "weight_sums += 1.001 * far;"),
    ("gradient/expanded.wgsl", "weight_sums += weights;", "weight_sums -= weights;"),
    (
        "gradient/finished_expanded.wgsl",
        "weights += coefficient_tile",
        "weights = coefficient_tile",
    ),
    ("gradient/finished_expanded.wgsl", "select(values, vec4(0.0), near)", "values"),
];

#[test]
fn every_planted_fault_in_expanded_kernels_is_caught() {
    // Of four dimensions, some pairs are near.
    let sample = &Sample::new(150, 4, 1.0);
    let expanded = Options::default().with_arithmetic(Arithmetic::Expanded);
    let contexts = [8 * 152 * 48, 32 << 20].map(|workspace_bytes| {
        first_context(expanded.clone().with_workspace_bytes(workspace_bytes))
    });
    let losses: [Loss; 3] = [
        Contrastive::default().into(),
        NtXent { distance: Distance::SquaredEuclidean, ..NtXent::default() }.into(),
        Triplet::default().into(),
    ];
    let is_seen = || {
        let on = |context| losses.iter().any(move |loss| agrees(context, loss, sample).is_err());
        contexts.iter().any(on)
    };
    assert!(!is_seen(), "kernels without a fault agree");
    let checked = &first_context(expanded.with_checks(Checks::Checked));
    for loss in &losses {
        assert_eq!(agrees(checked, loss, sample), Ok(()), "with run-time checks");
    }
    for &(path, line, fault) in FAULTS_OF_EXPANSION {
        let forget = || contexts.iter().for_each(|context| context.pipelines().forget(path));
        forget();
        let is_caught = planted(path, line, fault, is_seen);
        forget();
        assert!(is_caught, "nobody noticed `{fault}` in {path}");
    }
}

/// A sum of two losses over one set of rows.
fn objective_agrees(context: &Context, sample: &Sample) -> bool {
    let losses: [Loss; 2] = [Contrastive::default().into(), Triplet::default().into()];
    let batches = losses.each_ref().map(|loss| sample.batches(loss).swap_remove(0));
    let weighted = losses.iter().zip(batches).zip([0.5, -2.0]);
    let objective: Vec<_> =
        weighted.map(|((loss, batch), weight)| Weighted::new(weight, loss, batch)).collect();
    let expected = evaluate_objective_with_bounds(&objective).expect("a valid objective");
    expected
        .compare(&context.evaluate_objective(&objective).wait().expect("kernels that compile"))
        .agrees()
}

const FAULTS_OF_SUMS: &[(&str, &str, &str)] = &[
    ("finish/accumulate.wgsl", "value += sum[index];", "value -= sum[index];"),
    ("finish/accumulate.wgsl", "loss += total_loss;", "loss -= total_loss;"),
    ("finish/accumulate.wgsl", "subject.weight * totals.loss", "totals.loss"),
];

#[test]
fn every_planted_fault_in_a_sum_is_caught() {
    let sample = Sample::new(19, 6, 1.0);
    let context = first_context(Options::default());
    assert!(objective_agrees(&context, &sample), "kernels without a fault agree");
    for &(path, line, fault) in FAULTS_OF_SUMS {
        context.pipelines().forget(path);
        let is_caught = planted(path, line, fault, || !objective_agrees(&context, &sample));
        context.pipelines().forget(path);
        assert!(is_caught, "nobody noticed `{fault}` in {path}");
    }
}
