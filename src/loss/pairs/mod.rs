//! The losses over pairs of rows, one file each.

mod arc_face;
mod circle;
mod contrastive;
mod cos_face;
mod fast_ap;
mod generalized_lifted_structured;
mod lifted_structured;
mod margin;
mod multi_margin;
mod multi_similarity;
mod nca;
mod normalized_softmax;
mod nt_xent;
mod sig_lip;
mod smooth_ap;
mod sup_con;
mod triplet;

pub use arc_face::ArcFace;
pub use circle::Circle;
pub use contrastive::Contrastive;
pub use cos_face::CosFace;
pub use fast_ap::FastAp;
pub use generalized_lifted_structured::GeneralizedLiftedStructured;
pub use lifted_structured::{Form, LiftedStructured};
pub use margin::Margin;
pub use multi_margin::MultiMargin;
pub use multi_similarity::MultiSimilarity;
pub use nca::Nca;
pub use normalized_softmax::NormalizedSoftmax;
pub use nt_xent::NtXent;
pub use sig_lip::SigLip;
pub use smooth_ap::SmoothAp;
pub use sup_con::SupCon;
pub use triplet::Triplet;
