//! A browser answers when the call is over, and nothing may wait for it meanwhile.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{self, Poll};

use futures::channel::oneshot;
use futures::future::FutureExt;

use super::typed;
use crate::error::{Error, Result};

/// What scopes of calls that are over have caught, as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct Reports(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    /// The first error; what came after it may be its consequence.
    first: Option<Error>,
    /// The answers that are still to come, in the order of the calls.
    awaited: VecDeque<oneshot::Receiver<Option<Error>>>,
}

impl Reports {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens to what the scopes of a call have caught.
    pub(super) fn hear<F: Future<Output = Option<wgpu::Error>> + 'static>(
        &self,
        during: &'static str,
        scopes: [F; 3],
    ) -> Result<()> {
        let (sender, answer) = oneshot::channel();
        wasm_bindgen_futures::spawn_local(async move {
            let mut first = None;
            for scope in scopes {
                let caught = scope.await;
                first = first.or(caught);
            }
            // The receiver may be gone by then: nobody asks any longer.
            drop(sender.send(first.map(|error| typed(during, &error))));
        });
        let mut told = self.told();
        told.awaited.push_back(answer);
        // What is never read back is never polled: the answers that are there make room.
        told.poll(&mut task::Context::from_waker(task::Waker::noop()));
        Ok(())
    }

    /// Hands over what has not been told yet.
    pub(crate) fn take(&self) -> Self {
        Self(Mutex::new(std::mem::take(&mut *self.told())))
    }

    /// Adds the reports of later calls.
    pub(crate) fn add(&mut self, later: Self) {
        let later = later.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut told = self.told();
        told.first = told.first.take().or(later.first);
        told.awaited.extend(later.awaited);
    }

    /// Ready with the first error, or when all calls are known to have gone well.
    pub(crate) fn poll(&mut self, task: &mut task::Context<'_>) -> Poll<Result<()>> {
        let mut told = self.told();
        let is_known = told.poll(task);
        match &told.first {
            Some(error) => Poll::Ready(Err(error.clone())),
            None if is_known => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    }
}

impl Told {
    /// Takes in the answers that are there; whether these are all.
    fn poll(&mut self, task: &mut task::Context<'_>) -> bool {
        while let Some(answer) = self.awaited.front_mut() {
            let Poll::Ready(answer) = answer.poll_unpin(task) else { return false };
            self.awaited.pop_front();
            self.first = self.first.take().or(answer.unwrap_or_default());
        }
        true
    }
}
