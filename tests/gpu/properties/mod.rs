//! What must hold whatever the inputs are: symmetries of the losses, and ways to the same result,
//! on every adapter. Failing cases shrink, and are printed.

mod case;
mod run;
mod scales;
mod sums;
mod symmetries;
