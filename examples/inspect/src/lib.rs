//! Runs an application without a window and looks at what it has drawn.

use std::env;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use canvas::PALETTE;

/// Of the controls, at the right.
const CONTROLS_WIDTH: usize = 280;
/// Of the title above the drawing and of the legend below.
const HEADER: usize = 52;
const FOOTER: usize = 36;
/// How far a colour may be from one of the palette, in each channel, to be taken for it.
const TOLERANCE: u8 = 4;

/// A file of this name in a folder beside the running test.
pub fn file(name: &str) -> PathBuf {
    let folder = env::current_exe().expect("a running test").with_extension("pictures");
    fs::create_dir_all(&folder).expect("a folder for pictures");
    folder.join(name)
}

/// Runs the program with these arguments, parted by spaces.
pub fn run(program: &str, arguments: &str) -> Output {
    let mut command = Command::new(program);
    command.args(arguments.split_whitespace()).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command.env_remove("WAYLAND_SOCKET").output().expect("the program runs")
}

/// What it has drawn, and the Precision@1 that it prints.
pub fn picture(program: &str, name: &str, arguments: &str) -> (Picture, f64) {
    let path = file(name);
    let output = run(program, &format!("{arguments} --headless {}", path.display()));
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).expect("text");
    let (_, precision) = printed
        .trim()
        .rsplit_once("Precision@1 ")
        .unwrap_or_else(|| panic!("no precision: {printed}"));
    (Picture::read(&path), precision.parse().expect("a number"))
}

/// The program ends with this exit code and one line that says this.
#[track_caller]
pub fn fails(program: &str, arguments: &str, code: i32, message: &str) {
    let output = run(program, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments}: {errors}");
    let line = errors
        .lines()
        .filter(|line| line.starts_with("error: "))
        .find(|line| line.contains(message));
    assert!(line.is_some(), "{arguments}: not {message:?} but {errors}");
    assert!(!errors.contains("panicked"), "{arguments}: {errors}");
}

/// A picture's pixels: red, green and blue, row by row.
#[derive(PartialEq)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    /// Reads a PNG of 8 bits a channel.
    pub fn read(path: &Path) -> Self {
        let mut reader = png::Decoder::new(BufReader::new(File::open(path).expect("the picture")))
            .read_info()
            .expect("PNG");
        let mut bytes = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut bytes).expect("a picture");
        assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
        let pixels = bytes.chunks_exact(3).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        Self { width: info.width as usize, height: info.height as usize, pixels }
    }

    /// The colour there.
    pub fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        self.pixels[y * self.width + x]
    }

    /// The pixels of the drawing that have a colour of the palette: which, and where.
    pub fn colored(&self) -> Vec<(usize, [f64; 2])> {
        let places = (HEADER..self.height - FOOTER)
            .flat_map(|y| (0..self.width - CONTROLS_WIDTH).map(move |x| (x, y)));
        places
            .filter_map(|(x, y)| Some((class_of(self.pixel(x, y))?, [x as f64, y as f64])))
            .collect()
    }

    /// How well the colours are apart: the share of coloured pixels that are nearer to the middle
    /// of their own colour than to that of any other. Every one of `classes` colours must be
    /// there.
    pub fn separation(&self, classes: usize) -> f64 {
        let colored = self.colored();
        let middles: Vec<[f64; 2]> = (0..classes)
            .map(|class| {
                let own: Vec<_> = colored
                    .iter()
                    .filter(|(other, _)| *other == class)
                    .map(|(_, place)| place)
                    .collect();
                assert!(own.len() >= 20, "colour {class} has {} pixels", own.len());
                [0, 1]
                    .map(|axis| own.iter().map(|place| place[axis]).sum::<f64>() / own.len() as f64)
            })
            .collect();
        let distance = |place: &[f64; 2], class: usize| {
            (place[0] - middles[class][0]).hypot(place[1] - middles[class][1])
        };
        let is_home = |(class, place): &&(usize, [f64; 2])| {
            (0..classes).all(|other| distance(place, other) >= distance(place, *class))
        };
        colored.iter().filter(is_home).count() as f64 / colored.len() as f64
    }

    /// Of the black line in the controls, the height in every column that has one, from the left.
    pub fn curve(&self) -> Vec<usize> {
        let is_black = |pixel: [u8; 3]| pixel.iter().all(|&channel| channel < 40);
        let columns = self.width - CONTROLS_WIDTH + 1..self.width;
        columns
            .filter_map(|x| (HEADER..self.height).find(|&y| is_black(self.pixel(x, y))))
            .collect()
    }
}

fn class_of(pixel: [u8; 3]) -> Option<usize> {
    PALETTE.iter().position(|color| {
        color.iter().zip(pixel).all(|(&own, other)| own.abs_diff(other) <= TOLERANCE)
    })
}
