//! A Vulkan device that compiles, and what its compiler tells of a kernel. Nothing is run on it.
//!
//! `unsafe` is allowed here alone, since Vulkan is called directly: wgpu finds a device without
//! hardware lost, and hands on nothing of what a compiler tells.
#![allow(unsafe_code)]

use std::ffi::CString;

use ash::khr::pipeline_executable_properties as executable;
use ash::{Device, Entry, Instance, vk};

/// A device of the only driver that is there, and how to ask it.
pub(crate) struct Compiler {
    device: Device,
    executable: executable::Device,
    /// What the driver calls itself, with its version.
    pub driver: String,
    // They live as long as the device.
    _instance: Instance,
    _entry: Entry,
}

/// What the compiler tells of a kernel: numbers by name, and the machine code as text where it was
/// asked for, which takes most of the time.
pub(crate) struct Compiled {
    pub statistics: Vec<(String, u64)>,
    pub assembly: String,
}

/// A binding of group 0.
pub(crate) struct Binding {
    pub number: u32,
    pub is_uniform: bool,
}

impl Compiler {
    /// The first device of the driver that `VK_DRIVER_FILES` names.
    pub(crate) fn open() -> Result<Self, String> {
        // SAFETY: the Vulkan library is the system's, and does nothing when it is loaded.
        let entry = unsafe { Entry::load() }.map_err(|error| error.to_string())?;
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
        let create = vk::InstanceCreateInfo::default().application_info(&application);
        // SAFETY: what the structures point at lives in this function; the instance is never
        // destroyed, and the library stays loaded as long as it.
        let instance = unsafe { entry.create_instance(&create, None) }.map_err(text)?;
        // SAFETY: the instance is alive.
        let physical = unsafe { instance.enumerate_physical_devices() }.map_err(text)?;
        let &physical = physical.first().ok_or("the driver has no device")?;

        let mut driver = vk::PhysicalDeviceDriverProperties::default();
        let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut driver);
        // SAFETY: the device is one of the instance's; the chain is well formed.
        unsafe { instance.get_physical_device_properties2(physical, &mut properties) };
        let driver = driver.driver_info_as_c_str().map_err(|error| error.to_string())?;

