//! The processor that a thread runs on.

use rustix::thread::{sched_getaffinity, sched_getcpu, sched_setaffinity};

/// The number of the processor that the calling thread runs on. The thread may have been moved when the call returns.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man3/sched_getcpu.3.html)
pub fn processor() -> usize {
    sched_getcpu()
}

/// Moves the calling thread to another processor that it may use, if it runs on this one and there is another, and
/// returns whether it was moved. The set of processors that it may use stays the same.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/sched_setaffinity.2.html)
pub fn leave_processor(number: usize) -> bool {
    if processor() != number {
        return false;
    }
    // The call fails if there are more processors than the set can represent: then the thread is not moved.
    let Ok(all) = sched_getaffinity(None) else {
        return false;
    };
    let mut others = all;
    others.unset(number);
    if others.count() == 0 || sched_setaffinity(None, &others).is_err() {
        return false;
    }
    // What was allowed before the call can be allowed again.
    let _ = sched_setaffinity(None, &all);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_leaves_its_processor_and_may_use_the_same_ones_after() -> rustix::io::Result<()> {
        let all = sched_getaffinity(None)?;
        // It may be moved between the two calls, but not each time.
        let leaves = || (0..1000).any(|_| leave_processor(processor()));
        assert_eq!(leaves(), all.count() > 1);
        assert_eq!(sched_getaffinity(None)?, all);
        let mut one = all;
        one.clear();
        one.set(processor());
        sched_setaffinity(None, &one)?;
        assert!(!leaves(), "it may use no other");
        assert_eq!(sched_getaffinity(None)?, one);
        Ok(())
    }
}
