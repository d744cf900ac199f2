//! `adapters`: what this machine can compute on.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use wgpu::DeviceType;
use wgpu_metric_learning::Adapter;

use super::{Result, print, print_json, table};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Prints one JSON object a line, for each adapter.
    #[arg(long)]
    json: bool,
}

/// Lists every adapter, first those that can be used; `auto` takes the first.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let adapters = Adapter::all();
    let unusable = Adapter::unusable();
    let usable = adapters.iter().enumerate().map(|(at, adapter)| {
        (adapter, Use { auto: at == 0 && !adapter.is_software(), problem: None })
    });
    let others = unusable
        .iter()
        .map(|(adapter, error)| (adapter, Use { auto: false, problem: Some(error.to_string()) }));
    for (adapter, usage) in usable.chain(others) {
        match arguments.json {
            true => print_json(&Line::of(adapter, usage))?,
            false => print(&block(adapter, &usage))?,
        }
    }
    if adapters.is_empty() && !arguments.json {
        print(
            "No GPU adapter found. A GPU driver is needed, or a software one such as Mesa's llvmpipe;",
        )?;
        print("without either, `evaluate` computes with the CPU engine.")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the program uses an adapter.
struct Use {
    /// `--backend auto` takes it.
    auto: bool,
    /// Why it cannot be used.
    problem: Option<String>,
}

fn block(adapter: &Adapter, usage: &Use) -> String {
    let (info, limits) = (adapter.info(), adapter.limits());
    let taken = match usage {
        Use { problem: Some(problem), .. } => format!("  <- cannot be used: {problem}"),
        Use { auto: true, .. } => "  <- taken by --backend auto".into(),
        _ => String::new(),
    };
    let properties = table::properties(&[
        ("api", info.backend.to_string()),
        ("driver", format!("{} {}", info.driver, info.driver_info).trim().to_string()),
        ("type", kind(info.device_type).to_string()),
        ("tier", adapter.tier().to_string()),
        ("storage binding", table::bytes(limits.max_storage_buffer_binding_size)),
        ("buffer", table::bytes(limits.max_buffer_size)),
        ("workgroup memory", table::bytes(limits.max_compute_workgroup_storage_size.into())),
        ("invocations per workgroup", limits.max_compute_invocations_per_workgroup.to_string()),
        ("storage buffers per stage", limits.max_storage_buffers_per_shader_stage.to_string()),
    ]);
    format!("{}{taken}\n{properties}", info.name)
}

/// An adapter as JSON.
#[derive(Serialize)]
struct Line<'a> {
    adapter: &'a str,
    api: &'static str,
    driver: &'a str,
    driver_info: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    tier: &'static str,
    auto: bool,
    problem: Option<String>,
    max_storage_buffer_binding_size: u64,
    max_buffer_size: u64,
    max_compute_workgroup_storage_size: u32,
    max_compute_invocations_per_workgroup: u32,
    max_storage_buffers_per_shader_stage: u32,
}

impl<'a> Line<'a> {
    fn of(adapter: &'a Adapter, usage: Use) -> Self {
        let (info, limits) = (adapter.info(), adapter.limits());
        Self {
            adapter: &info.name,
            api: info.backend.to_str(),
            driver: &info.driver,
            driver_info: &info.driver_info,
            kind: kind(info.device_type),
            tier: adapter.tier().name(),
            auto: usage.auto,
            problem: usage.problem,
            max_storage_buffer_binding_size: limits.max_storage_buffer_binding_size,
            max_buffer_size: limits.max_buffer_size,
            max_compute_workgroup_storage_size: limits.max_compute_workgroup_storage_size,
            max_compute_invocations_per_workgroup: limits.max_compute_invocations_per_workgroup,
            max_storage_buffers_per_shader_stage: limits.max_storage_buffers_per_shader_stage,
        }
    }
}

fn kind(device_type: DeviceType) -> &'static str {
    match device_type {
        DeviceType::DiscreteGpu => "discrete",
        DeviceType::IntegratedGpu => "integrated",
        DeviceType::VirtualGpu => "virtual",
        DeviceType::Cpu => "software",
        DeviceType::Other => "other",
    }
}
