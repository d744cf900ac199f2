//! A headless Chromium with WebGPU on its own software adapter, which computes the same everywhere.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::{env, fs, io, process, thread};

const ARGUMENTS: [&str; 10] = [
    "--headless",
    // Its sandbox does not run as root, as which CI runs; it opens nothing but the pages of tests.
    "--no-sandbox",
    // Containers give little shared memory.
    "--disable-dev-shm-usage",
    // It speaks to nobody else.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
];

const SOFTWARE: [&str; 6] = [
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=Vulkan,WebGPU",
    // What WebGPU draws on a canvas can only be shown by what draws the page in the same way.
    "--use-vulkan=swiftshader",
    "--use-angle=swiftshader",
    "--ignore-gpu-blocklist",
];

/// What of WebGPU the browser has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gpu {
    /// Its software adapter.
    Software,
    /// Nothing.
    None,
}

/// A running browser with a profile of its own; ends with this value.
#[derive(Debug)]
pub struct Browser {
    process: Child,
    profile: PathBuf,
    /// Hears what pages say in the console, until the end.
    console: Option<JoinHandle<Vec<String>>>,
}

impl Browser {
    /// Opens the page at an address, with these arguments beside the usual ones.
    ///
    /// # Errors
    ///
    /// That it cannot be run.
    pub fn open(chromium: &Path, address: &str, gpu: Gpu, more: &[String]) -> io::Result<Self> {
        let mut command = Command::new(chromium);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Self::start(command, address, gpu, more)
    }

    /// Starts what opens the page at an address once these arguments are added.
    pub(crate) fn start(
        mut command: Command,
        address: &str,
        gpu: Gpu,
        more: &[String],
    ) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let profile = env::temp_dir().join(format!("browser-{}-{number}", process::id()));
        let of_gpu: &[&str] = match gpu {
            Gpu::Software => &SOFTWARE,
            Gpu::None => &["--disable-gpu", "--disable-features=WebGPU"],
        };
        let mut process = command
            .args(ARGUMENTS)
            .args(of_gpu)
            .args(more)
            .arg("--enable-logging=stderr")
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(address)
            .stderr(Stdio::piped())
            .spawn()?;
        let said = process.stderr.take();
        let console = thread::spawn(move || {
            let lines =
                said.into_iter().flat_map(|said| BufReader::new(said).split(b'\n')).flatten();
            let lines = lines.map(|line| String::from_utf8_lossy(&line).into_owned());
            lines.filter(|line| line.contains("CONSOLE")).collect()
        });
        Ok(Self { process, profile, console: Some(console) })
    }

    /// What it is spoken to with, and what it answers with, where these are pipes.
    pub(crate) fn pipes(&mut self) -> Option<(ChildStdin, ChildStdout)> {
        Some((self.process.stdin.take()?, self.process.stdout.take()?))
    }

    /// Ends it, where it has not ended; what pages have said in the console.
    pub fn console(mut self) -> Vec<String> {
        self.end();
        self.console.take().and_then(|console| console.join().ok()).unwrap_or_default()
    }

    fn end(&mut self) {
        // Whatever of it is left harms nobody, and there is nobody to tell.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.end();
        let _ = fs::remove_dir_all(&self.profile);
    }
}
