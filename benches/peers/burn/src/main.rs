//! Times metric-learning losses written with Burn's tensors, forward and backward; prints one JSON object for each.

mod losses;
mod memory;
mod reference;

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::{Device, Int, Tensor, TensorData};

/// Up to here the N x N x N tensors of all triplets fit.
const LARGEST_CUBE: usize = 256;
const FEWEST_RUNS: usize = 5;
const MOST_RUNS: usize = 1000;
const LONGEST_WARM_UP_SECONDS: f64 = 60.0;

struct Inputs {
    n: usize,
    d: usize,
    classes: usize,
    embeddings: Vec<f32>,
    prototypes: Vec<f32>,
    labels: Vec<u32>,
}

impl Inputs {
    /// Of embeddings.npy, labels.npy and prototypes.npy in a folder.
    fn read(folder: &Path) -> Result<Self, String> {
        let embeddings: Vec<f32> = words(&folder.join("embeddings.npy"))?.into_iter().map(f32::from_bits).collect();
        let prototypes: Vec<f32> = words(&folder.join("prototypes.npy"))?.into_iter().map(f32::from_bits).collect();
        let labels = words(&folder.join("labels.npy"))?;
        let n = labels.len();
        let d = embeddings.len() / n.max(1);
        if n * d == 0 || embeddings.len() != n * d || prototypes.len() % d != 0 {
            return Err(format!("the files in {} do not fit together", folder.display()));
        }
        Ok(Self { n, d, classes: prototypes.len() / d, embeddings, prototypes, labels })
    }
}

/// The 32-bit numbers of an .npy file of format 1.0 in C order, whatever their type and shape.
fn words(path: &Path) -> Result<Vec<u32>, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let header = match bytes[..] {
        [b'\x93', b'N', b'U', b'M', b'P', b'Y', 1, _, low, high, ..] => usize::from(u16::from_le_bytes([low, high])),
        _ => return Err(format!("{}: not an .npy file of format 1.0", path.display())),
    };
    let data = bytes.get(10 + header..).unwrap_or_default();
    Ok(data.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect())
}

/// The inputs as tensors; the embeddings require their gradient.
struct OnDevice {
    x: Tensor<2>,
    prototypes: Tensor<2>,
    labels: Tensor<1, Int>,
}

impl OnDevice {
    fn new(inputs: &Inputs, device: &Device) -> Self {
        let matrix =
            |values: &[f32], rows| Tensor::<2>::from_data(TensorData::new(values.to_vec(), [rows, inputs.d]), device);
        let labels: Vec<i32> = inputs.labels.iter().map(|&label| label as i32).collect();
        Self {
            x: matrix(&inputs.embeddings, inputs.n).require_grad(),
            prototypes: matrix(&inputs.prototypes, inputs.classes),
            labels: Tensor::from_data(TensorData::new(labels, [inputs.n]), device),
        }
    }

    /// Forward and backward; (loss, gradient of the embeddings), both still on the device.
    fn step(&self, name: &str) -> (Tensor<1>, Tensor<2>) {
        let loss = losses::evaluate(name, self.x.clone(), &self.prototypes, self.labels.clone());
        let mut gradients = loss.backward();
        let gradient = self.x.grad_remove(&mut gradients).expect("the embeddings have a gradient");
        (loss, gradient)
    }

    /// Milliseconds of one step, until the device is done.
    fn milliseconds(&self, name: &str, device: &Device) -> f64 {
        let start = Instant::now();
        let _results = self.step(name);
        device.sync().expect("the device goes on");
        start.elapsed().as_secs_f64() * 1e3
    }

    /// Until five steps are no faster than the five before them: shaders are compiled, autotune and fusion search.
    fn warm_up(&self, name: &str, device: &Device, seconds: f64) {
        let start = Instant::now();
        let mut times = vec![];
        loop {
            times.push(self.milliseconds(name, device));
            let (steps, spent) = (times.len(), start.elapsed().as_secs_f64());
            let stable = steps >= 10 && median(&times[steps - 5..]) >= 0.95 * median(&times[steps - 10..steps - 5]);
            if (stable && spent >= 1.0) || (steps >= 3 && spent >= seconds.max(LONGEST_WARM_UP_SECONDS)) {
                return;
            }
        }
    }
}

fn to_vec<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec::<f32>().expect("f32 data")
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
}

/// Returns the object to print.
fn bench(name: &str, inputs: &Inputs, seconds: f64, device: &Device, head: &str) -> Result<String, String> {
    let (n, d) = (inputs.n, inputs.d);
    if name == "triplet_all" && n > LARGEST_CUBE {
        return Err(format!("its N x N x N tensors are only made up to N = {LARGEST_CUBE}"));
    }
    let data = OnDevice::new(inputs, device);
    let once = || {
        data.milliseconds(name, device);
    };
    let resident = memory::resident_growth(once);
    data.warm_up(name, device, seconds);
    let memory = memory::pool_growth(device, once).or(resident);
    let start = Instant::now();
    let mut times = vec![];
    while times.len() < FEWEST_RUNS || (start.elapsed().as_secs_f64() < seconds && times.len() < MOST_RUNS) {
        times.push(data.milliseconds(name, device));
    }
    let value = to_vec(data.step(name).0)[0];
    let least = times.iter().cloned().fold(f64::INFINITY, f64::min);
    let memory = memory.map_or("null".into(), |bytes| bytes.to_string());
    Ok(format!(
        r#"{{{head},"loss":"{name}","n":{n},"d":{d},"ms_median":{:.4},"ms_min":{least:.4},"runs":{},"memory_bytes":{memory},"value":{value}}}"#,
        median(&times),
        times.len(),
    ))
}

