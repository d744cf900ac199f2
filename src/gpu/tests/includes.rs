//! The files below `shaders/`: each is part of a kernel, and brings what it needs.

use std::collections::{BTreeMap, BTreeSet};

use crate::gpu::Tier;
use crate::gpu::kernel::catalogue;
use crate::wgsl::include::{ALL, Shader, compose, paths};

/// The paths of the kernels of a tier and of all that they include.
fn reached(tier: Tier) -> BTreeSet<&'static str> {
    catalogue::all().iter().flat_map(|kernel| paths(kernel.shader, tier)).collect()
}

#[test]
fn every_file_is_part_of_a_kernel() {
    let reached: BTreeSet<_> = Tier::ALL.into_iter().flat_map(reached).collect();
    let paths = ALL.iter().map(|file| file.path);
    let left: Vec<_> = paths.filter(|path| !reached.contains(path)).collect();
    assert!(left.is_empty(), "no kernel includes {left:?}");
}

/// The variables of a text that a loop declares without a value.
fn without_value(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    // Of each block that is open, whether it is a loop's or within one.
    let mut loops = vec![false];
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
        let is_within = loops.last().copied().unwrap_or_default();
        if is_within && line.starts_with("var ") && !line.contains('=') {
            found.push(line);
        }
        let begins = ["for ", "while ", "loop "].iter().any(|word| line.starts_with(word));
        for brace in line.chars().filter(|&character| "{}".contains(character)) {
            match brace {
                '{' => loops.push(is_within || begins),
                _ => drop(loops.pop()),
            }
        }
    }
    found
}

/// The standard makes such a variable 0 in every round of the loop, and Chromium's WebGPU on
/// SwiftShader does not: it has the value of the round before.
#[test]
fn variables_within_loops_have_values() {
    assert_eq!(without_value("for (;;) {\n var a: u32;\n if (b) {\n var c: f32;\n}\n}").len(), 2);
    assert_eq!(without_value("var a: u32;\nfor (;;) {\n var c = f32();\n}\nvar b: u32;").len(), 0);
    for (file, tier) in ALL.iter().flat_map(|file| Tier::ALL.map(|tier| (file, tier))) {
        let whole = compose(*file, tier);
        let found = without_value(&whole);
        assert!(found.is_empty(), "shaders/{}: {found:?}", file.path);
    }
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
        _ if declaration.contains(" = ") => format!("{declaration};"),
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
    let of_tier = |tier| reached(tier).into_iter().map(move |path| (tier, path));
    for (tier, path) in Tier::ALL.into_iter().flat_map(of_tier) {
        let mut whole = compose(Shader::at(path), tier);
        // Of two headers that name one struct, the file that includes the other names all members.
        let mut named = BTreeMap::new();
        for one in added(&whole) {
            let longest = named.entry(beginning(one)).or_insert(one);
            *longest = if one.len() > longest.len() { one } else { longest };
        }
        let missing = named.into_values().filter(|declaration| !declares(&whole, declaration));
        let stand_ins: Vec<_> =
            missing.enumerate().map(|(number, one)| stand_in(one, number)).collect();
        whole += &stand_ins.join("\n");
        if let Err(error) = naga::front::wgsl::parse_str(&whole) {
            panic!("{path} on tier {tier}: {}", error.emit_to_string(&whole));
        }
    }
}
