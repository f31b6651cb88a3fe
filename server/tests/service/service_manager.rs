//! What systemd hears from the real program.

use std::{
    os::unix::net::UnixDatagram,
    process::{Command, Stdio},
    time::Duration,
};

#[test]
fn tells_systemd_when_it_is_ready_and_when_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let heard = || {
        let mut message = [0; 64];
        let length = socket.recv(&mut message).unwrap();
        String::from_utf8(message[..length].to_vec()).unwrap()
    };
    let mut program = Command::new(env!("CARGO_BIN_EXE_imageclassifier-server"))
        .args(["--listen", "127.0.0.1:0", "--drain-grace", "0"])
        .env("NOTIFY_SOCKET", &path)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert_eq!(heard(), "READY=1\n");
    let stop = Command::new("kill").arg(program.id().to_string()).status();
    assert!(stop.unwrap().success());
    assert_eq!(heard(), "STOPPING=1\n");
    assert!(program.wait().unwrap().success());
}
