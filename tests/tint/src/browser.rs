//! A headless Chromium with WebGPU on its own software adapter, which computes the same everywhere.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs, io, process};

const ARGUMENTS: [&str; 13] = [
    "--headless",
    // Its sandbox does not run as root, as which CI runs; it opens nothing but the page below.
    "--no-sandbox",
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=Vulkan,WebGPU",
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

/// A running browser with a profile of its own; ends with this value.
pub(crate) struct Browser {
    process: Child,
    profile: PathBuf,
}

impl Browser {
    /// Opens the page at an address.
    pub(crate) fn open(chromium: &Path, address: &str) -> io::Result<Self> {
        let profile = env::temp_dir().join(format!("tint-{}", process::id()));
        let process = Command::new(chromium)
            .args(ARGUMENTS)
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { process, profile })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Whatever of it is left harms nobody, and there is nobody to tell.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}
