//! The WGSL files as text, and how they include one another.

use std::collections::HashSet;

use crate::wgsl::tier::Tier;

/// A WGSL file below `shaders/`, without what it includes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shader {
    /// Its path below `shaders/`.
    pub path: &'static str,
    text: &'static str,
}

impl Shader {
    pub(crate) const fn new(path: &'static str, text: &'static str) -> Self {
        Self { path, text }
    }
}

/// The shader file at this path below `shaders/`.
macro_rules! shader {
    ($path:literal) => {
        $crate::wgsl::include::Shader::new(
            $path,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $path)),
        )
    };
}
pub(crate) use shader;

/// What the kernels share. Each is included once, where it is first asked for.
const SHARED: &[Shader] = &[
    shader!("shared/choice.wgsl"),
    shader!("shared/chosen.wgsl"),
    shader!("shared/coefficient_quads.wgsl"),
    shader!("shared/coefficients.wgsl"),
    shader!("shared/digits.wgsl"),
    shader!("shared/distance.wgsl"),
    shader!("shared/elements.wgsl"),
    shader!("shared/exponential.wgsl"),
    shader!("shared/extremes.wgsl"),
    shader!("shared/finish.wgsl"),
    shader!("shared/finished.wgsl"),
    shader!("shared/group.wgsl"),
    shader!("shared/logits.wgsl"),
    shader!("shared/margin.wgsl"),
    shader!("shared/numbers.wgsl"),
    shader!("shared/optimizer.wgsl"),
    shader!("shared/order.wgsl"),
    shader!("shared/pairs.wgsl"),
    shader!("shared/places.wgsl"),
    shader!("shared/ranked.wgsl"),
    shader!("shared/ranks.wgsl"),
    shader!("shared/random.wgsl"),
    shader!("shared/reduce.wgsl"),
    shader!("shared/reduce_extremes.wgsl"),
    shader!("shared/row.wgsl"),
    shader!("shared/row_sum.wgsl"),
    shader!("shared/sizes.wgsl"),
    shader!("shared/softmax.wgsl"),
    shader!("shared/sorted.wgsl"),
    shader!("shared/sorting.wgsl"),
    shader!("shared/start.wgsl"),
    shader!("shared/state.wgsl"),
    shader!("shared/stripe.wgsl"),
    shader!("shared/summary.wgsl"),
    shader!("shared/summation.wgsl"),
    shader!("shared/triplet.wgsl"),
    shader!("shared/values.wgsl"),
    shader!("shared/wide.wgsl"),
    shader!("subgroups/group.wgsl"),
    shader!("subgroups/reduce.wgsl"),
    shader!("subgroups/reduce_extremes.wgsl"),
    shader!("subgroups/row_sum.wgsl"),
];

const INCLUDE: &str = "// #include \"";
const OVERRIDE: &str = "override ";

/// The whole WGSL of a kernel: its text with every `// #include "shared/..."` line replaced by that
/// file, or by what stands in for it on the tier.
pub(crate) fn compose(shader: Shader, tier: Tier) -> String {
    let mut whole = String::new();
    append(shader, tier, &mut HashSet::new(), &mut whole);
    #[cfg(test)]
    plant(shader, &mut whole);
    whole
}

/// The WGSL with these values in its `override` declarations.
pub(crate) fn with_constants(wgsl: &str, constants: &[(&'static str, f64)]) -> String {
    let mut whole = String::new();
    for line in wgsl.lines() {
        let declared = line.strip_prefix(OVERRIDE).and_then(|rest| rest.split_once(": u32 = "));
        let given = declared.and_then(|(name, rest)| {
            let (_, value) = constants.iter().find(|(constant, _)| *constant == name)?;
            let (_, rest) = rest.split_once(';')?;
            Some(format!("{OVERRIDE}{name}: u32 = {value}u;{rest}"))
        });
        whole.push_str(given.as_deref().unwrap_or(line));
        whole.push('\n');
    }
    whole
}

fn append(shader: Shader, tier: Tier, seen: &mut HashSet<&'static str>, whole: &mut String) {
    for line in shader.text.lines() {
        match line.strip_prefix(INCLUDE).and_then(|rest| rest.strip_suffix('"')) {
            Some(path) => {
                let included = SHARED.iter().find(|shared| shared.path == tier.stand_in(path));
                let included = included.unwrap_or_else(|| {
                    panic!("{} includes {path}, which is not shared", shader.path)
                });
                if seen.insert(included.path) {
                    append(*included, tier, seen, whole);
                }
            }
            None => {
                whole.push_str(line);
                whole.push('\n');
            }
        }
    }
}

#[cfg(test)]
std::thread_local! {
    /// A fault that a test has planted: path, text and what stands in its place.
    static FAULT: std::cell::Cell<Option<[&'static str; 3]>> = const { std::cell::Cell::new(None) };
}

/// Runs `work` with `text` replaced by `fault` in the shader at `path`, on this thread.
#[cfg(test)]
pub(crate) fn planted<T>(
    path: &'static str,
    text: &'static str,
    fault: &'static str,
    work: impl FnOnce() -> T,
) -> T {
    FAULT.set(Some([path, text, fault]));
    let result = work();
    FAULT.set(None);
    result
}

#[cfg(test)]
fn plant(shader: Shader, whole: &mut String) {
    if let Some([path, text, fault]) = FAULT.get().filter(|[path, ..]| *path == shader.path) {
        assert!(whole.contains(text), "{path} has no `{text}`");
        *whole = whole.replace(text, fault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn includes_once_and_recursively() {
        let whole = compose(shader!("terms/triplet/one_per_anchor.wgsl"), Tier::Baseline);
        assert_eq!(whole.matches("struct Stripe").count(), 1);
        assert_eq!(whole.matches("fn wide_add").count(), 1);
        assert!(!whole.contains("#include"));
    }
}
