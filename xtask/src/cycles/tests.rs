use std::path::Path;

use super::{graph::cycles, module, paths::parse, report};

fn names(files: &[(&str, &str)]) -> Vec<String> {
    let files = files.iter().map(|(path, text)| {
        let module = module(Path::new(path)).expect("no test");
        (module, parse(text))
    });
    let found = cycles("src", &files.collect());
    found.into_iter().map(|cycle| cycle.name).collect()
}

#[test]
fn finds_cycles_of_files_however_the_import_is_written() {
    for import in [
        "use crate::b::B;",
        "use super::b;",
        "use crate::{\n    c,\n    b::{self, B as Other},\n};",
        "fn f() { crate::b::f(); }",
        "fn f(b: super::b::B) {}",
        "pub(crate) use crate::b::B;",
        "fn f<'a>(quote: char) -> bool { quote == '\"' && crate::b::f() }",
        "const TEXT: &str = r##\"a \"# b\"##; use crate::b::B; /* \" */",
        "const TEXT: &[u8] = br\"\\\"; use crate::b::B; /* \" */",
        "const TEXT: &[u8] = br#\"\"\"#; use crate::b::B; /* \" */",
        "#[cfg(test)]\nmod tests {\n    fn f() {}\n}\nuse crate::b::B;",
        "#[cfg(not(test))]\nuse crate::b::B;",
    ] {
        let files = [
            ("lib.rs", ""),
            ("a.rs", import),
            ("b.rs", "use crate::a::A;"),
            ("c.rs", ""),
        ];
        assert_eq!(names(&files), ["src: a b"], "{import}");
    }
}

#[test]
fn finds_cycles_through_other_files() {
    let files = [
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "use crate::c::C;"),
        ("c.rs", "use crate::a::A;"),
        ("d.rs", "use crate::a::A;"),
    ];
    assert_eq!(names(&files), ["src: a b c"]);
}

#[test]
fn finds_cycles_of_folders_whose_files_have_none() {
    let files = [
        ("a.rs", "mod one; mod two;"),
        ("a/one.rs", "use crate::b::one::One;"),
        ("a/two.rs", ""),
        ("b/mod.rs", "mod one; mod two;"),
        ("b/one.rs", ""),
        ("b/two.rs", "use crate::a::two::Two;"),
    ];
    assert_eq!(names(&files), ["src: a b"]);
}

#[test]
fn ignores_tests_comments_strings_and_children() {
    let tests = "#[cfg(test)]\nmod tests {\n    use crate::b::B;\n}";
    for text in [
        "// use crate::b::B;",
        "/// [`crate::b::B`]",
        "const TEXT: &str = \"use crate::b::B;\";",
        "const TEXT: &str = r#\"crate::b::B \"quoted\" \"#;",
        "const TEXT: &str = \"\\\"; use crate::b::B;\";",
        "const TEXT: &str = r##\"crate::b::B \"# crate::b::B \"##;",
        "const TEXT: &[u8] = br\"crate::b::B \\\";",
        "/* crate::b::B */",
        "#[cfg(test)]\nuse crate::b::B;",
        "#[cfg(all(test, unix))]\nmod tests { fn f() { if true {} crate::b::f() } }",
        "mod b;",
        "use other_crate::b::B;",
        tests,
    ] {
        let files = [("a.rs", text), ("b.rs", "use crate::a::A;")];
        assert!(names(&files).is_empty(), "{text}");
    }
    assert_eq!(module(Path::new("a/tests.rs")), None);
}

#[test]
fn reports_a_cycle_with_its_imports() {
    let files = [("a.rs", "use crate::b::B;"), ("b.rs", "use crate::a::A;")];
    let files = files.map(|(path, text)| {
        let module = module(Path::new(path)).expect("no test");
        (module, parse(text))
    });
    let found = cycles("src", &files.into());
    let problem = report(&found).expect_err("there is a cycle").to_string();
    assert!(problem.contains("src: a b"), "{problem}");
    assert!(problem.contains("a -> b: B"), "{problem}");
    report(&[]).expect("there is none");
}
