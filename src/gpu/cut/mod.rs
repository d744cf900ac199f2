//! How large and how many: the arithmetic of tiles, stripes, slices, rows and loops. Pure: nothing in
//! here needs a device.

pub(crate) mod dispatch_size;
pub(crate) mod loops;
pub(crate) mod row_width;
pub(crate) mod slices;
pub(crate) mod stripes;
pub(crate) mod tiles;
pub(crate) mod values;
