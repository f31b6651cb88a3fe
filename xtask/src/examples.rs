//! The examples of foreign languages and the packages for them, each run against a server on the published port; and the
//! contract that they are made from.

use std::{
    fs,
    io::{self, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};

use crate::{root, steps::Step, tally::Tally, tools::cache};

/// The port of the contract: published clients have it built in.
const ADDRESS: &str = "127.0.0.1:50051";
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs `test.sh` of the contract, and of each folder in `examples/` and `clients/`: each is one test. Those in
/// `clients/` measure time and run one after the other. The rest run beside them, because each waits half of its time.
pub(crate) fn test(tally: &Tally, step: Step<'_>) -> anyhow::Result<()> {
    let clients = scripts("clients")?;
    let mut others = vec![root().join("proto/test.sh")];
    others.extend(scripts("examples")?);
    let _server = Server::start()?;
    let run_all = |scripts: Vec<PathBuf>| {
        for script in scripts {
            let name = name_of(&script);
            step.say(&name);
            tally.note(&example(&script, step).context(name), |why| step.say(why));
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| run_all(others));
        run_all(clients);
    });
    Ok(())
}

/// The script's folder, from the repository's.
fn name_of(script: &Path) -> String {
    let folder = script.parent().expect("in a folder");
    let name = folder.strip_prefix(root()).expect("in the repository");
    name.display().to_string()
}

/// The `test.sh` in each folder of `parent` that has one.
fn scripts(parent: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut scripts = Vec::new();
    for entry in fs::read_dir(root().join(parent))? {
        let script = entry?.path().join("test.sh");
        if script.exists() {
            scripts.push(script);
        }
    }
    ensure!(!scripts.is_empty(), "nothing in {parent}/ has a test.sh");
    scripts.sort();
    Ok(scripts)
}

fn example(script: &Path, step: Step<'_>) -> anyhow::Result<()> {
    step.run(
        Command::new("bash")
            .arg(script)
            .env("SERVER", "localhost:50051")
            .env(
                "COFFEE",
                root().join("model/tests/golden/photos/coffee.png"),
            )
            .env("TOOLS_DIR", cache()?.join("examples")),
    )
}

/// A server of the test build that stops when dropped.
struct Server(Child);

impl Server {
    fn start() -> anyhow::Result<Self> {
        ensure!(
            TcpStream::connect(ADDRESS).is_err(),
            "something serves on {ADDRESS} already: stop it, the examples need the port"
        );
        let program = root().join("target/debug/imageclassifier-server");
        let child = Command::new(&program)
            .args(["--listen", ADDRESS, "--log", "warn"])
            .spawn();
        let server = Self(child.with_context(|| format!("cannot start {}", program.display()))?);
        let since = Instant::now();
        while !is_ready().unwrap_or(false) {
            ensure!(
                since.elapsed() < START_TIMEOUT,
                "the server does not become ready on {ADDRESS}"
            );
            thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }
}

/// Whether the server takes calls, which is a little after it takes connections: grpc.health.v1 as gRPC-Web, the one form
/// that needs no more than a socket.
fn is_ready() -> io::Result<bool> {
    const CHECK: &[u8] = b"POST /grpc.health.v1.Health/Check HTTP/1.1\r\n\
        host: localhost\r\n\
        content-type: application/grpc-web+proto\r\n\
        content-length: 5\r\n\
        connection: close\r\n\
        \r\n\
        \0\0\0\0\0";
    /// A frame of two bytes: HealthCheckResponse with status SERVING.
    const SERVING: &[u8] = b"\0\0\0\0\x02\x08\x01";
    let mut connection = TcpStream::connect(ADDRESS)?;
    connection.set_read_timeout(Some(Duration::from_secs(1)))?;
    connection.write_all(CHECK)?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer)?;
    Ok(answer
        .windows(SERVING.len())
        .any(|window| window == SERVING))
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
