//! Compares the committed Rust code with freshly generated code. `UPDATE_GENERATED=1` updates it.

use std::{fs, path::Path};

use prost_types::FileDescriptorSet;
use protox::prost::Message;

#[test]
fn generated_code_matches_the_contract() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let committed = root.join("src/generated");
    let fresh = tempfile::tempdir().unwrap();

    // No message of ours refers to the error details, but tools that print errors get them by server reflection.
    let contract = [
        "image_classifier.proto",
        "inference.proto",
        "google/rpc/error_details.proto",
    ];
    let descriptors = protox::compile(contract, [root]).unwrap();
    fs::write(
        fresh.path().join("descriptor_set.bin"),
        descriptors.encode_to_vec(),
    )
    .unwrap();
    generate(descriptors, fresh.path());

    for file in ["imageclassifier.rs", "inference.rs", "descriptor_set.bin"] {
        let expected = fs::read(fresh.path().join(file)).unwrap();
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            fs::create_dir_all(&committed).unwrap();
            fs::write(committed.join(file), &expected).unwrap();
        }
        let actual = fs::read(committed.join(file)).unwrap_or_default();
        assert!(
            actual == expected,
            "{file} is stale: run `cargo xtask generate`"
        );
    }
}

fn generate(descriptors: FileDescriptorSet, out_dir: &Path) {
    tonic_prost_build::configure()
        .bytes(".")
        .build_transport(false)
        .extern_path(".google.rpc", "::tonic_types::pb")
        .server_mod_attribute(".", "#[cfg(feature = \"server\")]")
        .out_dir(out_dir)
        .compile_fds(descriptors)
        .expect("the contract compiles and out_dir can be written");
}
