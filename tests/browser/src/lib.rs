//! A headless Chromium, what is done in it, and a web server on this machine alone for its pages.

mod browser;
mod developer;
mod server;

pub use browser::{Browser, Gpu};
pub use developer::{Developer, Trouble};
pub use server::{Answer, Request, serve};
