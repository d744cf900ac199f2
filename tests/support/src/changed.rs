//! Results that differ from others in a few numbers.

/// The value after a change.
pub fn changed<T>(mut value: T, change: impl FnOnce(&mut T)) -> T {
    change(&mut value);
    value
}
