//! The losses over pairs of rows by their definitions, one file each.

mod contrastive;
mod lifted_structured;
mod margin;
mod multi_margin;
mod nt_xent;
mod sup_con;
mod triplet;
