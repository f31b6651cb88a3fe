use std::{fs, io::Write, path::Path};

use crate::{
    root,
    tools::{command, page_tools, run},
};

/// Builds the page into `dist/`, each file that shrinks with its compressed form beside it.
pub(crate) fn build() -> anyhow::Result<()> {
    let path = page_tools()?;
    // Trunk runs cargo offline, so that it takes its tools from PATH.
    run(command("cargo").args(["fetch", "--quiet", "--locked"]))?;
    run(command("trunk")
        .args(["build", "--release"])
        .env("PATH", path)
        .env("NO_COLOR", "true"))?;
    for entry in fs::read_dir(root().join("dist"))? {
        let file = entry?.path();
        let extension = file.extension().and_then(|extension| extension.to_str());
        if matches!(extension, Some("wasm" | "js" | "css" | "html" | "svg")) {
            compress(&file)?;
        }
    }
    Ok(())
}

fn compress(file: &Path) -> anyhow::Result<()> {
    const BUFFER_BYTES: usize = 4096;
    const QUALITY_BEST: u32 = 11;
    const WINDOW_BITS: u32 = 22;
    let bytes = fs::read(file)?;
    let mut compressed = Vec::new();
    brotli::CompressorWriter::new(&mut compressed, BUFFER_BYTES, QUALITY_BEST, WINDOW_BITS)
        .write_all(&bytes)?;
    let name = file
        .file_name()
        .expect("a file has a name")
        .to_string_lossy();
    println!(
        "{name}: {} bytes, {} with brotli",
        bytes.len(),
        compressed.len()
    );
    fs::write(file.with_file_name(format!("{name}.br")), compressed)?;
    Ok(())
}
