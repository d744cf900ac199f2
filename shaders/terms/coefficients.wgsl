// What a terms kernel writes of its row, and the gradient is made of.
//
//   coefficients  rows x stride   dL/dd(i, j) times the distance's own factor; 0 in the padding

@group(0) @binding(5) var<storage, read_write> coefficients: array<f32>;
