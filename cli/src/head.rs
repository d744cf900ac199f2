//! A trained head as a `.safetensors` file, with the names and shapes of PyTorch's
//! `nn.Sequential(nn.Linear(I, H), nn.ReLU(), nn.Linear(H, D))`: the linear layers have even
//! numbers, weights stand outputs x inputs.

use std::path::Path;

use wgpu_metric_learning::Cpu;
use wgpu_metric_learning::training::Mlp;

use super::Result;
use super::tensors::{self, Tensor};

/// Rows that go through at a time.
const ROWS: usize = 4096;

/// A perceptron with its parameters.
#[derive(Debug, PartialEq)]
pub(crate) struct Head {
    pub mlp: Mlp,
    pub parameters: Vec<f32>,
    /// Whether what it makes is divided by its norm: an entry beside the tensors, since a sequence
    /// of layers has no name for it.
    pub normalize: bool,
}

/// The inputs and outputs of the layers, first to last.
fn layers(mlp: &Mlp) -> Vec<[usize; 2]> {
    let sizes: Vec<usize> =
        [mlp.inputs].into_iter().chain(mlp.hidden.iter().copied()).chain([mlp.outputs]).collect();
    sizes.windows(2).map(|pair| [pair[0], pair[1]]).collect()
}

impl Head {
    /// What it makes of rows.
    pub(crate) fn project(&self, rows: &[f32]) -> Result<Vec<f32>> {
        let mut projected = Vec::new();
        for rows in rows.chunks(ROWS * self.mlp.inputs) {
            let count = rows.len() / self.mlp.inputs;
            let made = Cpu::default().forward(&self.mlp, count, rows, &self.parameters)?;
            projected.extend_from_slice(made.outputs());
        }
        if self.normalize {
            projected.chunks_exact_mut(self.mlp.outputs).for_each(divide_by_norm);
        }
        Ok(projected)
    }

    /// Writes it, and with it how it was trained.
    pub(crate) fn write(&self, path: &Path, training: String) -> Result<()> {
        let mut rest = &self.parameters[..];
        let mut tensors = Vec::new();
        for (number, [inputs, outputs]) in layers(&self.mlp).into_iter().enumerate() {
            let (layer, after) = rest.split_at((inputs + 1) * outputs);
            rest = after;
            let (weights, biases) = layer.split_at(inputs * outputs);
            let name = |what| format!("{}.{what}", 2 * number);
            let transposed = transposed(weights, outputs);
            tensors.push(Tensor::new(name("weight"), &[outputs, inputs], &transposed));
            tensors.push(Tensor::new(name("bias"), &[outputs], biases));
        }
        tensors::write(path, &tensors, training)
    }

    /// Reads one.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        tensors::read(path, Self::parse)
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let file = tensors::parse(bytes)?;
        let (mut sizes, mut parameters) = (Vec::<usize>::new(), Vec::new());
        for number in (0..).step_by(2) {
            let name = format!("{number}.weight");
            if number > 0 && file.tensor(&name).is_err() {
                break;
            }
            let (shape, weights) = tensors::numbers::<f32>(&file, &name)?;
            let &[outputs, inputs] = &shape[..] else {
                return Err(format!("{name} has the shape {shape:?}: outputs x inputs are needed"));
            };
            let before = sizes.last().copied().unwrap_or(inputs);
            if before != inputs {
                return Err(format!(
                    "{name} takes {inputs} numbers, the layer before makes {before}"
                ));
            }
            let (shape, biases) = tensors::numbers::<f32>(&file, &format!("{number}.bias"))?;
            if shape != [outputs] {
                return Err(format!("{number}.bias has the shape {shape:?}, not [{outputs}]"));
            }
            if sizes.is_empty() {
                sizes.push(inputs);
            }
            sizes.push(outputs);
            parameters.extend(transposed(&weights, inputs));
            parameters.extend(biases);
        }
        if file.len() != 2 * (sizes.len() - 1) {
            let most = 2 * (sizes.len() - 1);
            return Err(format!(
                "has {} tensors, of which {most} are layers of a head",
                file.len()
            ));
        }
        let (inputs, outputs) = (sizes[0], sizes[sizes.len() - 1]);
        let mlp = Mlp { inputs, hidden: sizes[1..sizes.len() - 1].to_vec(), outputs };
        mlp.check(1).map_err(|error| error.to_string())?;
        Ok(Self { mlp, parameters, normalize: is_normalized(bytes)? })
    }
}

