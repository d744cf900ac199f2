//! Errors of wgpu as values: the device-wide handlers belong to the application.

#[cfg(not(target_arch = "wasm32"))]
mod at_once;
#[cfg(target_arch = "wasm32")]
mod later;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use at_once::Reports;
#[cfg(target_arch = "wasm32")]
pub(crate) use later::Reports;

use crate::error::{Error, Result};
use crate::gpu::device::context::Context;

/// Runs `work` within error scopes of its own and returns the first error that wgpu reported
/// meanwhile. In a browser, which answers when the call is over, the result that is read back next
/// is that error.
pub(crate) fn scoped<T>(
    context: &Context,
    during: &'static str,
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let device = context.device();
    let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let result = work();
    // Scopes end in the opposite order of their beginning. What has found no memory is refused
    // wherever it is used: that is told first.
    let [validation, internal, memory] = [validation, internal, memory].map(|scope| scope.pop());
    context.reports().hear(during, [memory, internal, validation])?;
    result
}

fn typed(during: &'static str, error: &wgpu::Error) -> Error {
    match error {
        wgpu::Error::OutOfMemory { source } => {
            Error::OutOfMemory { during, message: source.to_string() }
        }
        error => Error::Gpu { during, message: error.to_string() },
    }
}
