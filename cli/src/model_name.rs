use std::path::Path;

/// The last component of the model folder's path, or of `NAME/VERSION` the name.
pub(crate) fn model_name(folder: &Path) -> Result<String, String> {
    let is_version = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let mut names = folder.ancestors().map(|folder| {
        let name = folder.file_name().and_then(|name| name.to_str());
        name.unwrap_or_default().to_owned()
    });
    let (last, before) = (names.next().unwrap_or_default(), names.next());
    let name = before
        .filter(|name| is_version(&last) && !name.is_empty())
        .unwrap_or(last);
    if name.is_empty() {
        return Err(format!("{} has no name for the model", folder.display()));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_a_version_is_not_the_models_name() {
        let name = |folder: &str| model_name(Path::new(folder)).ok();
        for (folder, expected) in [
            ("models/pets", Some("pets")),
            ("models/pets/2", Some("pets")),
            ("/models/pets/10/", Some("pets")),
            ("2", Some("2")),
            ("3d", Some("3d")),
            ("..", None),
        ] {
            assert_eq!(name(folder).as_deref(), expected, "{folder}");
        }
    }
}
