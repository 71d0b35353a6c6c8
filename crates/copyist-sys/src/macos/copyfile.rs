use std::ffi::{CStr, c_char, c_int, c_void};
use std::os::fd::{AsFd, AsRawFd};

use rustix::io::Errno;

use crate::callback::{Answer, Callback, Said};

/// What `copyfile` is to copy. libc has no COPYFILE_ALL; copyfile.h makes it of these parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// COPYFILE_ACL: access control lists.
    pub acl: bool,
    /// COPYFILE_STAT: mode, owner, times, flags.
    pub stat: bool,
    /// COPYFILE_XATTR: extended attributes, resource fork and Finder information among them; and
    /// with the data of a file that is kept compressed (decmpfs), its compressed form.
    pub xattrs: bool,
    /// COPYFILE_DATA_SPARSE: holes, where both volumes have them; else they are filled.
    pub holes: bool,
}

impl Contents {
    /// The data, and what was chosen.
    fn flags(self) -> libc::copyfile_flags_t {
        let chosen = [
            (self.acl, libc::COPYFILE_ACL),
            (self.stat, libc::COPYFILE_STAT),
            (self.xattrs, libc::COPYFILE_XATTR),
            (self.holes, libc::COPYFILE_DATA_SPARSE),
        ];
        let chosen = chosen.iter().filter(|(is_chosen, _)| *is_chosen);
        chosen.fold(libc::COPYFILE_DATA, |flags, (_, flag)| flags | flag)
    }
}

/// A `copyfile_state_t`, freed on every path.
struct State(libc::copyfile_state_t);

impl State {
    fn new() -> Result<State, Errno> {
        // SAFETY: the call takes nothing, and what it returns is ours to free.
        let state = unsafe { libc::copyfile_state_alloc() };
        if state.is_null() {
            Err(Errno::NOMEM)
        } else {
            Ok(State(state))
        }
    }

    /// Sets `callback` as the receiver of all messages.
    fn watch(&self, callback: &mut Callback<'_>) -> Result<(), Errno> {
        let function = hear as StatusFunction as *const c_void;
        let context: *mut Callback<'_> = callback;
        for (key, value) in [
            (libc::COPYFILE_STATE_STATUS_CB, function),
            (libc::COPYFILE_STATE_STATUS_CTX, context.cast_const().cast()),
        ] {
            // SAFETY: the state is alive. For these keys copyfile keeps the pointer itself, a
            // function of the type that copyfile.h asks for, or what that function is given.
            super::succeed(unsafe {
                libc::copyfile_state_set(self.0, key.cast_unsigned(), value)
            })?;
        }
        Ok(())
    }

    /// Whether COPYFILE_CLONE cloned.
    fn was_cloned(&self) -> bool {
        let mut cloned = false;
        // SAFETY: the state is alive, and for this key the call writes one `bool`.
        let result = unsafe {
            libc::copyfile_state_get(
                self.0,
                libc::COPYFILE_STATE_WAS_CLONED.cast_unsigned(),
                (&raw mut cloned).cast(),
            )
        };
        result == 0 && cloned
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // SAFETY: it came from copyfile_state_alloc and is freed once. It closes the descriptors
        // that copyfile opened itself, which were synced or given up before; what fails here could
        // not be acted upon.
        unsafe { libc::copyfile_state_free(self.0) };
    }
}

/// The bytes that a copy has moved.
fn copied(state: libc::copyfile_state_t) -> u64 {
    let mut copied: libc::off_t = 0;
    // SAFETY: copyfile gives its callback the state that it works on, or `State` lends its own;
    // for this key the call writes one `off_t`.
    let result = unsafe {
        libc::copyfile_state_get(
            state,
            libc::COPYFILE_STATE_COPIED.cast_unsigned(),
            (&raw mut copied).cast(),
        )
    };
    if result == 0 {
        u64::try_from(copied).unwrap_or(0)
    } else {
        0
    }
}

/// `copyfile_callback_t` of copyfile.h.
type StatusFunction = unsafe extern "C" fn(
    c_int,
    c_int,
    libc::copyfile_state_t,
    *const c_char,
    *const c_char,
    *mut c_void,
) -> c_int;

