// What the losses share that are a cross-entropy over classes. With the distances d(i, c) to one
// prototype a class c, y the label of sample i, and own(i) what the loss takes for d(i, y), every
// row i has the nearest of the other classes and
//
//   sum   sum_{c != y} exp(scale (nearest - d(i, c)))
//   over  scale (own(i) - nearest) + log(sum)
//
// No summand is above exp(0), so that nothing overflows. Without another class the term is 0.
//
//   term  log(1 + exp(over)) = log(sum_c exp(-scale d(i, c))) + scale own(i)
//   slope of d(i, y)  scale sigmoid(over) d own(i) / d d(i, y)
//   slope of d(i, c) -scale sigmoid(over) exp(scale (nearest - d(i, c))) / sum
//   slope of scale    sigmoid(over) (own(i) - the mean of d(i, c) by its summand), c != y
//
// The slopes of distances lack the factor of the description's scale, which is applied with the
// reduction: it is the scale, unless the caller gives another.
//
// One workgroup per row; three reads of its distances, one write of its coefficients.
//
// The file that includes it adds
//
//   struct Parameters { scale: f32 }         may have more members
//   var<uniform> parameters: Parameters
//   fn own_of(d: f32) -> Own

// #include "terms/row.wgsl"
// #include "terms/coefficient_quads.wgsl"
// #include "shared/reduce_extremes.wgsl"
// #include "shared/exponential.wgsl"

// What the loss takes for the distance to the own class, and its derivative by that.
struct Own {
    distance: f32,
    slope: f32,
}

// The distances of a quad, 0 where there is no class.
fn distances_to(row: u32, quad: u32) -> vec4<f32> {
    let is_class = columns_of(quad) < vec4(sizes.references);
    return select(vec4(0.0), distances[row * quads() + quad], is_class);
}

fn are_others(quad: u32, own_class: u32) -> vec4<bool> {
    let classes = columns_of(quad);
    return (classes < vec4(sizes.references)) & (classes != vec4(own_class));
}

// How far classes are behind the nearest: never above 0, but for classes that are no others.
fn leads_of(nearest: f32, d: vec4<f32>) -> vec4<f32> {
    return min(vec4(nearest) - d, vec4(0.0));
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let own_class = labels[i];
    let scale = learned[0];
    var seen = Extremes(NO_EXTREME, NO_EXTREME);
    var distance = 0.0;
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let others = are_others(quad, own_class);
        let d = distances_to(row, quad);
        distance += sum_of(select(vec4(0.0), d, others));
        seen.nearest = nearest_of(seen.nearest, others, d, 4u * quad);
    }
    let nearest = workgroup_extremes(seen, invocation).nearest;
    var sum = 0.0;
    var behind = 0.0;
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let others = are_others(quad, own_class);
        let leads = leads_of(nearest.value, distances_to(row, quad));
        let parts = select(vec4(0.0), exp(scale * leads), others);
        sum += sum_of(parts);
        behind += dot(parts, leads);
    }
    let sums = workgroup_sum(vec4(sum, behind, distance, 0.0), invocation);
    let parts = max(sums.x, 1.0);
    let own_distance = distance_at(row * stripe.stride + own_class);
    let own = own_of(own_distance);
    let has_others = nearest.column != NOWHERE;
    let ahead = own.distance - nearest.value;
    let over = scale * ahead + log(parts);
    let slope = select(0.0, sigmoid(over), has_others);
    let weight = scale / parameters.scale * slope;
    let weight_of_others = weight / parts;
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let d = distances_to(row, quad);
        let exponentials = exp(scale * leads_of(nearest.value, d));
        let slopes = select(vec4(0.0), -weight_of_others * exponentials, are_others(quad, own_class));
        let is_own = columns_of(quad) == vec4(own_class);
        let all = select(slopes, vec4(weight * own.slope), is_own);
        coefficients[row * quads() + quad] = coefficients_from(all, d);
    }
    if (invocation.index == 0u) {
        var summary = row_of_pairs(vec2(own_distance, sums.z), vec2(1u, sizes.references - 1u));
        summary.loss = select(0.0, softplus(over), has_others);
        summary.terms.x = 1u;
        summary.nonzero.x = select(0u, 1u, has_others);
        summary.learned_slopes.x = slope * (ahead + sums.y / parts);
        rows[i] = summary;
    }
}
