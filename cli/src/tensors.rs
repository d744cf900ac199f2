//! `.safetensors` files as far as the program writes them: tensors, and one entry of JSON that says
//! how they were made.

use std::collections::HashMap;
use std::path::Path;
use std::{fs, io};

use bytemuck::Pod;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde_json::Value;

use super::{Error, Result, output};

/// More bytes than a file of any perceptron has that the library can count: its parameters, and two
/// numbers of 8 bytes for each that an optimiser remembers.
const LARGEST: u64 = 25 << 30;

/// The entry of a file that says how a training was made, as a JSON object.
const TRAINING: &str = "training";

/// A number as a file holds it.
pub(crate) trait Number: Pod {
    const TYPE: Dtype;
    /// Its name in Rust and in messages.
    const NAME: &str;
    fn is_usable(self) -> bool;
}

impl Number for f32 {
    const TYPE: Dtype = Dtype::F32;
    const NAME: &str = "f32";
    fn is_usable(self) -> bool {
        self.is_finite()
    }
}

impl Number for f64 {
    const TYPE: Dtype = Dtype::F64;
    const NAME: &str = "f64";
    fn is_usable(self) -> bool {
        self.is_finite()
    }
}

impl Number for u32 {
    const TYPE: Dtype = Dtype::U32;
    const NAME: &str = "u32";
    fn is_usable(self) -> bool {
        true
    }
}

/// A tensor that is written.
pub(crate) struct Tensor {
    pub name: String,
    shape: Vec<usize>,
    of: Dtype,
    bytes: Vec<u8>,
}

impl Tensor {
    pub(crate) fn new<T: Number>(name: impl Into<String>, shape: &[usize], numbers: &[T]) -> Self {
        let bytes = bytemuck::cast_slice(numbers).to_vec();
        Self { name: name.into(), shape: shape.to_vec(), of: T::TYPE, bytes }
    }
}

/// Writes tensors, and with them how they were made.
pub(crate) fn write(path: &Path, tensors: &[Tensor], training: String) -> Result<()> {
    // One entry, since the order of several would be that of chance.
    let metadata = HashMap::from([(TRAINING.to_owned(), training)]);
    let views = tensors.iter().map(|tensor| {
        let view = TensorView::new(tensor.of, tensor.shape.clone(), &tensor.bytes);
        view.map(|view| (&tensor.name, view))
    });
    let views: Result<Vec<_>, _> = views.collect();
    let bytes = views.and_then(|views| serialize(views, Some(metadata)));
    output::write(path, |file| file.write_all(&bytes.map_err(io::Error::other)?))
}

/// Reads a file, and makes of it what `parse` does, whose problems name no file.
pub(crate) fn read<T>(path: &Path, parse: impl FnOnce(&[u8]) -> Result<T, String>) -> Result<T> {
    let problem = |problem: String| Error::file(path, problem);
    let length = fs::metadata(path).map_err(|error| problem(error.to_string()))?.len();
    if length > LARGEST {
        return Err(problem(format!("has {length} bytes, such a file has at most {LARGEST}")));
    }
    let bytes = fs::read(path).map_err(|error| problem(error.to_string()))?;
    parse(&bytes).map_err(problem)
}

/// The tensors of a file.
pub(crate) fn parse(bytes: &[u8]) -> Result<SafeTensors<'_>, String> {
    SafeTensors::deserialize(bytes).map_err(|error| format!("is no .safetensors file: {error}"))
}

/// How a file says that it was made.
pub(crate) fn training(bytes: &[u8]) -> Result<Option<Value>, String> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
    let entries = metadata.metadata().as_ref();
    let Some(text) = entries.and_then(|entries| entries.get(TRAINING)) else { return Ok(None) };
    let training = serde_json::from_str(text)
        .map_err(|error| format!("its entry {TRAINING} is no JSON: {error}"))?;
    Ok(Some(training))
}

/// The shape and the numbers of a tensor.
pub(crate) fn numbers<T: Number>(
    file: &SafeTensors<'_>,
    name: &str,
) -> Result<(Vec<usize>, Vec<T>), String> {
    let tensor = file.tensor(name).map_err(|_| format!("has no tensor {name}"))?;
    if tensor.dtype() != T::TYPE {
        return Err(format!("{name} holds {:?}, {} is needed", tensor.dtype(), T::NAME));
    }
    let numbers: Vec<T> = bytemuck::pod_collect_to_vec(tensor.data());
    match numbers.iter().position(|number| !number.is_usable()) {
        Some(at) => Err(format!("{name} holds a number that is not finite, its number {at}")),
        None => Ok((tensor.shape().to_vec(), numbers)),
    }
}
