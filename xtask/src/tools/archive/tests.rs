use std::{
    io::{Read, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    thread,
};

use super::*;

/// A folder that is gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An archive whose only file, `hello-1.2.3/hello`, says that it is `hello 1.2.3`.
fn archive_of_hello(folder: &Path) -> Vec<u8> {
    let program = folder.join("hello-1.2.3/hello");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::write(&program, "#!/bin/sh\necho hello 1.2.3\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut tar = Command::new("tar");
    tar.current_dir(folder)
        .args(["-czf", "hello.tar.gz", "hello-1.2.3"]);
    assert!(tar.status().unwrap().success());
    fs::read(folder.join("hello.tar.gz")).unwrap()
}

fn hello(version: &'static str, sha256: &str, platform: (&'static str, &'static str)) -> Tool {
    let archive = Archive {
        platform,
        path: "hello/releases/hello.tar.gz",
        sha256: String::leak(sha256.to_owned()),
        member: "hello-1.2.3/hello",
    };
    Tool {
        package: "hello",
        program: "hello",
        version,
        archives: Box::leak(Box::new([archive])),
        compile_minutes: 0,
    }
}

const HERE: (&str, &str) = (consts::OS, consts::ARCH);

/// Serves `body` at the archive's path to one caller, and 404 at any other.
fn serve(body: Vec<u8>) -> Origin {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let length = connection.read(&mut request).unwrap();
        let found = request[..length].starts_with(b"GET /hello/releases/hello.tar.gz ");
        let (status, body) = if found {
            ("200 OK", body)
        } else {
            ("404 Not Found", vec![])
        };
        write!(
            connection,
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        )
        .unwrap();
        connection.write_all(&body).unwrap();
    });
    origin(base)
}

fn origin(base: String) -> Origin {
    Origin {
        base,
        connect_timeout: Duration::from_secs(1),
        stall_timeout: Duration::from_secs(1),
    }
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn why(outcome: anyhow::Result<()>) -> String {
    format!("{:#}", outcome.unwrap_err())
}

#[test]
fn installs_an_archive_of_the_pinned_digest() {
    let folder = Folder::new("right-digest");
    let archive = archive_of_hello(folder.path());
    let tool = hello("1.2.3", &digest(&archive), HERE);
    let target = folder.path().join("cache/hello-1.2.3");
    install(&tool, &serve(archive), &target).unwrap();
    assert!(has_version(target.join("bin/hello"), "1.2.3"));
    assert!(!work_folder(&target).exists());
}

#[test]
fn rejects_an_archive_of_another_digest() {
    let folder = Folder::new("wrong-digest");
    let mut archive = archive_of_hello(folder.path());
    let tool = hello("1.2.3", &digest(&archive), HERE);
    archive.push(0);
    let wrong = digest(&archive);
    let target = folder.path().join("cache/hello-1.2.3");
    let why = why(install(&tool, &serve(archive), &target));
    assert!(
        why.contains(&format!("has SHA-256 {wrong}, which is not the pinned")),
        "{why}"
    );
    assert!(!target.exists() && !work_folder(&target).exists());
}

#[test]
fn gives_up_if_no_server_answers() {
    let folder = Folder::new("no-answer");
    let tool = hello("1.2.3", "", HERE);
    // A port without a listener: it was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let unreachable = origin(format!("http://{free}"));
    let why = why(install(
        &tool,
        &unreachable,
        &folder.path().join("hello-1.2.3"),
    ));
    assert!(why.contains("cannot download"), "{why}");
    assert!(!unreachable.answers());
}

#[test]
fn gives_up_where_a_server_takes_the_connection_and_says_nothing() {
    let folder = Folder::new("silence");
    let tool = hello("1.2.3", "", HERE);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = origin(format!("http://{}", listener.local_addr().unwrap()));
    let began = std::time::Instant::now();
    let why = why(install(&tool, &silent, &folder.path().join("hello-1.2.3")));
    assert!(why.contains("cannot download"), "{why}");
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn rejects_what_the_origin_or_the_platform_lacks() {
    let folder = Folder::new("lacks");
    let archive = archive_of_hello(folder.path());
    let target = folder.path().join("cache/hello-1.2.3");
    let elsewhere = hello("1.2.3", &digest(&archive), ("plan9", "vax"));
    let reason = why(install(&elsewhere, &serve(archive.clone()), &target));
    assert!(reason.contains("there is no archive for"), "{reason}");
    let mut mirror = serve(archive.clone());
    mirror.base.push_str("/elsewhere");
    let reason = why(install(
        &hello("1.2.3", &digest(&archive), HERE),
        &mirror,
        &target,
    ));
    assert!(reason.contains("404"), "{reason}");
    assert!(!target.exists());
}

#[test]
fn rejects_a_program_of_another_version() {
    let folder = Folder::new("version");
    let archive = archive_of_hello(folder.path());
    let tool = hello("1.2.4", &digest(&archive), HERE);
    let target = folder.path().join("cache/hello-1.2.4");
    let why = why(install(&tool, &serve(archive), &target));
    assert!(why.contains("has another version"), "{why}");
    assert!(!target.exists());
}

#[test]
fn every_platform_has_an_archive_of_the_tools_version() {
    for tool in [&super::super::TRUNK, &super::super::WASM_BINDGEN] {
        for platform in [
            ("linux", "x86_64"),
            ("linux", "aarch64"),
            ("macos", "x86_64"),
            ("macos", "aarch64"),
        ] {
            let archive = tool
                .archives
                .iter()
                .find(|archive| archive.platform == platform);
            let archive = archive.unwrap();
            assert!(archive.path.contains(tool.version) && archive.path.contains(platform.1));
            assert!(archive.member.ends_with(tool.program));
            assert_eq!(archive.sha256.len(), 64);
        }
    }
}