/// What copyfile calls: puts what it says into the words of [`Callback`].
///
/// # Safety
///
/// `context` is the [`Callback`] that [`State::watch`] set, and nobody else uses it meanwhile.
unsafe extern "C" fn hear(
    what: c_int,
    stage: c_int,
    state: libc::copyfile_state_t,
    _src: *const c_char,
    _dst: *const c_char,
    context: *mut c_void,
) -> c_int {
    let said = match (what, stage) {
        (libc::COPYFILE_COPY_DATA, libc::COPYFILE_PROGRESS) => Said::Progress(copied(state)),
        (_, libc::COPYFILE_ERR) => {
            let errno = super::last_error();
            Said::Failed {
                code: errno.raw_os_error(),
                again: errno == Errno::INTR,
            }
        }
        _ => Said::Other,
    };
    // SAFETY: by this function's own condition; copyfile calls it on the thread that called
    // copyfile, which waits.
    let callback = unsafe { &mut *context.cast::<Callback<'_>>() };
    match callback.hear(said) {
        Answer::Continue => libc::COPYFILE_CONTINUE,
        Answer::Quit => libc::COPYFILE_QUIT,
    }
}

/// `fcopyfile(src, dst, state, flags)`: copies the data between open files, and of the rest what
/// `contents` says. It doesn't know COPYFILE_CLONE.
///
/// Returns the number of bytes copied; 0 for a file that was copied in its compressed form.
///
/// # References
///  - [Apple](https://keith.github.io/xcode-man-pages/copyfile.3.html)
///
/// # Errors
///
/// Of the call; cancellation by the callback is told apart.
pub fn fcopyfile(
    src: impl AsFd,
    dst: impl AsFd,
    contents: Contents,
    mut callback: Callback<'_>,
) -> Result<u64, crate::callback::Stopped> {
    let state = State::new().map_err(stopped)?;
    state.watch(&mut callback).map_err(stopped)?;
    // SAFETY: both descriptors are borrowed until the call returns; the state is alive, and so is
    // the callback that it points to.
    let result = unsafe {
        libc::fcopyfile(
            src.as_fd().as_raw_fd(),
            dst.as_fd().as_raw_fd(),
            state.0,
            contents.flags(),
        )
    };
    let result = super::succeed(result).map_err(Errno::raw_os_error);
    callback.finish(result)?;
    Ok(copied(state.0))
}

/// `copyfile(src, dst, state, flags)`: makes `dst`, which must not exist (COPYFILE_EXCL), and
/// follows no symbolic link in either last name.
///
/// With `clone` (COPYFILE_CLONE) it shares the extents where it can, and copies all attributes; then the callback is
/// not called.
///
/// Returns whether it cloned.
///
/// # References
///  - [Apple](https://keith.github.io/xcode-man-pages/copyfile.3.html)
///
/// # Errors
///
/// As [`fcopyfile`]. What was copied of the data is then removed by the call, but for EEXIST.
pub fn copyfile(
    src: &CStr,
    dst: &CStr,
    clone: bool,
    contents: Contents,
    mut callback: Callback<'_>,
) -> Result<bool, crate::callback::Stopped> {
    let state = State::new().map_err(stopped)?;
    state.watch(&mut callback).map_err(stopped)?;
    let mut flags = contents.flags() | libc::COPYFILE_EXCL | libc::COPYFILE_NOFOLLOW;
    if clone {
        flags |= libc::COPYFILE_CLONE;
    }
    // SAFETY: both paths end in a NUL and live until the call returns; the state is alive, and so
    // is the callback that it points to.
    let result = unsafe { libc::copyfile(src.as_ptr(), dst.as_ptr(), state.0, flags) };
    let result = super::succeed(result).map_err(Errno::raw_os_error);
    callback.finish(result)?;
    Ok(state.was_cloned())
}

fn stopped(errno: Errno) -> crate::callback::Stopped {
    crate::callback::Stopped::Failed(errno.raw_os_error())
}
