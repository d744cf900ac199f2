//! Kernels in the languages of the drivers, by naga.

use std::collections::BTreeMap;

use clap::ValueEnum;
use naga::back::{glsl, hlsl, msl, pipeline_constants, spv};
use naga::proc::BoundsCheckPolicies;
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{Module, ResourceBinding, ShaderStage};
use wgpu_metric_learning::shaders::ShaderSource;

const STAGE: ShaderStage = ShaderStage::Compute;

/// What standard WGSL asks for and naga 30 refuses.
const ENABLE_SUBGROUPS: &str = "enable subgroups;\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// WGSL, for WebGPU.
    Wgsl,
    /// SPIR-V, for Vulkan, as binary modules; of cooperative matrices in this language alone.
    Spirv,
    /// MSL, for Metal: version 2.0, with subgroups 2.1.
    Msl,
    /// HLSL, for DX12: shader model 5.1, with subgroups 6.0.
    Hlsl,
    /// GLSL, for OpenGL ES 3.1: the baseline alone.
    Glsl,
}

impl Language {
    /// Whether the backend of wgpu that takes the language has what the kernel needs. Cooperative
    /// matrices are held against the reference on Vulkan alone, WebGPU does not have them, and
    /// naga writes none to HLSL and GLSL.
    pub(crate) fn has(self, source: &ShaderSource) -> bool {
        match self {
            Self::Spirv => true,
            Self::Wgsl | Self::Msl | Self::Hlsl => {
                !source.features.contains(wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX)
            }
            Self::Glsl => source.features.is_empty(),
        }
    }

    /// What the names of its files end with.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Wgsl => "wgsl",
            Self::Spirv => "spv",
            Self::Msl => "metal",
            Self::Hlsl => "hlsl",
            Self::Glsl => "comp",
        }
    }
}

/// A kernel in a language.
pub(crate) struct Translation {
    pub bytes: Vec<u8>,
    /// What the language calls the entry point.
    pub entry: String,
    pub workgroup_size: [u32; 3],
}

/// The kernel without the run-time checks that naga can add, as a context runs it by default. In
/// every language a binding keeps its number; in MSL one more buffer, of array lengths, follows
/// them.
pub(crate) fn translate(source: &ShaderSource, language: Language) -> Result<Translation, String> {
    let (module, info) = parse(source)?;
    let point = module.entry_points.iter().find(|point| point.name == source.entry);
    let workgroup_size = point.ok_or("no such entry point")?.workgroup_size;
    let (bytes, entry) = match language {
        Language::Wgsl => (source.wgsl.clone().into_bytes(), source.entry.into()),
        Language::Spirv => (to_spirv(&module, &info, source)?, source.entry.into()),
        Language::Msl => to_msl(&module, &info, source)?,
        Language::Hlsl => to_hlsl(&module, &info, source)?,
        // Its entry points are always called so.
        Language::Glsl => (to_glsl(&module, &info, source)?, "main".into()),
    };
    Ok(Translation { bytes, entry, workgroup_size })
}

/// Valid with what it needs: without any feature, so on every WebGPU device, for the baseline. With
/// the values of the constants in their places.
fn parse(source: &ShaderSource) -> Result<(Module, ModuleInfo), String> {
    let wgsl = source.wgsl.trim_start_matches(ENABLE_SUBGROUPS);
    let module = naga::front::wgsl::parse_str(wgsl).map_err(|error| error.emit_to_string(wgsl))?;
    let mut validator = Validator::new(ValidationFlags::all(), capabilities(source.features));
    let info = validator.validate(&module).map_err(|error| error.emit_to_string(wgsl))?;
    let entry = Some((STAGE, source.entry));
    let (module, info) =
        pipeline_constants::process_overrides(&module, &info, entry, &Default::default())
            .map_err(|error| error.to_string())?;
    Ok((module.into_owned(), info.into_owned()))
}

/// What naga calls the features.
fn capabilities(features: wgpu::Features) -> Capabilities {
    let named = [
        (wgpu::Features::SUBGROUP, Capabilities::SUBGROUP),
        (wgpu::Features::SHADER_F16, Capabilities::SHADER_FLOAT16),
        (wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX, Capabilities::COOPERATIVE_MATRIX),
    ];
    let has = named.into_iter().filter(|(feature, _)| features.contains(*feature));
    has.map(|(_, capability)| capability).collect()
}

