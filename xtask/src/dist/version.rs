/// The version of everything in this repository: `[workspace.package]` in Cargo.toml.
pub(super) fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::root;

    /// Files that have to repeat the version, with the text around it.
    const REPEATED: [(&str, &str, &str); 6] = [
        (
            "clients/python/src/imageclassifier/__init__.py",
            "__version__ = \"",
            "\"",
        ),
        ("clients/js/package.json", "\n  \"version\": \"", "\""),
        ("clients/js/package-lock.json", "\n  \"version\": \"", "\""),
        ("clients/js/README.md", "imageclassifier-", ".tgz"),
        ("docs/install.md", "imageclassifier-server_", "-1_amd64.deb"),
        ("docs/clients.md", "imageclassifier-", ".tgz"),
    ];

    #[test]
    fn every_package_has_the_workspaces_version() {
        for (file, before, after) in REPEATED {
            let text = fs::read_to_string(root().join(file)).unwrap();
            let expected = format!("{before}{}{after}", version());
            assert!(text.contains(&expected), "{file} has no {expected:?}");
        }
    }

    #[test]
    fn the_changelog_has_a_section_for_this_version() {
        let log = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
        assert!(log.contains(&format!("\n## [{}] - ", version())));
    }
}
