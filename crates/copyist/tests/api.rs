//! What the library's API promises beside the copy itself.

#![forbid(unsafe_code)]

use std::fs;
use std::sync::{Arc, Mutex};

use copyist::options::{NewMode, Sparse};
use copyist::{Copier, Event, Progress};

type Tested = Result<(), Box<dyn std::error::Error>>;

/// It has cloned, or there is nothing; whatever the other options say.
#[test]
fn clone_file_clones_or_leaves_nothing() -> Tested {
    let temp = tempfile::tempdir()?;
    let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
    for bytes in [100, 1 << 20] {
        fs::write(&src, vec![b'x'; bytes])?;
        let copiers = [
            Copier::new(),
            Copier::new().sparse(Sparse::Auto),
            Copier::new().new_mode(NewMode::SystemDefault),
        ];
        for copier in copiers {
            match copier.clone_file(&src, &dst) {
                Ok(report) => {
                    assert_eq!(report.cloned(), bytes as u64);
                    fs::remove_file(&dst)?;
                }
                Err(error) => {
                    assert!(error.code().is_some(), "{error}");
                    assert!(!dst.exists());
                }
            }
            // It has taught the copier nothing that copies need.
            let report = copier.copy(&src, &dst)?;
            assert_eq!(report.bytes(), bytes as u64);
            fs::remove_file(&dst)?;
        }
    }
    Ok(())
}

/// Each call counts from 0.
#[test]
fn closures_are_told_of_each_call() -> Tested {
    let temp = tempfile::tempdir()?;
    let src = temp.path().join("src");
    fs::create_dir(&src)?;
    for name in ["a", "b"] {
        fs::write(src.join(name), vec![b'x'; 5000])?;
    }
    let told: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let files: Arc<Mutex<u64>> = Arc::default();
    let (progress, events) = (Arc::clone(&told), Arc::clone(&files));
    let copier = Copier::new()
        .ordered(true)
        .on_progress(move |it| progress.lock().expect("no panic").push(it))
        .on_event(move |event| {
            if let Event::File { .. } = event {
                *events.lock().expect("no panic") += 1;
            }
        });
    for (name, n) in [("first", 1), ("second", 2)] {
        copier.copy_tree(&src, temp.path().join(name))?;
        let told = std::mem::take(&mut *told.lock().expect("no panic"));
        let last = told.last().expect("there was progress");
        assert_eq!((last.bytes(), last.files()), (10_000, 2), "{name}");
        assert!(told.is_sorted_by_key(|it| (it.bytes(), it.files())));
        assert_eq!(*files.lock().expect("no panic"), 2 * n);
    }
    Ok(())
}

/// The same where the small file's straight line leaves it to the engine.
#[test]
fn errors_name_their_paths_and_keep_the_code() -> Tested {
    let temp = tempfile::tempdir()?;
    let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
    let error = copyist::copy(&src, &dst).expect_err("there is no source");
    assert_eq!(error.source_path(), Some(&*src));
    let std = fs::copy(&src, &dst).expect_err("there is no source");
    let io = std::io::Error::from(error);
    assert_eq!(io.raw_os_error(), std.raw_os_error());
    fs::write(&src, "data")?;
    let error = copyist::copy(&src, &src).expect_err("the same file");
    assert!(error.code().is_none());
    let io = std::io::Error::from(error);
    assert!(io.raw_os_error().is_none() && io.to_string().contains("same file"));
    assert_eq!(fs::read(&src)?, b"data");
    Ok(())
}
