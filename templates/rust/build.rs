//! Links the kernel and its tests by kernel.ld.

use std::env;

fn main() {
    let directory = env::var("CARGO_MANIFEST_DIR").unwrap();
    println!("cargo:rustc-link-arg=-T{directory}/kernel.ld");
    println!("cargo:rerun-if-changed=kernel.ld");

    // A target that has an operating system links for that, unless told not to.
    if env::var("CARGO_CFG_TARGET_OS").unwrap() != "none" {
        for argument in ["-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none"] {
            println!("cargo:rustc-link-arg={argument}");
        }
    }
}
