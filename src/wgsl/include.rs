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

/// Every file below `shaders/`, sorted by its path: `build.rs` lists them.
const ALL: &[Shader] = &include!(concat!(env!("OUT_DIR"), "/shaders.rs"));

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
const OVERRIDE: &str = "override ";

/// The whole WGSL of a kernel: its text with every `// #include "FOLDER/FILE"` line replaced by that
/// file, or by what stands in for it on the tier, where it is first asked for.
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
    use std::collections::BTreeSet;

    use super::*;
    use crate::gpu::kernel::catalogue;

    #[test]
    fn includes_once_and_recursively() {
        let whole = compose(shader!("terms/triplet/one_per_anchor.wgsl"), Tier::Baseline);
        assert_eq!(whole.matches("struct Stripe").count(), 1);
        assert_eq!(whole.matches("fn wide_add").count(), 1);
        assert!(!whole.contains("#include"));
    }

    /// The paths of the kernels of a tier and of all that they include.
    fn reached(tier: Tier) -> HashSet<&'static str> {
        let mut reached = HashSet::new();
        for kernel in catalogue::all() {
            reached.insert(kernel.shader.path);
            append(kernel.shader, tier, &mut reached, &mut String::new());
        }
        reached
    }

    #[test]
    fn every_file_is_part_of_a_kernel() {
        let reached: HashSet<_> = Tier::ALL.into_iter().flat_map(reached).collect();
        let paths = ALL.iter().map(|file| file.path);
        let left: Vec<_> = paths.filter(|path| !reached.contains(path)).collect();
        assert!(left.is_empty(), "no kernel includes {left:?}");
    }

    /// The line above what a file needs of the one that includes it, in the header of the former.
    const ADDS: &str = "// The file that includes it adds";

    /// The declarations that headers in this text name below [`ADDS`], without what is said of
    /// them.
    fn added(whole: &str) -> Vec<&str> {
        let mut added = Vec::new();
        let mut lines = whole.lines();
        while lines.any(|line| line == ADDS) {
            assert_eq!(lines.next(), Some("//"));
            let block = lines.by_ref().take_while(|line| line.starts_with("//   "));
            let named = block.filter_map(|line| line.strip_prefix("//   "));
            let declared = named.filter(|line| !line.starts_with(' '));
            added.extend(declared.filter_map(|line| line.split("  ").next()));
        }
        added
    }

    /// What a declaration of this thing begins with, whatever follows.
    fn beginning(declaration: &str) -> &str {
        let name = declaration.find(' ').expect("a keyword") + 1;
        let end = declaration[name..].find(['(', ':', ' ']);
        end.map_or(declaration, |end| &declaration[..name + end])
    }

    /// The least that a declaration can stand for; `number` tells bindings apart.
    fn stand_in(declaration: &str, number: usize) -> String {
        let zero_of = |divider| declaration.rsplit_once(divider).map(|(_, kind)| kind);
        match declaration.split_once(' ') {
            Some(("struct", _)) => declaration.to_owned(),
            Some(("alias", _)) => format!("{declaration} = u32;"),
            Some(("var<uniform>", _)) => {
                format!("@group(1) @binding({number}) {declaration};")
            }
            Some(("const", _)) => {
                format!("{declaration} = {}();", zero_of(": ").expect("a type"))
            }
            Some(("fn", _)) => {
                let result = zero_of(" -> ").map(|kind| format!("return {kind}();"));
                format!("{declaration} {{ {} }}", result.unwrap_or_default())
            }
            _ => panic!("`{declaration}` declares nothing"),
        }
    }

    /// Whether one of the lines declares this thing.
    fn declares(whole: &str, declaration: &str) -> bool {
        let code = whole.lines().filter(|line| !line.starts_with("//"));
        let mut after = code.flat_map(|line| line.split(beginning(declaration)).skip(1));
        after.any(|rest| rest.starts_with(['(', ':', ' ']))
    }

    #[test]
    fn every_file_stands_alone_but_for_what_headers_name() {
        for (tier, path) in Tier::ALL
            .into_iter()
            .flat_map(|tier| reached(tier).into_iter().map(move |path| (tier, path)))
        {
            let mut whole = compose(Shader::at(path), tier);
            let named: BTreeSet<_> = added(&whole).into_iter().collect();
            let missing = named.into_iter().filter(|declaration| !declares(&whole, declaration));
            let stand_ins: Vec<_> =
                missing.enumerate().map(|(number, one)| stand_in(one, number)).collect();
            whole += &stand_ins.join("\n");
            if let Err(error) = naga::front::wgsl::parse_str(&whole) {
                panic!("{path} on tier {tier}: {}", error.emit_to_string(&whole));
            }
        }
    }
}
