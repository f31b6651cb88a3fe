use std::{fs, path::Path};

/// Rejects `output` if it is `folder`, which something else needs as it is; `role` says what the folder is.
pub(crate) fn check_output(output: &Path, folder: Option<&Path>, role: &str) -> Result<(), String> {
    let canonical = |path: &Path| fs::canonicalize(path).ok();
    let folder = folder.and_then(canonical);
    if folder.is_some() && folder == canonical(output) {
        return Err(format!(
            "{} is the folder of {role}: give another with --output",
            output.display()
        ));
    }
    Ok(())
}
