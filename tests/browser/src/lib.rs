//! A headless Chromium, and a web server on this machine alone for the pages that it opens.

mod browser;
mod server;

pub use browser::{Browser, Gpu};
pub use server::{Answer, Request, serve};
