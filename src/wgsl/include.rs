//! The WGSL files as text, and how they include one another.

use std::collections::HashSet;

use crate::wgsl::tier::Tier;

/// A WGSL file below `shaders/`, without what it includes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shader {
    /// The path of the file below `shaders/`.
    pub path: &'static str,
    text: &'static str,
}

/// Every file below `shaders/`, sorted by its path: `build.rs` lists them.
pub(crate) const ALL: &[Shader] = &include!(concat!(env!("OUT_DIR"), "/shaders.rs"));

impl Shader {
    /// The file at this path below `shaders/`. [`shader!`] calls it, so that a path without a file
    /// does not compile.
    pub(crate) const fn at(path: &str) -> Self {
        let mut index = 0;
        while index < ALL.len() {
            if is_same(ALL[index].path.as_bytes(), path.as_bytes()) {
                return ALL[index];
            }
            index += 1;
        }
        panic!("no shader has this path")
    }
}

/// Whether two paths are the same: `==` is not for constants.
const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    index == one.len() && index == other.len()
}

/// The shader file at this path below `shaders/`.
macro_rules! shader {
    ($path:literal) => {
        const { $crate::wgsl::include::Shader::at($path) }
    };
}
pub(crate) use shader;

const INCLUDE: &str = "// #include \"";
const ENABLE: &str = "enable ";
const OVERRIDE: &str = "override ";

/// The whole WGSL of a kernel: its text with every `// #include "FOLDER/FILE"` line replaced by
/// that file, or by what stands in for it on the tier, where it is first asked for. What any of them
/// enables comes first.
pub(crate) fn compose(shader: Shader, tier: Tier) -> String {
    let mut whole = String::new();
    append(shader, tier, &mut HashSet::new(), &mut whole);
    whole = enables_first(&whole);
    #[cfg(test)]
    plant(shader, &mut whole);
    whole
}

/// The same lines, those that enable something before the others.
fn enables_first(whole: &str) -> String {
    let (enables, others): (Vec<_>, Vec<_>) =
        whole.split_inclusive('\n').partition(|line| line.starts_with(ENABLE));
    enables.concat() + &others.concat()
}

/// The paths of the file and of all that it includes on the tier.
#[cfg(all(test, feature = "reference"))]
pub(crate) fn paths(shader: Shader, tier: Tier) -> HashSet<&'static str> {
    let mut paths = HashSet::from([shader.path]);
    append(shader, tier, &mut paths, &mut String::new());
    paths
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
                let included = ALL.iter().find(|file| file.path == tier.stand_in(path));
                let included = included.unwrap_or_else(|| {
                    panic!("{} includes {path}, which is not there", shader.path)
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
