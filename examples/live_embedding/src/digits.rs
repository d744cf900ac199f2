//! The bundled digits, as the projection takes them.

use canvas::{Error, Random, Result};
use npyz::NpyFile;

const IMAGES: &[u8] = include_bytes!("../../../cli/data/digits.npy");
const LABELS: &[u8] = include_bytes!("../../../cli/data/digits-labels.npy");
const PIXELS: usize = 64;
/// How many digits there are.
pub const DIGITS: usize = 1797;
/// How many classes.
pub const CLASSES: usize = 10;
/// Numbers that an image becomes.
pub(crate) const FEATURES: usize = 512;
/// The distance of images at which their features are hardly alike any more: about that of two
/// images of one class.
const LIKENESS: f32 = 2.5;

/// Digits with their classes.
pub(crate) struct Digits {
    /// N x [`FEATURES`], row by row.
    pub features: Vec<f32>,
    /// A class for each.
    pub labels: Vec<u32>,
}

impl Digits {
    /// The first so many, as random Fourier features: sqrt(2) cos(w . image + b) with w drawn from
    /// a normal and b from an even distribution. A linear projection of them is a smooth
    /// function of the image, not only a linear one.
    ///
    /// Source: Rahimi and Recht, "Random Features for Large-Scale Kernel Machines", NeurIPS 2007.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] where the bundled files are damaged.
    pub(crate) fn load(count: usize, random: &mut Random) -> Result<Self> {
        let damaged = |error| Error::Data(format!("the bundled digits: {error}"));
        let images: Vec<f32> = NpyFile::new(IMAGES).and_then(NpyFile::into_vec).map_err(damaged)?;
        let mut labels: Vec<u32> =
            NpyFile::new(LABELS).and_then(NpyFile::into_vec).map_err(damaged)?;
        labels.truncate(count);
        let waves: Vec<f32> = (0..FEATURES * PIXELS).map(|_| random.normal() / LIKENESS).collect();
        let phases: Vec<f32> =
            (0..FEATURES).map(|_| std::f32::consts::TAU * random.even()).collect();
        let feature = |image: &[f32], wave: &[f32], phase: f32| {
            let product: f32 = image.iter().zip(wave).map(|(pixel, w)| pixel * w).sum();
            std::f32::consts::SQRT_2 * (product + phase).cos()
        };
        let row = |image| {
            waves
                .chunks_exact(PIXELS)
                .zip(&phases)
                .map(move |(wave, &phase)| feature(image, wave, phase))
        };
        let features = images.chunks_exact(PIXELS).take(count).flat_map(row).collect();
        Ok(Self { features, labels })
    }
}
