//! What the program is linked to, and where it starts: what each of it takes is in docs/measurements.md.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(c_main)");
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    let is_quick = std::env::var_os("CARGO_FEATURE_QUICK_START").is_some();
    if !is_quick || target("OS") != "linux" || target("ENV") != "gnu" {
        return;
    }
    // See `start.rs` of copyist-start.
    println!("cargo::rustc-cfg=c_main");
    let is_static = target("FEATURE").split(',').any(|it| it == "crt-static");
    if !is_static {
        // The unwinder from the compiler's archive instead of its shared library, as with
        // `gcc -static-libgcc`; the name as it is, or a shared library would be looked for.
        println!("cargo::rustc-link-lib=dylib:+verbatim=libgcc_eh.a");
    }
}
