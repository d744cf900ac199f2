//! Work that is shared out among threads: rayon's. In a browser, where WebAssembly has one thread,
//! it goes one after the other under the same names, and rayon is not compiled.
//!
//! What is done for every loss goes through the functions here, whose ways into rayon are compiled
//! once and not for each of them.

use std::sync::OnceLock;

use prelude::*;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use rayon::{current_num_threads, current_thread_index, join, prelude, scope};

#[cfg(target_arch = "wasm32")]
pub(crate) use alone::*;

/// Does something in the pool of threads, with one way there for all that runs in parallel in it.
pub(crate) fn in_pool<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    fn enter(work: &mut (dyn FnMut() + Send)) {
        scope(|_| work());
    }
    let (mut work, mut result) = (Some(work), None);
    enter(&mut || result = work.take().map(|work| work()));
    result.expect("a scope ends when its work is done")
}

/// What is found for every number below this one, in their order.
pub(crate) fn map<T: Send + Sync>(count: usize, find: &(dyn Fn(usize) -> T + Sync)) -> Vec<T> {
    fn for_each(count: usize, work: &(dyn Fn(usize) + Sync)) {
        (0..count).into_par_iter().for_each(work);
    }
    let found: Vec<_> = (0..count).map(|_| OnceLock::new()).collect();
    for_each(count, &|at| {
        // Nobody else has set it.
        let _ = found[at].set(find(at));
    });
    let found = found.into_iter().map(OnceLock::into_inner);
    found.map(|one| one.expect("every number has been gone through")).collect()
}

#[cfg(target_arch = "wasm32")]
mod alone {
    pub(crate) fn current_num_threads() -> usize {
        1
    }

    pub(crate) fn current_thread_index() -> Option<usize> {
        None
    }

    pub(crate) fn join<A, B>(one: impl FnOnce() -> A, other: impl FnOnce() -> B) -> (A, B) {
        (one(), other())
    }

    pub(crate) fn scope<T>(work: impl FnOnce(()) -> T) -> T {
        work(())
    }

    pub(crate) mod prelude {
        use std::slice::{Chunks, ChunksExactMut, ChunksMut, Iter, IterMut};

        pub(crate) trait IntoParallelIterator: IntoIterator + Sized {
            fn into_par_iter(self) -> Self::IntoIter {
                self.into_iter()
            }
        }

        impl<T: IntoIterator> IntoParallelIterator for T {}

        pub(crate) trait ParallelIterator: Iterator + Sized {
            fn for_each_init<S>(
                self,
                init: impl Fn() -> S,
                mut each: impl FnMut(&mut S, Self::Item),
            ) {
                let mut state = init();
                self.for_each(|one| each(&mut state, one));
            }

            fn reduce_with(
                self,
                join: impl FnMut(Self::Item, Self::Item) -> Self::Item,
            ) -> Option<Self::Item> {
                self.reduce(join)
            }

            fn try_for_each_init<S, E>(
                mut self,
                init: impl Fn() -> S,
                mut each: impl FnMut(&mut S, Self::Item) -> Result<(), E>,
            ) -> Result<(), E> {
                let mut state = init();
                self.try_for_each(|one| each(&mut state, one))
            }
        }

        impl<T: Iterator> ParallelIterator for T {}

        pub(crate) trait ParallelExtend<T>: Extend<T> {
            fn par_extend(&mut self, all: impl IntoIterator<Item = T>) {
                self.extend(all);
            }
        }

        impl<T> ParallelExtend<T> for Vec<T> {}

        pub(crate) trait ParallelSlice<T> {
            fn par_iter(&self) -> Iter<'_, T>;
            fn par_iter_mut(&mut self) -> IterMut<'_, T>;
            fn par_chunks(&self, len: usize) -> Chunks<'_, T>;
            fn par_chunks_mut(&mut self, len: usize) -> ChunksMut<'_, T>;
            fn par_chunks_exact_mut(&mut self, len: usize) -> ChunksExactMut<'_, T>;
            fn par_sort_unstable(&mut self)
            where
                T: Ord;
        }

        impl<T> ParallelSlice<T> for [T] {
            fn par_iter(&self) -> Iter<'_, T> {
                self.iter()
            }

            fn par_iter_mut(&mut self) -> IterMut<'_, T> {
                self.iter_mut()
            }

            fn par_chunks(&self, len: usize) -> Chunks<'_, T> {
                self.chunks(len)
            }

            fn par_chunks_mut(&mut self, len: usize) -> ChunksMut<'_, T> {
                self.chunks_mut(len)
            }

            fn par_chunks_exact_mut(&mut self, len: usize) -> ChunksExactMut<'_, T> {
                self.chunks_exact_mut(len)
            }

            fn par_sort_unstable(&mut self)
            where
                T: Ord,
            {
                self.sort_unstable();
            }
        }
    }
}
