//! The spans of the `tracing` crate that the library enters.

use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The spans that are entered within `work` in this thread, in their order, with their fields.
pub(crate) fn spans_of(work: impl FnOnce()) -> Vec<String> {
    let spans = Spans::default();
    tracing::subscriber::with_default(spans.clone(), work);
    let entered = spans.entered.lock().unwrap();
    entered.clone()
}

/// Remembers the spans that are entered, with their fields.
#[derive(Clone, Default)]
struct Spans {
    known: Arc<Mutex<Vec<String>>>,
    entered: Arc<Mutex<Vec<String>>>,
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!(" {}={value:?}", field.name()));
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("wgpu_metric_learning")
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut text = Fields(attributes.metadata().name().into());
        attributes.record(&mut text);
        let mut known = self.known.lock().unwrap();
        known.push(text.0);
        Id::from_u64(known.len() as u64)
    }

    fn enter(&self, span: &Id) {
        let text = self.known.lock().unwrap()[span.into_u64() as usize - 1].clone();
        self.entered.lock().unwrap().push(text);
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn exit(&self, _: &Id) {}
}