/// Value and gradient against plain f64 loops; the gradient in directions, against differences.
/// Several steps, as autotune and fusion may run other kernels on later ones; the worst is reported.
fn check(name: &str, inputs: &Inputs, device: &Device, head: &str) -> Result<String, String> {
    const DIRECTIONS: usize = 5;
    const STEPS: usize = 5;
    // So small that hardly a hinge turns within it: the number of terms would jump.
    const SPACING: f64 = 1e-8;
    let (n, d) = (inputs.n, inputs.d);
    let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
    let (x, prototypes) = (wide(&inputs.embeddings), wide(&inputs.prototypes));
    let evaluate = |x: &[f64]| reference::loss(name, x, &prototypes, &inputs.labels, d);
    let expected = evaluate(&x);
    let directions: Vec<(Vec<f64>, f64)> = (1..=DIRECTIONS)
        .map(|k| {
            let direction: Vec<f64> = (0..n * d).map(|i| ((i * k) as f64).sin()).collect();
            let at = |h: f64| evaluate(&x.iter().zip(&direction).map(|(a, b)| a + h * b).collect::<Vec<_>>());
            let slope = (at(SPACING) - at(-SPACING)) / (2.0 * SPACING);
            (direction, slope)
        })
        .collect();
    let data = OnDevice::new(inputs, device);
    let (mut value_error, mut gradient_error) = (0.0_f64, 0.0_f64);
    for _ in 0..STEPS {
        let (loss, gradient) = data.step(name);
        let gradient = to_vec(gradient);
        value_error = worse(value_error, (f64::from(to_vec(loss)[0]) - expected).abs() / expected.abs().max(1e-12));
        for (direction, slope) in &directions {
            let terms: Vec<f64> = gradient.iter().zip(direction).map(|(&g, b)| f64::from(g) * b).collect();
            let scale = terms.iter().map(|term| term * term).sum::<f64>().sqrt();
            gradient_error = worse(gradient_error, (slope - terms.iter().sum::<f64>()).abs() / scale.max(1e-12));
        }
    }
    let text = format!(
        r#"{{{head},"check":"{name}","n":{n},"d":{d},"f64":{expected},"value_error":{value_error:.2e},"gradient_error":{gradient_error:.2e}}}"#
    );
    if value_error < 1e-5 && gradient_error < 1e-4 { Ok(text) } else { Err(text) }
}

/// The larger of two errors; a NaN stays (f64::max would drop it).
fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

struct Arguments {
    losses: Vec<String>,
    inputs: PathBuf,
    seconds: f64,
    backend: String,
    check: bool,
}

impl Arguments {
    fn parse() -> Result<Self, String> {
        let (mut loss, mut inputs, mut seconds) = ("all".to_string(), None::<PathBuf>, 2.0_f64);
        let (mut backend, mut check) = ("wgpu".to_string(), false);
        let mut rest = std::env::args().skip(1);
        while let Some(flag) = rest.next() {
            let mut value = || rest.next().ok_or(format!("{flag} needs a value"));
            match flag.as_str() {
                "--loss" => loss = value()?,
                "--inputs" => inputs = Some(value()?.into()),
                "--seconds" => seconds = value()?.parse().map_err(|error| format!("{flag}: {error}"))?,
                "--backend" => backend = value()?,
                "--check" => check = true,
                _ => return Err(format!("unknown argument {flag}")),
            }
        }
        let losses = match loss.as_str() {
            "all" => losses::NAMES.map(String::from).to_vec(),
            one if losses::NAMES.contains(&one) => vec![loss],
            _ => return Err(format!("unknown loss {loss}; one of all, {}", losses::NAMES.join(", "))),
        };
        Ok(Self { losses, inputs: inputs.ok_or("--inputs is missing")?, seconds, backend, check })
    }
}

/// The device, and what it runs on.
fn open(backend: &str) -> Result<(Device, String), String> {
    match backend {
        "wgpu" => {
            let (device, setup) = Device::wgpu_options().init_with_setup().map_err(|error| format!("{error:?}"))?;
            let info = setup.adapter.get_info();
            Ok((device, format!("{}, {}, {} {}", info.name, info.backend, info.driver, info.driver_info)))
        }
        "flex" => {
            let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get());
            Ok((Device::flex(), format!("CPU, {threads} threads")))
        }
        other => Err(format!("unknown backend {other}: wgpu or flex")),
    }
}

fn run() -> Result<(), String> {
    let arguments = Arguments::parse()?;
    let inputs = Inputs::read(&arguments.inputs)?;
    let (device, on) = open(&arguments.backend)?;
    let device = device.autodiff();
    let head = format!(r#""impl":"burn-{}","on":"{}, burn 0.22.1""#, arguments.backend, on.replace(['"', '\\'], "'"));
    for name in &arguments.losses {
        let line = match arguments.check {
            true => check(name, &inputs, &device, &head),
            false => bench(name, &inputs, arguments.seconds, &device, &head),
        };
        println!("{}", line?);
    }
    Ok(())
}

fn main() {
    if let Err(error) = run() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
