//! Every kernel there is: its file, its constants and its bindings. Nothing in here needs a device.

pub(crate) mod catalogue;
pub(crate) mod interface;
pub(crate) mod matrix;
pub(crate) mod stage;
pub(crate) mod verification;

use crate::gpu::kernel::interface::Interface;
use crate::wgsl::include::Shader;

/// One pipeline: a file, an entry point and the values of its `override` constants.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kernel {
    pub interface: Interface,
    pub shader: Shader,
    pub entry: &'static str,
    pub constants: Vec<(&'static str, f64)>,
}

impl Kernel {
    /// Its file below `shaders/`, and its entry point where that is not `main`.
    pub(crate) fn name(&self) -> String {
        let file = self.shader.path.trim_end_matches(".wgsl");
        match self.entry {
            "main" => file.into(),
            entry => format!("{file} {entry}"),
        }
    }
}
