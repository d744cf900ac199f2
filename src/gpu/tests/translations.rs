//! Every kernel in every variant that any loss, or measuring retrieval, asks for, validated for the baseline and translated to every shading language.

use std::collections::HashMap;

use naga::back::{glsl, hlsl, msl, pipeline_constants, spv};
use naga::proc::BoundsCheckPolicies;
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};

use super::contexts;
use crate::gpu::kernel::Kernel;
use crate::gpu::{Options, Tier};
use crate::measures::Retrieval;
use crate::reference::samples::{Sample, representatives};
use crate::shader::compose;

const STAGE: naga::ShaderStage = naga::ShaderStage::Compute;

/// Every kernel that planning all losses in all their modes makes.
fn kernels() -> Vec<Kernel> {
    let context = contexts(Options::default()).swap_remove(0);
    let sample = Sample::new(5, 3, 1.0);
    for loss in representatives() {
        for batch in sample.batches(&loss) {
            context.evaluate(&loss, &batch).expect("a valid sample");
        }
    }
    for batch in sample.retrieval_batches() {
        context.measure(&Retrieval::default(), &batch).expect("a valid sample");
    }
    context.kernels()
}

fn validate(module: &naga::Module) -> ModuleInfo {
    // No capability: nothing beyond what every WebGPU device has.
    Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(module).expect("valid WGSL")
}

fn with_constants(kernel: &Kernel, tier: Tier) -> (naga::Module, ModuleInfo) {
    let source = compose(kernel.shader, tier);
    let module =
        naga::front::wgsl::parse_str(&source).unwrap_or_else(|error| panic!("{}", error.emit_to_string(&source)));
    let info = validate(&module);
    let constants: HashMap<String, f64> = kernel.constants.iter().map(|&(name, value)| (name.into(), value)).collect();
    let constants = constants.into_iter().collect();
    let (module, info) = pipeline_constants::process_overrides(&module, &info, Some((STAGE, kernel.entry)), &constants)
        .unwrap_or_else(|error| panic!("{kernel:?}: {error}"));
    (module.into_owned(), info.into_owned())
}

#[test]
fn every_variant_translates() {
    let kernels = kernels();
    assert!(kernels.len() > 60, "only {} kernels", kernels.len());
    for (kernel, tier) in kernels.iter().flat_map(|kernel| Tier::ALL.map(|tier| (kernel, tier))) {
        let (module, info) = with_constants(kernel, tier);
        let name = format!("{} {:?}", kernel.shader.path, kernel.constants);
        assert!(!to_spirv(&module, &info, kernel.entry).is_empty(), "{name}");
        for (language, text) in [
            ("MSL", to_msl(&module, &info)),
            ("HLSL", to_hlsl(&module, &info)),
            ("GLSL", to_glsl(&module, &info, kernel.entry)),
        ] {
            assert!(text.contains("void"), "{language} of {name} has no function");
        }
    }
}

#[test]
fn workgroup_memory_fits_the_baseline() {
    for (kernel, tier) in kernels().iter().flat_map(|kernel| Tier::ALL.map(|tier| (kernel, tier))) {
        let (module, _) = with_constants(kernel, tier);
        let layouter = {
            let mut layouter = naga::proc::Layouter::default();
            layouter.update(module.to_ctx()).expect("a layout");
            layouter
        };
        let workgroup =
            module.global_variables.iter().filter(|(_, global)| global.space == naga::AddressSpace::WorkGroup);
        let bytes: u32 = workgroup.map(|(_, global)| layouter[global.ty].size).sum();
        assert!(bytes <= 16384, "{} takes {bytes} bytes of workgroup memory", kernel.shader.path);
        let size =
            module.entry_points.iter().find(|point| point.name == kernel.entry).map(|point| point.workgroup_size);
        assert!(size.is_some_and(|size| size.iter().product::<u32>() <= 256), "{}", kernel.shader.path);
    }
}

fn to_spirv(module: &naga::Module, info: &ModuleInfo, entry: &str) -> Vec<u32> {
    let pipeline = spv::PipelineOptions { shader_stage: STAGE, entry_point: entry.into() };
    spv::write_vec(module, info, &spv::Options::default(), Some(&pipeline)).expect("SPIR-V")
}

fn to_msl(module: &naga::Module, info: &ModuleInfo) -> String {
    let options = msl::Options { lang_version: (2, 0), ..Default::default() };
    msl::write_string(module, info, &options, &msl::PipelineOptions::default()).expect("MSL").0
}

fn to_hlsl(module: &naga::Module, info: &ModuleInfo) -> String {
    let options = hlsl::Options { fake_missing_bindings: true, ..Default::default() };
    let mut text = String::new();
    hlsl::Writer::new(&mut text, &options, &hlsl::PipelineOptions::default()).write(module, info, None).expect("HLSL");
    text
}

fn to_glsl(module: &naga::Module, info: &ModuleInfo, entry: &str) -> String {
    let options = glsl::Options { version: glsl::Version::new_gles(310), ..Default::default() };
    let pipeline = glsl::PipelineOptions { shader_stage: STAGE, entry_point: entry.into(), multiview: None };
    let mut text = String::new();
    glsl::Writer::new(&mut text, module, info, &options, &pipeline, BoundsCheckPolicies::default())
        .and_then(|mut writer| writer.write().map(|_| ()))
        .expect("GLSL");
    text
}
