//! Generates the Rust code of the contract.

use std::{env, fs, path::PathBuf};

use protox::prost::Message;

/// No message of ours refers to the error details, but tools that print errors get them by server reflection.
const CONTRACT: [&str; 3] = [
    "image_classifier.proto",
    "inference.proto",
    "google/rpc/error_details.proto",
];

fn main() {
    let folder = |variable| PathBuf::from(env::var_os(variable).expect("cargo sets it"));
    let (proto, out) = (folder("CARGO_MANIFEST_DIR").join(".."), folder("OUT_DIR"));
    for file in CONTRACT {
        println!("cargo::rerun-if-changed={}", proto.join(file).display());
    }
    let descriptors = match protox::compile(CONTRACT, [proto]) {
        Ok(descriptors) => descriptors,
        Err(error) => {
            println!("cargo::error={error:?}");
            return;
        }
    };
    fs::write(out.join("descriptor_set.bin"), descriptors.encode_to_vec())
        .expect("cargo has created the folder");
    tonic_prost_build::configure()
        .bytes(".")
        .build_transport(false)
        .extern_path(".google.rpc", "::tonic_types::pb")
        .server_mod_attribute(".", "#[cfg(feature = \"server\")]")
        .out_dir(out)
        .compile_fds(descriptors)
        .expect("the contract compiles and the folder can be written");
}
