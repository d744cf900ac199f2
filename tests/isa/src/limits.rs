//! What no kernel may be, whatever the table says.

use crate::kernel::{Code, Kernel, Outcome};

/// Bytes of the instruction cache.
const MOST_CODE: u64 = 32 << 10;

/// Vector registers of a kernel of distances or gradients.
const MOST_REGISTERS: u64 = 128;

/// Waves of such a kernel on a SIMD of RDNA, where 128 registers leave room for so many.
const LEAST_WAVES: u64 = 8;

/// Vector operations for each pair and dimension beyond those that a distance or a direction is.
const OVERHEAD: f64 = 0.06;

/// The table shows hundredths.
const ROUNDING: f64 = 0.005;

/// How many times as large as that of all triplets the kernel of all soft ones may be.
const SOFT_TIMES: u64 = 3;

/// A line for everything that a family's compiler makes of the kernels and that none may be.
pub(crate) fn faults(family: &str, kernels: &[Kernel], outcomes: &[Outcome]) -> String {
    let all = || kernels.iter().zip(outcomes);
    let of_one = all().filter_map(|(kernel, outcome)| {
        let fault = match outcome.code() {
            None => "crashes the compiler".to_string(),
            Some(code) => fault(kernel, &code, family)?,
        };
        Some(format!("{family}: {} {fault}\n", kernel.path))
    });
    let largest = |name: &str| {
        let codes = all().filter(|(kernel, _)| kernel.name() == name);
        codes.filter_map(|(_, outcome)| Some(outcome.code()?.code_bytes)).max()
    };
    let sizes = ["terms/triplet/all_soft", "terms/triplet/all"].map(largest);
    let soft = match sizes {
        [Some(soft), Some(all)] if soft > SOFT_TIMES * all => {
            format!("{family}: terms/triplet/all_soft has {soft} bytes, terms/triplet/all {all}\n")
        }
        _ => String::new(),
    };
    of_one.collect::<String>() + &soft
}

fn fault(kernel: &Kernel, code: &Code, family: &str) -> Option<String> {
    if code.spilled > 0 {
        return Some(format!("spills {} registers", code.spilled));
    }
    // Software adapters have no waves, and a processor's cache.
    if !kernel.is_for_software() {
        let size = size_fault(kernel, code, family);
        if size.is_some() {
            return size;
        }
    }
    let share = code.round? as f64 / kernel.products_per_round()? as f64;
    let most = most_operations(kernel)?;
    (share > most + ROUNDING)
        .then(|| format!("takes {share:.2} operations a pair and dimension, more than {most:.2}"))
}

/// What is too large of a kernel that GPUs take: its code, and in tiles its registers.
fn size_fault(kernel: &Kernel, code: &Code, family: &str) -> Option<String> {
    if code.code_bytes > MOST_CODE {
        return Some(format!("has {} bytes of code, more than {MOST_CODE}", code.code_bytes));
    }
    kernel.tile()?;
    if code.registers > MOST_REGISTERS {
        return Some(format!("has {} registers, more than {MOST_REGISTERS}", code.registers));
    }
    (family.starts_with("navi") && code.waves < LEAST_WAVES)
        .then(|| format!("leaves room for {} waves, fewer than {LEAST_WAVES}", code.waves))
}

/// The most vector operations for each pair and dimension; any number for the signs that a gradient
/// of Manhattan distances sums up.
fn most_operations(kernel: &Kernel) -> Option<f64> {
    let needed = match kernel.distance() {
        _ if kernel.is_expanded() => 1.0 + most_of_expansion(kernel)?,
        "InnerProduct" => 1.0,
        "Manhattan" if kernel.is_gradient() => return None,
        _ => 2.0,
    };
    // A comparison, a choice and a product for a coefficient that has no weight yet.
    let [_, dimensions] = kernel.tile()?;
    let weights = if kernel.is_set("SPLIT_MEAN") { 3.0 / dimensions as f64 } else { 0.0 };
    Some(needed + OVERHEAD + weights)
}

/// What comes on top where distances are expanded: taking the centre out of what is loaded, and of
/// every coefficient of a gradient, whether its pair is near, and its sum.
fn most_of_expansion(kernel: &Kernel) -> Option<f64> {
    let products = kernel.products_per_round()? as f64;
    Some(match kernel.is_gradient() {
        false => 12.0 / products,
        true => 44.0 / products,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(path: &str, constants: &str) -> Kernel {
        let text = format!(
            r#"{{"path": "{path}", "entry_point": "main", "constants": {constants}, "bindings": []}}"#
        );
        serde_json::from_str(&text).expect("a kernel as the index has it")
    }

    const GOOD: Code = Code {
        registers: 128,
        spilled: 0,
        waves: 8,
        workgroup_bytes: 0,
        code_bytes: 32 << 10,
        round: Some(527),
    };

    #[test]
    fn every_limit_is_held() {
        let gradient =
            |constants: &str| kernel("gradient/pairwise-distance=Euclidean.spv", constants);
        let small = gradient(r#"{"TILE_ROWS": 64, "TILE_DIMENSIONS": 64}"#);
        assert_eq!(fault(&small, &GOOD, "navi21"), None);
        assert_eq!(fault(&small, &Code { waves: 2, ..GOOD }, "vega10"), None);
        for worse in [
            Code { registers: 136, ..GOOD },
            Code { spilled: 1, ..GOOD },
            Code { waves: 7, ..GOOD },
            Code { code_bytes: (32 << 10) + 4, ..GOOD },
            Code { round: Some(530), ..GOOD },
        ] {
            assert!(fault(&small, &worse, "navi21").is_some());
        }
        let split = gradient(r#"{"TILE_ROWS": 64, "TILE_DIMENSIONS": 64, "SPLIT_MEAN": 1}"#);
        let codes = [539, 542].map(|round| Code { round: Some(round), ..GOOD });
        let faults = codes.map(|code| fault(&split, &code, "navi21").is_some());
        assert_eq!(faults, [false, true]);
        let large = gradient(r#"{"TILE_ROWS": 128, "TILE_DIMENSIONS": 128}"#);
        let wasteful = Code { registers: 256, waves: 4, code_bytes: 42_000, ..GOOD };
        assert_eq!(fault(&large, &wasteful, "navi21"), None);
        assert!(fault(&large, &Code { spilled: 1, ..wasteful }, "navi21").is_some());
        assert!(fault(&large, &Code { round: Some(2_200), ..wasteful }, "navi21").is_some());
    }

    #[test]
    fn crashes_and_what_is_soft_are_held_too() {
        let kernels =
            ["terms/triplet/all.spv", "terms/triplet/all_soft.spv"].map(|path| kernel(path, "{}"));
        let sized = |code_bytes| Outcome::Code(Code { code_bytes, round: None, ..GOOD });
        assert_eq!(faults("navi21", &kernels, &[sized(1000), sized(3000)]), "");
        assert!(faults("navi21", &kernels, &[sized(1000), sized(3001)]).contains("all_soft"));
        assert!(faults("navi21", &kernels, &[Outcome::Crash, sized(1)]).contains("crashes"));
    }
}
