//! What every application can be asked for.

use std::path::PathBuf;

/// What every application can be asked for; a part of its command line.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// Draws without a window, into this PNG file: the last of the frames.
    #[arg(long, value_name = "PICTURE")]
    pub headless: Option<PathBuf>,

    /// How many frames there are. Left out, a picture is the 300th, and a window goes on until it
    /// is closed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub frames: Option<u32>,

    /// Every so many frames, writes a picture more: PICTURE-00010.png and so on.
    #[arg(long, value_name = "K", requires = "headless", value_parser = clap::value_parser!(u32).range(1..))]
    pub every: Option<u32>,

    /// Width and height in pixels.
    #[arg(long, value_name = "WxH", default_value = "1000x640", value_parser = parse_size)]
    pub size: [u32; 2],

    /// Takes the first adapter whose name, driver or backend contains this text.
    #[arg(long, value_name = "TEXT")]
    pub adapter: Option<String>,
}

/// Frames of a picture where none are asked for.
const USUAL_FRAMES: u32 = 300;

impl Arguments {
    /// Frames of a picture.
    pub(crate) fn picture_frames(&self) -> u32 {
        self.frames.unwrap_or(USUAL_FRAMES)
    }
}

/// Sides of what can be drawn: the panel needs some room, and textures have a largest size.
const SIDES: std::ops::RangeInclusive<u32> = 320..=4096;

fn parse_size(text: &str) -> Result<[u32; 2], String> {
    let sides = text
        .split_once('x')
        .and_then(|(width, height)| Some([width.parse().ok()?, height.parse().ok()?]));
    match sides {
        Some(sides) if sides.iter().all(|side| SIDES.contains(side)) => Ok(sides),
        _ => Err(format!("expected WIDTHxHEIGHT, each from {} to {}", SIDES.start(), SIDES.end())),
    }
}
