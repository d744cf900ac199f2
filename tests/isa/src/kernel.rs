//! A kernel of the folder's index, and what a compiler says of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Problem;
use crate::loops;
use crate::vulkan::{Binding, Compiled};

/// What the index says of a kernel.
#[derive(Deserialize)]
pub(crate) struct Kernel {
    pub path: String,
    pub entry_point: String,
    pub constants: BTreeMap<String, u64>,
    bindings: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    binding: u32,
    #[serde(rename = "type")]
    kind: String,
}

impl Kernel {
    pub(crate) fn bindings(&self) -> Vec<Binding> {
        let binding = |listed: &Listed| Binding {
            number: listed.binding,
            is_uniform: listed.kind == "uniform",
        };
        self.bindings.iter().map(binding).collect()
    }

    /// The file without its ending.
    pub(crate) fn name(&self) -> &str {
        let name = self.path.trim_end_matches(".spv");
        name.split('-').next().unwrap_or(name)
    }

    /// The kernel without its variant but for the tile, which decides most.
    pub(crate) fn family(&self) -> String {
        let expanded = if self.is_set("EXPANDED") { " expanded" } else { "" };
        match self.tile() {
            Some([rows, columns]) => {
                format!("{}{expanded}, tile {rows} x {columns}", self.name())
            }
            None => self.name().to_string(),
        }
    }

    /// Rows and columns of a tile, or rows and dimensions.
    pub(crate) fn tile(&self) -> Option<[u64; 2]> {
        let constant = |name| self.constants.get(name).copied();
        match constant("TILE") {
            Some(side) => Some([side, side]),
            None => Some([constant("TILE_ROWS")?, constant("TILE_DIMENSIONS")?]),
        }
    }

    pub(crate) fn is_set(&self, constant: &str) -> bool {
        self.constants.get(constant) == Some(&1)
    }

    /// Whether distances are taken from squared norms and inner products.
    pub(crate) fn is_expanded(&self) -> bool {
        self.is_set("EXPANDED") || self.path.contains("expanded")
    }

    /// Whether it is a tile that only software adapters take, where nobody asks for it.
    pub(crate) fn is_for_software(&self) -> bool {
        self.is_gradient() && self.tile() == Some([128, 128])
    }

    pub(crate) fn is_gradient(&self) -> bool {
        self.path.contains("gradient/")
    }

    /// The distance that the variant is for.
    pub(crate) fn distance(&self) -> &str {
        let name = self.path.trim_end_matches(".spv");
        name.split('-').find_map(|part| part.strip_prefix("distance=")).unwrap_or("any")
    }

    /// How many pairs times dimensions a round of the inner loop takes, in the kernels where that
    /// loop is nearly all of the work.
    pub(crate) fn products_per_round(&self) -> Option<u64> {
        let [rows, columns] = self.tile()?;
        // Dimensions of a step, or summands.
        let depth = match (self.name(), columns) {
            ("distance/pairwise", 128) => 8,
            ("distance/pairwise", _) => 16,
            (name, _) if is_gradient_in_tiles(name) => 16,
            _ => return None,
        };
        // A workgroup has 256 invocations.
        Some(rows * columns * depth / 256)
    }
}

fn is_gradient_in_tiles(name: &str) -> bool {
    let kernels = ["pairwise", "finished", "expanded", "finished_expanded"];
    name.strip_prefix("gradient/").is_some_and(|kernel| kernels.contains(&kernel))
}

/// The kernels of the folder's index, in its order, that GPUs of these families can run: they have no
/// cooperative matrices.
pub(crate) fn listed(folder: &Path) -> Result<Vec<Kernel>, Problem> {
    let index = folder.join("index.json");
    let text = fs::read_to_string(&index).map_err(|error| Problem::File(index.clone(), error))?;
    let mut kernels: Vec<Kernel> =
        serde_json::from_str(&text).map_err(|error| Problem::Json(index, error))?;
    kernels.retain(|kernel| !kernel.path.contains("cooperative"));
    Ok(kernels)
}

/// What became of a kernel.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Crash,
    Code(Code),
}

/// What the compiler says of a kernel's code.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Code {
    pub registers: u64,
    pub spilled: u64,
    pub waves: u64,
    pub workgroup_bytes: u64,
    pub code_bytes: u64,
    /// Vector operations of a round of the inner loop.
    pub round: Option<u64>,
}

impl Outcome {
    /// What a compiled kernel is like, or the name of what the compiler does not tell.
    pub(crate) fn of(kernel: &Kernel, compiled: &Compiled) -> Result<Self, &'static str> {
        let number = |name: &'static str| {
            let found = compiled.statistics.iter().find(|(told, _)| told == name);
            found.map(|&(_, value)| value).ok_or(name)
        };
        let round = match kernel.products_per_round() {
            Some(_) => Some(loops::vector_operations(&compiled.assembly).ok_or("an inner loop")?),
            None => None,
        };
        Ok(Self::Code(Code {
            registers: number("VGPRs")?,
            spilled: number("Spilled VGPRs")? + number("Spilled SGPRs")?,
            waves: number("Subgroups per SIMD")?,
            workgroup_bytes: number("LDS size")?,
            code_bytes: number("Code size")?,
            round,
        }))
    }

    pub(crate) fn code(&self) -> Option<Code> {
        match *self {
            Self::Crash => None,
            Self::Code(code) => Some(code),
        }
    }
}
