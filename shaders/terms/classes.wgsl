// What the losses share that are a cross-entropy over classes. With the distances d(i, c) to the
// prototype of class c, or what the loss makes of those to its centres, y the label of sample i, and
// own(i) what the loss takes for d(i, y), every row i has the nearest of the other classes and
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
// The centres of a class stand one behind the other, and have shares of its slope.
//
// One workgroup per row; three reads of its distances, with several centres more for each of them,
// and one write of its coefficients.
//
// The file that includes it adds
//
//   struct Parameters { scale: f32, centers: u32 }         may have more members
//   var<uniform> parameters: Parameters
//   fn own_of(d: f32) -> Own
//   fn loss_scale() -> f32
//   fn distance_of_centers(row: u32, first: u32) -> f32   of a class with several centres, which
//                                                         begin with this column
//   fn share_of_center(row: u32, column: u32, first: u32) -> f32    its derivative by that to one

// #include "terms/row.wgsl"
// #include "terms/coefficient_quads.wgsl"
// #include "shared/reduce_extremes.wgsl"
// #include "shared/exponential.wgsl"

// What the loss takes for the distance to the own class, and its derivative by that.
struct Own {
    distance: f32,
    slope: f32,
}

fn class_count() -> u32 {
    return sizes.references / parameters.centers;
}

// The quads of a row of classes.
fn class_quads() -> u32 {
    return (class_count() + 3u) / 4u;
}

fn distance_to(row: u32, which: u32) -> f32 {
    if (which >= class_count()) {
        return 0.0;
    }
    return distance_of_centers(row, which * parameters.centers);
}

// The distances of a quad of classes, 0 where there is no class.
fn distances_to(row: u32, quad: u32) -> vec4<f32> {
    let classes = columns_of(quad);
    if (parameters.centers == 1u) {
        let is_class = classes < vec4(class_count());
        return select(vec4(0.0), distances[row * quads() + quad], is_class);
    }
    return vec4(
        distance_to(row, classes.x),
        distance_to(row, classes.y),
        distance_to(row, classes.z),
        distance_to(row, classes.w),
    );
}

fn are_others(quad: u32, own_class: u32) -> vec4<bool> {
    let classes = columns_of(quad);
    return (classes < vec4(class_count())) & (classes != vec4(own_class));
}

// The sums of the distances to the own centres and to all others.
fn sums_of_centers(row: u32, own_class: u32, invocation: Invocation) -> vec2<f32> {
    let first = own_class * parameters.centers;
    var sums = vec2(0.0);
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let columns = columns_of(quad);
        let is_center = columns < vec4(sizes.references);
        let is_own = (columns >= vec4(first)) & (columns < vec4(first + parameters.centers));
        let d = select(vec4(0.0), distances[row * quads() + quad], is_center);
        sums += vec2(sum_of(select(vec4(0.0), d, is_own)), sum_of(select(d, vec4(0.0), is_own)));
    }
    return workgroup_sum(vec4(sums, 0.0, 0.0), invocation).xy;
}

// What every class has: the own one `own`, others `of_others` times their exponential.
struct Slopes {
    own_class: u32,
    own: f32,
    of_others: f32,
    nearest: f32,
}

fn slope_of_center(slopes: Slopes, row: u32, column: u32) -> f32 {
    let which = column / parameters.centers;
    if (which >= class_count()) {
        return 0.0;
    }
    let share = share_of_center(row, column, which * parameters.centers);
    let lead = leads_of(slopes.nearest, vec4(distance_to(row, which))).x;
    let others = slopes.of_others * exp(loss_scale() * lead);
    return share * select(others, slopes.own, which == slopes.own_class);
}

// The slopes of a quad of columns.
fn slopes_of(slopes: Slopes, row: u32, quad: u32) -> vec4<f32> {
    let columns = columns_of(quad);
    if (parameters.centers == 1u) {
        let leads = leads_of(slopes.nearest, distances_to(row, quad));
        let others = slopes.of_others * exp(loss_scale() * leads);
        let all = select(vec4(0.0), others, are_others(quad, slopes.own_class));
        return select(all, vec4(slopes.own), columns == vec4(slopes.own_class));
    }
    return vec4(
        slope_of_center(slopes, row, columns.x),
        slope_of_center(slopes, row, columns.y),
        slope_of_center(slopes, row, columns.z),
        slope_of_center(slopes, row, columns.w),
    );
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
    let scale = loss_scale();
    var seen = Extremes(NO_EXTREME, NO_EXTREME);
    var distance = 0.0;
    for (var quad = invocation.index; quad < class_quads(); quad += WORKGROUP) {
        let others = are_others(quad, own_class);
        let d = distances_to(row, quad);
        distance += sum_of(select(vec4(0.0), d, others));
        seen.nearest = nearest_of(seen.nearest, others, d, 4u * quad);
    }
    let nearest = workgroup_extremes(seen, invocation).nearest;
    var sum = 0.0;
    var behind = 0.0;
    for (var quad = invocation.index; quad < class_quads(); quad += WORKGROUP) {
        let others = are_others(quad, own_class);
        let leads = leads_of(nearest.value, distances_to(row, quad));
        let parts = select(vec4(0.0), exp(scale * leads), others);
        sum += sum_of(parts);
        behind += dot(parts, leads);
    }
    let sums = workgroup_sum(vec4(sum, behind, distance, 0.0), invocation);
    let parts = max(sums.x, 1.0);
    let own_distance = distance_to(row, own_class);
    let own = own_of(own_distance);
    let has_others = nearest.column != NOWHERE;
    let ahead = own.distance - nearest.value;
    let over = scale * ahead + log(parts);
    let slope = select(0.0, sigmoid(over), has_others);
    let weight = scale / parameters.scale * slope;
    let slopes = Slopes(own_class, weight * own.slope, -weight / parts, nearest.value);
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let is_center = columns_of(quad) < vec4(sizes.references);
        let d = select(vec4(0.0), distances[row * quads() + quad], is_center);
        coefficients[row * quads() + quad] = coefficients_from(slopes_of(slopes, row, quad), d);
    }
    var of_centers = vec2(own_distance, sums.z);
    if (parameters.centers > 1u) {
        of_centers = sums_of_centers(row, own_class, invocation);
    }
    if (invocation.index == 0u) {
        let counts = vec2(parameters.centers, sizes.references - parameters.centers);
        var summary = row_of_pairs(of_centers, counts);
        summary.loss = select(0.0, softplus(over), has_others);
        summary.terms.x = 1u;
        summary.nonzero.x = select(0u, 1u, has_others);
        summary.learned_slopes.x = slope * (ahead + sums.y / parts);
        rows[i] = summary;
    }
}
