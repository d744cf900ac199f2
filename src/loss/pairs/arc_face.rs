//! The additive angular margin loss.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::loss::parameters::{check_angle, check_cosines, check_count, check_normal};
use crate::loss::{Description, Distance, Learned, Mode, Reduction};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// The additive angular margin loss: the own class has to be ahead by a margin of the angle.
///
/// With the angle theta(i, c) of sample i and the prototype of class c, t(i, c) its cosine but for
/// the own class y, t(i, y) = cos(theta(i, y) + `margin`), the loss of sample i is
///
/// log( sum over c of exp(`scale` t(i, c)) ) - `scale` t(i, y)
///
/// Beyond theta = pi - `margin`, where cos(theta + `margin`) would rise again, t(i, y) is
/// cos(theta) - `margin` sin(`margin`): it steps down there, and goes on falling.
///
/// The gradient is finite at every angle. Where a row points along its prototype, the derivative by
/// the cosine is infinite and the gradient is not: its direction is lost there, and it is 0. Sines
/// come from differences of coordinates, not from 1 - cos^2: they have their digits for rows that
/// are nearly their prototype.
///
/// Terms are samples. Labels index the classes: a label >= C is an error. With one class the loss is
/// 0. The softmax is taken of differences from the nearest other class: nothing overflows at any
/// `scale`.
///
/// With several centres a class, the prototypes c K to c K + K - 1 for K of them, the nearest one
/// stands for the class and has the gradient; of equals it is the first. Positive pairs are then
/// those of a sample with all centres of its class.
///
/// The scale is a number of the loss's description or, to be trained, an input
/// ([`Batch::with_scale`](crate::Batch::with_scale)); its derivative is
/// [`Evaluation::gradient_scale`](crate::Evaluation::gradient_scale), by the plain number: who
/// trains its logarithm multiplies by the scale.
///
/// Sources: Deng, Guo, Xue and Zafeiriou, "ArcFace: Additive Angular Margin Loss for Deep Face
/// Recognition", CVPR 2019; several centres: Deng, Guo, Liu, Gong and Zafeiriou, "Sub-center
/// ArcFace: Boosting Face Recognition by Large-Scale Noisy Web Faces", ECCV 2020.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArcFace {
    /// The distance d to the prototypes: `Cosine`, and no other.
    pub distance: Distance,
    /// Whether every row and every prototype is divided by its norm first, which `Cosine` does
    /// anyway. Default false.
    pub normalize: bool,
    /// How the samples become one number. Default `Mean`.
    pub reduction: Reduction,
    /// The angle that the own class must be ahead by, in radians; 0 to pi / 2. Default 0.5.
    pub margin: f32,
    /// How steep the loss is, where the batch brings no scale along; any finite number greater
    /// than 0, and not subnormal. Default 64.
    pub scale: f32,
    /// Prototypes of a class, one behind the other, of which the nearest stands for it; at least 1,
    /// and a divisor of the number of prototypes. Default 1.
    pub centers_per_class: u32,
}

impl Default for ArcFace {
    fn default() -> Self {
        Self {
            distance: Distance::Cosine,
            normalize: false,
            reduction: Reduction::Mean,
            margin: 0.5,
            scale: 64.0,
            centers_per_class: 1,
        }
    }
}

/// What the kernels and the definition know of the margin m.
pub(crate) struct Angle {
    pub sine: f64,
    pub cosine: f64,
    /// 1 - cos(m), with all its digits.
    pub versine: f64,
    /// 1 + cos(m): the distance beyond which the angle and the margin are more than pi.
    pub seam: f64,
    /// m sin(m): what the distance is more there.
    pub lift: f64,
}

impl ArcFace {
    pub(crate) fn angle(&self) -> Angle {
        let margin = f64::from(self.margin);
        let (sine, cosine) = margin.sin_cos();
        let half = (0.5 * margin).sin();
        Angle { sine, cosine, versine: 2.0 * half * half, seam: 1.0 + cosine, lift: margin * sine }
    }
}

impl Description for ArcFace {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Prototypes]
    }

    fn check(&self) -> Result<()> {
        check_angle(Self::NAME, "margin", self.margin)?;
        check_normal(Self::NAME, "scale", self.scale)?;
        check_count(Self::NAME, "centers_per_class", self.centers_per_class)?;
        check_cosines(Self::NAME, self.distance)
    }

    fn centers_per_class(&self) -> u32 {
        self.centers_per_class
    }

    fn learned(&self) -> Vec<Learned> {
        vec![Learned::scale(self.scale)]
    }

    fn gradient_factor(&self) -> f32 {
        self.scale
    }

    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel {
        let Angle { sine, cosine, versine, seam, lift } = self.angle();
        let bits = |number: f64| (number as f32).to_bits();
        let mut kernel = TermsKernel::over_classes(
            shader!("terms/arc_face.wgsl"),
            self.scale,
            self.centers_per_class,
        );
        kernel.parameters.extend([
            ("sine", bits(sine)),
            ("cosine", bits(cosine)),
            ("versine", bits(versine)),
            ("seam", bits(seam)),
            ("lift", bits(lift)),
        ]);
        kernel
    }
}
