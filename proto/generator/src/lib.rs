//! The code that the build script has generated, against the committed one.

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    /// `UPDATE_GENERATED=1` updates the committed code.
    #[test]
    fn committed_code_matches_the_contract() {
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/generated");
        for file in ["imageclassifier.rs", "inference.rs", "descriptor_set.bin"] {
            let expected = fs::read(Path::new(env!("OUT_DIR")).join(file)).unwrap();
            if env::var_os("UPDATE_GENERATED").is_some() {
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
}
