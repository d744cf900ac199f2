//! What the page asks for, in WebAssembly: it runs in a worker of the page, so that nothing here
//! keeps the page from being drawn or used.

#![cfg(target_arch = "wasm32")]
// What JavaScript calls is public to it alone, and so is what belongs to the program.
#![allow(unreachable_pub)]

// The files of the program that the page needs too.
#[expect(dead_code, reason = "the page has no exit code, no output and no deadline")]
#[path = "../../../cli/src/error.rs"]
mod error;
#[path = "../../../cli/src/kind.rs"]
mod kind;
#[path = "../../../cli/src/labels.rs"]
mod labels;
#[path = "../../../cli/src/names.rs"]
mod names;
#[path = "../../../cli/src/npy.rs"]
mod npy;
#[path = "../../../cli/src/objective.rs"]
mod objective;
#[expect(dead_code, reason = "the page has its own tables")]
#[path = "../../../cli/src/place.rs"]
mod place;
#[path = "../../../cli/src/sizes.rs"]
mod sizes;

mod bench;
mod own;
mod plane;
mod validate;
mod watch;

use std::panic;

use error::{Error, Result};
use futures::channel::oneshot;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// Of the worker (`worker.js`).
    #[wasm_bindgen(js_name = tellMistake)]
    fn tell_mistake(words: &str);
}

/// A mistake of the page's own is told, where it came from included.
#[wasm_bindgen(start)]
fn begin() {
    panic::set_hook(Box::new(|panic| tell_mistake(&panic.to_string())));
}

/// Hears when the GPU has done all that was submitted so far.
fn done(queue: &wgpu::Queue) -> oneshot::Receiver<()> {
    let (sender, end) = oneshot::channel();
    queue.on_submitted_work_done(move || {
        // Nobody may wait any longer.
        let _ = sender.send(());
    });
    end
}