        let mut information = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default()
            .pipeline_executable_info(true);
        let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&[1.0])];
        let extensions = [executable::NAME.as_ptr()];
        let create = vk::DeviceCreateInfo::default()
            .queue_create_infos(&queues)
            .enabled_extension_names(&extensions)
            .push_next(&mut information);
        // SAFETY: every device has a queue family 0; a missing extension is an error of the call.
        let device = unsafe { instance.create_device(physical, &create, None) }.map_err(text)?;
        Ok(Self {
            executable: executable::Device::new(&instance, &device),
            device,
            driver: driver.to_string_lossy().into_owned(),
            _instance: instance,
            _entry: entry,
        })
    }

    /// Compiles a kernel. A driver that crashes takes the process along.
    pub(crate) fn compile(
        &self,
        spirv: &[u8],
        entry: &str,
        bindings: &[Binding],
        with_assembly: bool,
    ) -> Result<Compiled, String> {
        let code = ash::util::read_spv(&mut std::io::Cursor::new(spirv))
            .map_err(|error| error.to_string())?;
        let name = CString::new(entry).map_err(|error| error.to_string())?;
        let bindings: Vec<_> = bindings.iter().map(layout_binding).collect();
        let mut flags = vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR;
        if with_assembly {
            flags |= vk::PipelineCreateFlags::CAPTURE_INTERNAL_REPRESENTATIONS_KHR;
        }
        let create = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
        // SAFETY: the device is alive, and so is all that the structures point at. The SPIR-V is
        // naga's, which validated it, and the layout has every binding of the kernel. What is made
        // is not destroyed: the process ends when the last kernel is compiled.
        unsafe {
            let sets = [self.device.create_descriptor_set_layout(&create, None).map_err(text)?];
            let layout = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets);
            let layout = self.device.create_pipeline_layout(&layout, None).map_err(text)?;
            let module = vk::ShaderModuleCreateInfo::default().code(&code);
            let module = self.device.create_shader_module(&module, None).map_err(text)?;
            let stage = vk::PipelineShaderStageCreateInfo::default()
                .stage(vk::ShaderStageFlags::COMPUTE)
                .module(module)
                .name(&name);
            let create =
                vk::ComputePipelineCreateInfo::default().flags(flags).stage(stage).layout(layout);
            let pipelines = self
                .device
                .create_compute_pipelines(vk::PipelineCache::null(), &[create], None)
                .map_err(|(_, error)| text(error))?;
            let compiled = self.tell(pipelines[0], with_assembly);
            self.device.destroy_pipeline(pipelines[0], None);
            compiled
        }
    }

    /// What the compiler tells of a pipeline, which has one executable.
    ///
    /// # Safety
    ///
    /// The pipeline is one of this device's and has been made to be asked.
    unsafe fn tell(&self, pipeline: vk::Pipeline, with_assembly: bool) -> Result<Compiled, String> {
        let info = vk::PipelineExecutableInfoKHR::default().pipeline(pipeline);
        // SAFETY: the caller's promise; a value is read as what its format says that it is.
        let statistics = unsafe {
            let found = self.executable.get_pipeline_executable_statistics(&info).map_err(text)?;
            found.iter().map(|one| (string(one.name_as_c_str()), value(one))).collect()
        };
        let assembly = match with_assembly {
            // SAFETY: the caller's promise.
            true => unsafe { self.assembly(&info) }?,
            false => String::new(),
        };
        Ok(Compiled { statistics, assembly })
    }

    /// The machine code as text.
    ///
    /// # Safety
    ///
    /// The pipeline is one of this device's and has been made to be asked.
    unsafe fn assembly(&self, info: &vk::PipelineExecutableInfoKHR<'_>) -> Result<String, String> {
        let ask = self.executable.fp().get_pipeline_executable_internal_representations_khr;
        let handle = self.executable.device();
        let mut count = 0;
        // SAFETY: the caller's promise; asked without a place for them, it tells how many there
        // are, and then how long each is, and at last fills as many bytes as it said.
        unsafe {
            ask(handle, info, &mut count, std::ptr::null_mut()).result().map_err(text)?;
            let mut found =
                vec![vk::PipelineExecutableInternalRepresentationKHR::default(); count as usize];
            ask(handle, info, &mut count, found.as_mut_ptr()).result().map_err(text)?;
            let mut texts: Vec<_> = found.iter().map(|one| vec![0u8; one.data_size]).collect();
            for (one, text) in found.iter_mut().zip(&mut texts) {
                one.p_data = text.as_mut_ptr().cast();
            }
            ask(handle, info, &mut count, found.as_mut_ptr()).result().map_err(text)?;
            let index = found.iter().position(|one| string(one.name_as_c_str()) == "Assembly");
            let bytes = index.map(|index| texts.swap_remove(index)).unwrap_or_default();
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        }
    }
}

fn layout_binding(binding: &Binding) -> vk::DescriptorSetLayoutBinding<'static> {
    let kind = match binding.is_uniform {
        true => vk::DescriptorType::UNIFORM_BUFFER,
        false => vk::DescriptorType::STORAGE_BUFFER,
    };
    vk::DescriptorSetLayoutBinding::default()
        .binding(binding.number)
        .descriptor_type(kind)
        .descriptor_count(1)
        .stage_flags(vk::ShaderStageFlags::COMPUTE)
}

/// The number that a statistic is, whatever its format.
///
/// # Safety
///
/// The statistic is one that the driver has filled in.
unsafe fn value(statistic: &vk::PipelineExecutableStatisticKHR<'_>) -> u64 {
    // SAFETY: the format tells which part of the union the driver has written.
    unsafe {
        match statistic.format {
            vk::PipelineExecutableStatisticFormatKHR::BOOL32 => statistic.value.b32.into(),
            vk::PipelineExecutableStatisticFormatKHR::INT64 => statistic.value.i64 as u64,
            vk::PipelineExecutableStatisticFormatKHR::FLOAT64 => statistic.value.f64 as u64,
            _ => statistic.value.u64,
        }
    }
}

fn string<E>(name: Result<&std::ffi::CStr, E>) -> String {
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn text(error: vk::Result) -> String {
    error.to_string()
}
