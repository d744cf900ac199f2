//! What compilers say of the kernels, as a page of tables.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::kernel::{Kernel, Outcome};

const VERSION: &str = "Compiled by ";

const HEAD: &str = "\
# What a GPU's compiler makes of the kernels

Written by `./scripts/check-isa --write`, held by `./scripts/check-isa`. Every kernel in every variant
and tier is compiled by RADV, Mesa's driver of AMD's GPUs, for a family of RDNA2 (navi21) and one of
GCN (vega10); no such GPU is needed. A line stands for all variants of a kernel, with the worst of
them: the most vector registers, registers spilled, bytes of workgroup memory and of code, the fewest
waves a SIMD. Where some variants spill or crash the compiler, that many are counted.

It is an error if a kernel spills or crashes the compiler, has more than 32 KiB of code, or, of
distances and gradients in tiles, more than 128 registers or room for fewer than 8 waves on RDNA;
tiles of 128 x 128 of a gradient are for software adapters, and may have more code and registers,
but none that is spilled. Distances and gradients may take 2.06 vector operations for each pair and
dimension, those of the inner product 1.06; where the weights of positive and negative pairs are
applied, 3 more for each pair. Gradients take 1 / 64 more outside of the loop. The signs of a
Manhattan gradient have no limit. Expanded distances and gradients may take 1.06, and so many more as
it takes to bring rows to their centre, and coefficients to their sums. All soft triplets may have
three times the code of all triplets
(`tests/isa/src/limits.rs`).

";

/// Kernels with what became of them.
type Group<'a> = Vec<(&'a Kernel, Outcome)>;

/// The whole page.
pub(crate) fn text(version: &str, kernels: &[Kernel], told: &[(&str, Vec<Outcome>)]) -> String {
    let mut page = format!("{HEAD}{VERSION}{version}.\n");
    for (family, outcomes) in told {
        let all: Group = kernels.iter().zip(outcomes.iter().copied()).collect();
        let is_crash = |one: &&(&Kernel, Outcome)| one.1.code().is_none();
        let is_spill =
            |one: &&(&Kernel, Outcome)| one.1.code().is_some_and(|code| code.spilled > 0);
        let count = all.len();
        let crashes = all.iter().filter(is_crash).count();
        let spills = all.iter().filter(is_spill).count();
        line(&mut page, &format!("\n## {family}\n"));
        line(
            &mut page,
            &format!("Of {count} kernels {spills} spill and {crashes} crash the compiler.\n"),
        );
        line(
            &mut page,
            "| kernel | variants | registers | spilled | waves | workgroup bytes | code bytes | crash |",
        );
        line(&mut page, "|---|---:|---:|---:|---:|---:|---:|---:|");
        for (name, group) in grouped(&all, |kernel| Some(kernel.family())) {
            line(&mut page, &row(&name, &group));
        }
        line(&mut page, "\nVector operations for each pair and dimension, in the inner loop:\n");
        line(&mut page, "| kernel | least | most |");
        line(&mut page, "|---|---:|---:|");
        let by_distance = |kernel: &Kernel| {
            kernel.products_per_round()?;
            Some(format!("{}, {}", kernel.family(), kernel.distance()))
        };
        for (name, group) in grouped(&all, by_distance) {
            line(&mut page, &loop_row(&name, &group));
        }
    }
    page
}

fn line(page: &mut String, text: &str) {
    writeln!(page, "{text}").expect("a text takes any line");
}

fn grouped<'a>(
    all: &Group<'a>,
    name: impl Fn(&Kernel) -> Option<String>,
) -> BTreeMap<String, Group<'a>> {
    let mut groups: BTreeMap<_, Group> = BTreeMap::new();
    for &(kernel, outcome) in all {
        if let Some(name) = name(kernel) {
            groups.entry(name).or_default().push((kernel, outcome));
        }
    }
    groups
}

fn row(name: &str, group: &Group) -> String {
    let variants = group.len();
    let codes: Vec<_> = group.iter().filter_map(|one| one.1.code()).collect();
    let crashes = variants - codes.len();
    let number = |found: Option<u64>| found.map_or("".into(), |value| value.to_string());
    let registers = number(codes.iter().map(|code| code.registers).max());
    let waves = number(codes.iter().map(|code| code.waves).min());
    let memory = number(codes.iter().map(|code| code.workgroup_bytes).max());
    let bytes = number(codes.iter().map(|code| code.code_bytes).max());
    let spills = codes.iter().filter(|code| code.spilled > 0).count();
    let spilled = match codes.iter().map(|code| code.spilled).max() {
        Some(most) if most > 0 => format!("{most} ({spills} variants)"),
        _ => String::new(),
    };
    let crashes = if crashes > 0 { crashes.to_string() } else { String::new() };
    format!(
        "| {name} | {variants} | {registers} | {spilled} | {waves} | {memory} | {bytes} | {crashes} |"
    )
}

fn loop_row(name: &str, group: &Group) -> String {
    let shares = group.iter().filter_map(|(kernel, outcome)| {
        Some(outcome.code()?.round? as f64 / kernel.products_per_round()? as f64)
    });
    let [least, most] = shares
        .fold([f64::INFINITY, 0.0], |[least, most], share| [share.min(least), share.max(most)]);
    format!("| {name} | {least:.2} | {most:.2} |")
}

/// The compiler that a page is of.
pub(crate) fn version(page: &str) -> Option<&str> {
    page.lines().find_map(|line| line.strip_prefix(VERSION)?.strip_suffix('.'))
}

/// The lines that only one of two pages has.
pub(crate) fn differences(old: &str, new: &str) -> String {
    let only = |sign: char, one: &str, other: &str| {
        let lines = one.lines().filter(|line| !other.lines().any(|known| known == *line));
        lines.map(|line| format!("{sign} {line}\n")).collect::<String>()
    };
    only('-', old, new) + &only('+', new, old)
}
