//! Pictures without a window.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::frames::Frames;
use super::waiting::PICTURE_FORMAT;
use super::{Arguments, Scene};
use crate::{Error, Gpu, Result};

const BYTES_PER_PIXEL: u32 = 4;
/// The time that controls see pass between two frames.
const SECONDS_PER_FRAME: f64 = 1.0 / 60.0;

/// Draws the frames one after the other, writes the pictures that are asked for, and prints the
/// scene's summary.
pub(crate) fn run<S: Scene>(
    arguments: &Arguments,
    path: &Path,
    make: impl FnOnce(&Gpu) -> Result<S>,
) -> Result<()> {
    let gpu = Gpu::headless(arguments.adapter.as_deref())?;
    // What cannot be written is not computed either.
    File::create(path).map_err(|error| Error::picture(path, error))?;
    let mut scene = make(&gpu)?;
    let mut frames = Frames::new(&gpu);
    let target = target(gpu.context.device(), arguments.size);
    let last = arguments.picture_frames();
    for number in 1..=last {
        frames.frame(&gpu, &mut scene, &target, input(arguments.size, number))?;
        gpu.wait()?;
        if arguments.every.is_some_and(|every| number % every == 0) {
            write(&numbered(path, number), arguments.size, &read(&gpu, &target)?)?;
        }
    }
    write(path, arguments.size, &read(&gpu, &target)?)?;
    let _ = writeln!(io::stdout(), "{}", scene.summary()?);
    Ok(())
}

fn target(device: &wgpu::Device, [width, height]: [u32; 2]) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: Some("picture"),
        size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: PICTURE_FORMAT,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    })
}

/// What the controls see of the world: its size, and how time passes.
fn input(size: [u32; 2], frame: u32) -> egui::RawInput {
    let [width, height] = size.map(|side| side as f32);
    egui::RawInput {
        screen_rect: Some(egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(width, height))),
        time: Some(f64::from(frame) * SECONDS_PER_FRAME),
        ..Default::default()
    }
}

/// `PICTURE-00010.png` of `PICTURE.png`.
fn numbered(path: &Path, frame: u32) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{frame:05}.png"))
}

/// The red, green and blue of the picture's pixels, row by row.
fn read(gpu: &Gpu, target: &wgpu::Texture) -> Result<Vec<u8>> {
    let device = gpu.context.device();
    let row = target.width() * BYTES_PER_PIXEL;
    let padded_row = row.next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("pixels"),
        size: u64::from(padded_row) * u64::from(target.height()),
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let layout = wgpu::TexelCopyBufferLayout {
        offset: 0,
        bytes_per_row: Some(padded_row),
        rows_per_image: None,
    };
    encoder.copy_texture_to_buffer(
        target.as_image_copy(),
        wgpu::TexelCopyBufferInfo { buffer: &buffer, layout },
        target.size(),
    );
    gpu.context.queue().submit([encoder.finish()]);
    buffer.map_async(wgpu::MapMode::Read, .., |_| ());
    gpu.wait()?;
    let bytes = buffer.get_mapped_range(..).map_err(|error| Error::Gpu(error.to_string()))?;
    let rows = bytes.chunks_exact(padded_row as usize).map(|padded| &padded[..row as usize]);
    // Nothing is transparent: red, green and blue are all there is to know.
    Ok(rows
        .flat_map(|row| row.chunks_exact(BYTES_PER_PIXEL as usize))
        .flat_map(|pixel| &pixel[..3])
        .copied()
        .collect())
}

fn write(path: &Path, [width, height]: [u32; 2], pixels: &[u8]) -> Result<()> {
    let file = File::create(path).map_err(|error| Error::picture(path, error))?;
    let mut encoder = png::Encoder::new(BufWriter::new(file), width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(pixels)?;
        writer.finish()
    });
    written.map_err(|error| Error::picture(path, error))
}
