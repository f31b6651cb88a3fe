/// What packages are made for. Both are linked statically with musl, so that they run on every Linux.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) triple: &'static str,
    pub(super) zig: &'static str,
    pub(super) debian: &'static str,
    pub(super) oci: &'static str,
    /// Debian's emulator, from `qemu-user-static`.
    pub(super) qemu: &'static str,
    /// The steps of `cargo xtask dist`.
    pub(super) programs: &'static str,
    pub(super) packages: &'static str,
}

const TARGETS: [Target; 2] = [
    Target {
        triple: TRIPLES[0],
        zig: "x86_64-linux-musl",
        debian: "amd64",
        oci: "amd64",
        qemu: "qemu-x86_64-static",
        programs: "x86_64: programs",
        packages: "x86_64: packages",
    },
    Target {
        triple: TRIPLES[1],
        zig: "aarch64-linux-musl",
        debian: "arm64",
        oci: "arm64",
        qemu: "qemu-aarch64-static",
        programs: "aarch64: programs",
        packages: "aarch64: packages",
    },
];

pub(crate) const TRIPLES: [&str; 2] = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"];

impl Target {
    /// `CC_x86_64_unknown_linux_musl` for `CC`, as build scripts look for it.
    pub(super) fn variable(&self, name: &str) -> String {
        format!("{name}_{}", self.triple.replace('-', "_"))
    }

    /// The option of cargo's that names the linker, as an environment variable.
    pub(super) fn linker_variable(&self) -> String {
        let triple = self.triple.replace('-', "_").to_uppercase();
        format!("CARGO_TARGET_{triple}_LINKER")
    }

    /// Whether its programs run here without an emulator.
    pub(super) fn is_native(&self) -> bool {
        self.triple.starts_with(std::env::consts::ARCH)
    }
}

/// The targets that `triples` names, all of them without a name.
pub(super) fn named(triples: &[String]) -> Vec<&'static Target> {
    TARGETS
        .iter()
        .filter(|target| triples.is_empty() || triples.iter().any(|name| name == target.triple))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_all_targets_unless_some_are_named() {
        let triples = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
            let targets = named(&names).into_iter();
            targets.map(|target| target.triple).collect::<Vec<_>>()
        };
        assert_eq!(triples(&[]), TRIPLES);
        assert_eq!(triples(&TRIPLES[1..]), TRIPLES[1..]);
    }

    #[test]
    fn variables_are_those_of_cargo_and_of_the_crate_cc() {
        let target = named(&[])[1];
        assert_eq!(target.variable("CC"), "CC_aarch64_unknown_linux_musl");
        assert_eq!(
            target.linker_variable(),
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER"
        );
    }
}
