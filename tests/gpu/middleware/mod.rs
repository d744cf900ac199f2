//! The library as a guest on a device of the caller's: its buffers, encoders, passes, submissions
//! and errors.

mod adapters;
mod buffers;
mod caller;
mod contents;
mod contexts;
mod cost;
mod fields;
mod frames;
mod guest;
mod limits;
mod outputs;
mod pipelines;
mod recording;
mod rows;
mod spans;
mod stages;
mod validity;
mod waiting;
