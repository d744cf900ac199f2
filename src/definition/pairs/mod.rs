//! The losses over pairs of rows by their definitions, one file each.

mod arc_face;
mod circle;
mod clip;
pub(crate) mod co_sent;
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
mod proxy_anchor;
mod sig_lip;
mod smooth_ap;
mod soft_triple;
mod sup_con;
mod triplet;
