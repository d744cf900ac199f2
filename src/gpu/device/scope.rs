//! Errors of wgpu as values: the device-wide handlers belong to the application.

use crate::error::{Error, Result};

/// Runs `work` within error scopes of its own and returns the first error that wgpu reported
/// meanwhile.
pub(crate) fn scoped<T>(
    device: &wgpu::Device,
    during: &'static str,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let result = work();
    // Scopes end in the opposite order of their beginning; each answers at once on native backends.
    let reported = [validation, internal, memory].map(|scope| pollster::block_on(scope.pop()));
    match reported.into_iter().flatten().next() {
        Some(wgpu::Error::OutOfMemory { source }) => {
            Err(Error::OutOfMemory { during, message: source.to_string() })
        }
        Some(error) => Err(Error::Gpu { during, message: error.to_string() }),
        None => result,
    }
}
