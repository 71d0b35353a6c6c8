//! Helpers for mutexes and atomic sums.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex, also after another thread has panicked with it: no code here leaves the data behind
/// a lock inconsistent.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds to a sum of bytes. The sum saturates: the sizes of sparse files together can exceed 2^64.
pub(crate) fn add_bytes(sum: &AtomicU64, bytes: u64) {
    let add = |sum: u64| Some(sum.saturating_add(bytes));
    // The closure never returns None.
    let _ = sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::add_bytes;

    #[test]
    fn a_sum_that_is_too_large_is_the_largest_number() {
        let sum = AtomicU64::new(0);
        let sums = [1, 2, 3].map(|_| {
            add_bytes(&sum, i64::MAX.cast_unsigned());
            sum.load(Ordering::Relaxed)
        });
        let most = i64::MAX.cast_unsigned();
        assert_eq!(sums, [most, 2 * most, u64::MAX]);
    }
}
