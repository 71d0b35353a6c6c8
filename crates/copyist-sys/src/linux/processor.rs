//! The processor that a thread is on.

use rustix::thread::{sched_getaffinity, sched_getcpu, sched_setaffinity};

/// The number of the processor that the calling thread is on. It may be on another one by now.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man3/sched_getcpu.3.html)
pub fn processor() -> usize {
    sched_getcpu()
}

/// Moves the calling thread to another processor that it may use, if it is on this one and there is one, and
/// answers whether it has. Which it may use stays as it was.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/sched_setaffinity.2.html)
pub fn leave_processor(number: usize) -> bool {
    if processor() != number {
        return false;
    }
    // The call fails where there are more processors than the set has room for: then it stays.
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
