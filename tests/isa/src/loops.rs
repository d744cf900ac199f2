//! The inner loop in machine code as Mesa writes it: blocks begin with `BB` and a number, and a loop
//! ends with a branch to its first block.

use std::collections::HashMap;
use std::ops::RangeInclusive;

/// How many vector operations a round of the loop with the most arithmetic has, but for the loops
/// inside of it.
pub(crate) fn vector_operations(assembly: &str) -> Option<u64> {
    let blocks = blocks(assembly);
    let loops = loops(&blocks);
    let own = |range: &RangeInclusive<usize>| {
        let is_inside = |one: &&RangeInclusive<usize>| {
            *one != range && range.contains(one.start()) && range.contains(one.end())
        };
        let inside: Vec<_> = loops.iter().filter(is_inside).cloned().collect();
        let is_own = move |block: &usize| !inside.iter().any(|one| one.contains(block));
        let code = range.clone().filter(is_own).flat_map(|block| &blocks[block].1);
        code.copied().collect::<Vec<_>>()
    };
    let arithmetic = |code: &Vec<&str>| code.iter().filter(|line| is_arithmetic(line)).count();
    let main = loops.iter().map(own).max_by_key(arithmetic)?;
    Some(main.iter().filter(|line| line.starts_with("v_")).count() as u64)
}

fn is_arithmetic(line: &str) -> bool {
    ["v_fma", "v_mac", "v_mad", "v_dot", "v_pk_fma", "v_add_f32", "v_sub_f32", "v_subrev_f32"]
        .iter()
        .any(|operation| line.starts_with(operation))
}

/// The blocks' names and their instructions.
fn blocks(assembly: &str) -> Vec<(&str, Vec<&str>)> {
    let mut blocks: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in assembly.lines() {
        match (line.strip_suffix(':'), blocks.last_mut()) {
            (Some(name), _) if name.starts_with("BB") => blocks.push((name, Vec::new())),
            (_, Some((_, code))) => code.push(line.trim()),
            _ => {}
        }
    }
    blocks
}

/// The first and the last block of every loop.
fn loops(blocks: &[(&str, Vec<&str>)]) -> Vec<RangeInclusive<usize>> {
    let places: HashMap<_, _> =
        blocks.iter().enumerate().map(|(place, (name, _))| (*name, place)).collect();
    let mut loops = Vec::new();
    for (end, (_, code)) in blocks.iter().enumerate() {
        let targets = code.iter().filter_map(|line| target(line));
        let back = targets.filter_map(|name| places.get(name)).filter(|&&start| start <= end);
        loops.extend(back.map(|&start| start..=end));
    }
    loops
}

/// Where a branch leads.
fn target(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let operation = words.next()?;
    let is_branch = operation == "s_branch" || operation.starts_with("s_cbranch");
    is_branch.then(|| words.next()).flatten()
}

#[cfg(test)]
mod tests {
    use super::vector_operations;

    #[test]
    fn the_loop_with_the_most_arithmetic_is_counted_without_those_inside() {
        let assembly = "\
BB0:
\tv_mov_b32_e32 v0, 0 ; 7e000280
BB1:
\tv_mov_b32_e32 v1, v1
BB2:
\tv_fma_f32 v1, v2, v3, v1
\tv_mov_b32_e32 v0, v1
\ts_cbranch_scc0 BB2 ; bf84fffe
BB3:
\tv_mov_b32_e32 v0, v1
\tv_mov_b32_e32 v0, v1
\tv_mov_b32_e32 v0, v1
\ts_cbranch_scc1 BB3
\ts_branch BB1
BB4:
\ts_endpgm
";
        assert_eq!(vector_operations(assembly), Some(2));
        let more = "BB1:\n\tv_fma_f32 v2, v1, v1, v2\n".to_owned()
            + &"\tv_fma_f32 v3, v1, v1, v3\n".repeat(2);
        let outer = assembly.replace("BB1:\n", &more);
        assert_eq!(vector_operations(&outer), Some(4));
        assert_eq!(vector_operations("BB0:\n\ts_branch BB1\nBB1:\n\ts_endpgm\n"), None);
    }
}
