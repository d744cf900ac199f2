//! The bindings that a WGSL file declares.

/// How a kernel uses a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// A uniform.
    Uniform,
    /// A storage buffer that is read.
    Read,
    /// A storage buffer that is written, and may be read.
    ReadWrite,
}

/// A binding in group 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declaration {
    pub index: usize,
    pub access: Access,
    pub name: String,
}

const BINDING: &str = "@group(0) @binding(";

/// The bindings that this WGSL declares, in the order of their numbers.
pub(crate) fn bindings(wgsl: &str) -> Vec<Declaration> {
    let mut all: Vec<_> = wgsl.lines().filter_map(declaration).collect();
    all.sort_by_key(|binding| binding.index);
    all
}

/// Reads `@group(0) @binding(1) var<storage, read> labels: array<u32>;`.
fn declaration(line: &str) -> Option<Declaration> {
    let (index, rest) = line.trim_start().strip_prefix(BINDING)?.split_once(')')?;
    let (space, rest) = rest.trim_start().strip_prefix("var<")?.split_once('>')?;
    let (name, _) = rest.trim_start().split_once(':')?;
    let access = match space {
        "uniform" => Access::Uniform,
        "storage, read_write" => Access::ReadWrite,
        _ => Access::Read,
    };
    Some(Declaration { index: index.parse().ok()?, access, name: name.trim().into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_read() {
        let wgsl = "@group(0) @binding(2) var<storage, read_write> rows: array<Row>;\n\
                    @group(0) @binding(0) var<uniform> sizes: Sizes;\n\
                    var<workgroup> shared: array<f32, 4>;";
        let [sizes, rows] = &bindings(wgsl)[..] else { panic!("{:?}", bindings(wgsl)) };
        assert_eq!((sizes.index, sizes.access, sizes.name.as_str()), (0, Access::Uniform, "sizes"));
        assert_eq!((rows.index, rows.access, rows.name.as_str()), (2, Access::ReadWrite, "rows"));
    }
}
