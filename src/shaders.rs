//! Every kernel in every variant, as it reaches the driver: for whoever wants to read it, to
//! translate it or to run it elsewhere. Needs no device.
//!
//! ```
//! let sources = wgpu_metric_learning::shaders::all();
//! let hard = sources.iter().find(|source| source.name.contains("Hard")).expect("a mining");
//! assert!(hard.wgsl.contains("@compute @workgroup_size"));
//! ```

use crate::data::arithmetic::Arithmetic;
use crate::gpu::kernel::{Kernel, catalogue};
use crate::loss::{Difficulty, Distance, Reduction, Truth};
use crate::wgsl::include::{compose, with_constants};
use crate::wgsl::tier::Tier;

/// One variant of a kernel.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ShaderSource {
    /// What it computes and how it differs from the kernel's other variants, with `/` between
    /// folders: `terms/contrastive-power=2-split_mean=0-workgroup=64-distance=Euclidean`. No
    /// two have the same.
    pub name: String,
    /// The entry point.
    pub entry: &'static str,
    /// Standard WGSL: the kernel's file with all that it includes, and with the `constants` as the
    /// values of its `override` declarations. With subgroups its first line is the
    /// `enable subgroups;` that the standard asks for; naga 30 refuses it, and takes the rest. That
    /// of cooperative matrices is no standard, but wgpu's own.
    pub wgsl: String,
    /// The names and values of the `override` constants that make the variant.
    pub constants: Vec<(&'static str, f64)>,
    /// The bindings of group 0. The kernel may leave some of them out.
    pub bindings: Vec<wgpu::BindGroupLayoutEntry>,
    /// The tier that runs it.
    pub tier: Tier,
    /// What a device needs to run it.
    pub features: wgpu::Features,
}

/// Every kernel that any plan can have, in every variant and tier, sorted by name. Of a tier above
/// the baseline those that are not the baseline's.
pub fn all() -> Vec<ShaderSource> {
    let kernels = catalogue::all();
    let of_tier = |tier| {
        kernels
            .iter()
            .filter(move |kernel| is_own(kernel, tier))
            .map(move |kernel| ShaderSource::new(kernel, tier))
    };
    let mut all: Vec<_> = Tier::ALL.into_iter().flat_map(of_tier).collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

/// Whether the tier has a kernel of its own.
fn is_own(kernel: &Kernel, tier: Tier) -> bool {
    tier == Tier::Baseline || compose(kernel.shader, tier) != compose(kernel.shader, Tier::Baseline)
}

/// The line that a kernel of this tier has to begin with in standard WGSL.
fn enabled(tier: Tier) -> &'static str {
    match tier {
        Tier::Baseline => "",
        Tier::Subgroups => "enable subgroups;\n",
    }
}

/// What a kernel of cooperative matrices enables.
const COOPERATIVE: &str = "enable wgpu_cooperative_matrix;\n";

/// What a device of the tier needs to run a kernel with this text.
fn features(wgsl: &str, tier: Tier) -> wgpu::Features {
    let own = match wgsl.contains(COOPERATIVE) {
        true => Arithmetic::Cooperative8.features(),
        false => wgpu::Features::empty(),
    };
    own | tier.features()
}

impl ShaderSource {
    fn new(kernel: &Kernel, tier: Tier) -> Self {
        let wgsl = with_constants(&compose(kernel.shader, tier), &kernel.constants);
        Self {
            name: name(kernel, tier),
            entry: kernel.entry,
            features: features(&wgsl, tier),
            wgsl: format!("{}{wgsl}", enabled(tier)),
            constants: kernel.constants.clone(),
            bindings: kernel.interface.layout_entries(),
            tier,
        }
    }
}

/// The file, what stands in the place of `main`, and the constants; below a folder of the tier's
/// where that is not the baseline.
fn name(kernel: &Kernel, tier: Tier) -> String {
    let mut name = if tier == Tier::Baseline { String::new() } else { format!("{tier}/") };
    name += kernel.shader.path.trim_end_matches(".wgsl");
    if kernel.entry != catalogue::MAIN {
        name += &format!("-{}", kernel.entry);
    }
    for &(constant, value) in &kernel.constants {
        name += &format!("-{}={}", constant.to_lowercase(), value_name(constant, value));
    }
    name
}

/// What the value of a constant stands for; the number itself where it is one.
fn value_name(constant: &str, value: f64) -> String {
    fn of<T: Copy + std::fmt::Debug>(
        all: &[T],
        number: impl Fn(T) -> u32,
        value: f64,
    ) -> Option<String> {
        all.iter().find(|&&one| f64::from(number(one)) == value).map(|one| format!("{one:?}"))
    }
    let name = match constant {
        "DISTANCE" => {
            of(&Distance::ALL, |distance| distance as u32, value).or_else(|| Some("Scores".into()))
        }
        "REDUCTION" => of(&Reduction::ALL, Reduction::number, value),
        "TRUTH" => of(&Truth::ALL, |truth| truth as u32, value),
        "POSITIVE_DIFFICULTY" | "NEGATIVE_DIFFICULTY" => {
            of(&Difficulty::ALL, |difficulty| difficulty as u32, value)
        }
        _ => None,
    };
    name.unwrap_or_else(|| value.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_tell_the_variants_apart() {
        let all = all();
        let names: HashSet<_> = all.iter().map(|source| &source.name).collect();
        assert_eq!(names.len(), all.len());
        assert!(
            names.iter().any(|name| *name
                == "terms/contrastive-power=2-split_mean=0-workgroup=64-distance=Euclidean"),
            "{names:?}"
        );
    }

    #[test]
    fn what_is_enabled_comes_first_and_only_where_it_is_used() {
        for source in all() {
            let enables = source.wgsl.lines().take_while(|line| line.starts_with("enable "));
            let of_tier: &[_] = match source.tier {
                Tier::Baseline => &[],
                Tier::Subgroups => &["enable subgroups;"],
            };
            let of_matrices: &[_] = match source.name.contains("cooperative") {
                true => &["enable f16;", "enable wgpu_cooperative_matrix;"],
                false => &[],
            };
            let expected = [of_tier, of_matrices].concat();
            assert_eq!(enables.collect::<Vec<_>>(), expected, "{}", source.name);
            let is_baseline = source.features.is_empty();
            assert_eq!(is_baseline, expected.is_empty(), "{}", source.name);
            let later = source.wgsl.matches("\nenable ").count();
            assert_eq!(later, expected.len().saturating_sub(1), "{}", source.name);
        }
    }

    #[test]
    fn every_constant_is_in_its_text() {
        for source in all() {
            for (name, value) in &source.constants {
                let declaration = format!("override {name}: u32 = {value}u;");
                assert_eq!(
                    source.wgsl.matches(&declaration).count(),
                    1,
                    "{declaration} in {}",
                    source.name
                );
            }
        }
    }
}
