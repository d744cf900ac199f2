//! The losses over pairs of rows, one file each.

mod contrastive;
mod lifted_structured;
mod margin;
mod multi_margin;
mod nt_xent;
mod sup_con;
mod triplet;

pub use contrastive::Contrastive;
pub use lifted_structured::{Form, LiftedStructured};
pub use margin::Margin;
pub use multi_margin::MultiMargin;
pub use nt_xent::NtXent;
pub use sup_con::SupCon;
pub use triplet::Triplet;