/// The bindings of the kernel, each with its number.
fn bindings(source: &ShaderSource) -> impl Iterator<Item = (ResourceBinding, u8)> + '_ {
    let bindings = source.bindings.iter().map(|entry| entry.binding);
    bindings.map(|binding| (ResourceBinding { group: 0, binding }, binding as u8))
}

fn to_spirv(module: &Module, info: &ModuleInfo, source: &ShaderSource) -> Result<Vec<u8>, String> {
    let options = spv::Options {
        lang_version: if source.features.is_empty() { (1, 0) } else { (1, 3) },
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        force_loop_bounding: false,
        ..Default::default()
    };
    let pipeline = spv::PipelineOptions { shader_stage: STAGE, entry_point: source.entry.into() };
    let words = spv::write_vec(module, info, &options, Some(&pipeline))
        .map_err(|error| error.to_string())?;
    Ok(words.into_iter().flat_map(u32::to_le_bytes).collect())
}

fn to_msl(
    module: &Module,
    info: &ModuleInfo,
    source: &ShaderSource,
) -> Result<(Vec<u8>, String), String> {
    let target = |slot| msl::BindTarget { buffer: Some(slot), mutable: true, ..Default::default() };
    let resources = bindings(source).map(|(binding, slot)| (binding, target(slot))).collect();
    // Naga declares the buffer of array lengths for every kernel with arrays of any length, read or
    // not.
    let sizes_buffer = Some(source.bindings.len() as u8);
    let resources = msl::EntryPointResources { resources, sizes_buffer, ..Default::default() };
    let options = msl::Options {
        lang_version: if source.features.is_empty() { (2, 0) } else { (2, 1) },
        per_entry_point_map: BTreeMap::from([(source.entry.into(), resources)]),
        fake_missing_bindings: false,
        zero_initialize_workgroup_memory: false,
        force_loop_bounding: false,
        ..Default::default()
    };
    let entry_point = Some((STAGE, source.entry.into()));
    let pipeline = msl::PipelineOptions { entry_point, ..Default::default() };
    let (text, names) =
        msl::write_string(module, info, &options, &pipeline).map_err(|error| error.to_string())?;
    Ok((text.into_bytes(), only(names.entry_point_names)?))
}

fn to_hlsl(
    module: &Module,
    info: &ModuleInfo,
    source: &ShaderSource,
) -> Result<(Vec<u8>, String), String> {
    let options = hlsl::Options {
        shader_model: if source.features.is_empty() {
            hlsl::ShaderModel::V5_1
        } else {
            hlsl::ShaderModel::V6_0
        },
        // Registers and spaces are then the numbers of bindings and groups.
        fake_missing_bindings: true,
        zero_initialize_workgroup_memory: false,
        restrict_indexing: false,
        force_loop_bounding: false,
        ..Default::default()
    };
    let pipeline = hlsl::PipelineOptions { entry_point: Some((STAGE, source.entry.into())) };
    let mut text = String::new();
    let mut writer = hlsl::Writer::new(&mut text, &options, &pipeline);
    let names = writer.write(module, info, None).map_err(|error| error.to_string())?;
    Ok((text.into_bytes(), only(names.entry_point_names)?))
}

fn to_glsl(module: &Module, info: &ModuleInfo, source: &ShaderSource) -> Result<Vec<u8>, String> {
    let options = glsl::Options {
        version: glsl::Version::new_gles(310),
        binding_map: bindings(source).collect(),
        zero_initialize_workgroup_memory: false,
        ..Default::default()
    };
    let pipeline = glsl::PipelineOptions {
        shader_stage: STAGE,
        entry_point: source.entry.into(),
        multiview: None,
    };
    let mut text = String::new();
    glsl::Writer::new(&mut text, module, info, &options, &pipeline, BoundsCheckPolicies::default())
        .and_then(|mut writer| writer.write())
        .map_err(|error| error.to_string())?;
    Ok(text.into_bytes())
}

/// The name of the one entry point that was written.
fn only<E: ToString>(names: Vec<Result<String, E>>) -> Result<String, String> {
    let name = names.into_iter().next().ok_or("no entry point was written")?;
    name.map_err(|error| error.to_string())
}
