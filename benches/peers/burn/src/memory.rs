//! How much memory an evaluation takes at its peak, in bytes.

use std::fs;

use burn::tensor::Device;

/// By how much the device's pools grow when they begin without free pages; none where the backend does not say.
pub fn pool_growth(device: &Device, evaluate: impl FnOnce()) -> Option<u64> {
    device.sync().expect("the device goes on");
    device.memory_cleanup();
    let reserved = || device.memory_pool_usage().map(|usage| usage.bytes_reserved);
    let before = reserved()?;
    evaluate();
    Some(reserved()?.saturating_sub(before))
}

/// By how much the resident set of this process grows; none where the system does not say.
pub fn resident_growth(evaluate: impl FnOnce()) -> Option<u64> {
    let reset_peak = fs::write("/proc/self/clear_refs", "5");
    let before = resident("VmRSS:");
    evaluate();
    reset_peak.ok()?;
    Some(resident("VmHWM:")?.saturating_sub(before?))
}

fn resident(field: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}
