// What a terms kernel writes of its row, and the gradient is made of.
//
//   coefficients  rows x stride   dL/dd(i, j) times the distance's own factor; 0 in the padding

@group(0) @binding(5) var<storage, read_write> coefficients: array<vec4<f32>>;

// Of a column, `at` columns from the beginning of the stripe.
fn coefficient_at(at: u32) -> f32 {
    return coefficients[at / 4u][at % 4u];
}

fn set_coefficient(at: u32, value: f32) {
    coefficients[at / 4u][at % 4u] = value;
}