/// Divides a row by its norm; a row that is 0 stays so.
fn divide_by_norm(row: &mut [f32]) {
    let norm = row.iter().map(|&number| f64::from(number).powi(2)).sum::<f64>().sqrt();
    if norm > 0.0 {
        row.iter_mut().for_each(|number| *number = (f64::from(*number) / norm) as f32);
    }
}

/// Whether the description of a training says that rows are divided by their norm.
fn is_normalized(bytes: &[u8]) -> Result<bool, String> {
    let training = tensors::training(bytes)?.unwrap_or_default();
    Ok(training["normalize"].as_bool().unwrap_or_default())
}

/// A matrix of so many columns, its columns as rows.
fn transposed(matrix: &[f32], columns: usize) -> Vec<f32> {
    let column = |column| matrix.iter().skip(column).step_by(columns.max(1)).copied();
    (0..columns).flat_map(column).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

    use super::*;

    fn file_of(of: &[(&str, &[usize], &[f32])]) -> Vec<u8> {
        let views = of.iter().map(|(name, shape, numbers)| {
            let view = TensorView::new(Dtype::F32, shape.to_vec(), bytemuck::cast_slice(numbers));
            (*name, view.unwrap())
        });
        serialize(views.collect::<Vec<_>>(), None).unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let mlp = Mlp { inputs: 3, hidden: vec![4, 5], outputs: 2 };
        let parameters = mlp.initial_parameters(3).unwrap();
        let mut head = Head { parameters, mlp, normalize: true };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("head.safetensors");
        head.write(&path, r#"{"normalize":true}"#.into()).unwrap();
        assert_eq!(Head::read(&path).unwrap(), head);
        head.normalize = false;
        head.write(&path, "{}".into()).unwrap();
        assert_eq!(Head::read(&path).unwrap(), head);
        // As PyTorch has it: the weight of output 3 and input 2 of the first layer.
        let bytes = fs::read(&path).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let (shape, weights) = tensors::numbers::<f32>(&file, "0.weight").unwrap();
        assert_eq!((shape, weights[3 * 3 + 2]), (vec![4, 3], head.parameters[2 * 4 + 3]));
        let mut names = file.names();
        names.sort_unstable();
        assert_eq!(names, ["0.bias", "0.weight", "2.bias", "2.weight", "4.bias", "4.weight"]);
    }

    #[test]
    fn what_is_no_head_is_refused() {
        let weight: (&str, &[usize], &[f32]) = ("0.weight", &[1, 2], &[1.0, 2.0]);
        let bias: (&str, &[usize], &[f32]) = ("0.bias", &[1], &[0.5]);
        let refused = |of: &[_]| Head::parse(&file_of(of)).unwrap_err();
        assert!(Head::parse(&file_of(&[weight, bias])).is_ok());
        assert!(Head::parse(b"PK").unwrap_err().contains("no .safetensors file"));
        assert_eq!(refused(&[]), "has no tensor 0.weight");
        assert_eq!(refused(&[weight]), "has no tensor 0.bias");
        assert!(refused(&[weight, ("0.bias", &[2], &[0.0, 0.0])]).contains("not [1]"));
        assert!(refused(&[("0.weight", &[2], &[1.0, 2.0]), bias]).contains("outputs x inputs"));
        assert!(refused(&[weight, ("0.bias", &[1], &[f32::NAN])]).contains("not finite"));
        assert!(refused(&[weight, bias, ("scale", &[1], &[1.0])]).contains("has 3 tensors"));
        let next: [(&str, &[usize], &[f32]); 2] =
            [("2.weight", &[1, 2], &[1.0, 2.0]), ("2.bias", &[1], &[0.0])];
        assert!(refused(&[weight, bias, next[0], next[1]]).contains("takes 2 numbers"));
    }
}
