//! A bucket like that of S3, as far as the tests need it. It keeps objects in memory and lists them in pages of two.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

use crate::server::command;

const PAGE: usize = 2;

/// `s3://album/` at a URL of its own.
#[derive(Clone)]
pub(crate) struct Bucket {
    url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    /// Method and key of each request for an object.
    requests: Vec<String>,
    /// Status of the responses to requests that begin so, and how many there are to be.
    faults: Vec<(String, u16, usize)>,
}

impl Bucket {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let bucket = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            state: Arc::default(),
        };
        let serving = bucket.clone();
        thread::spawn(move || {
            for connection in listener.incoming() {
                let serving = serving.clone();
                thread::spawn(move || drop(serving.answer(&connection.unwrap())));
            }
        });
        bucket
    }

    /// The command line, with credentials for the bucket.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_ALLOW_HTTP", "true")
            .env("AWS_ACCESS_KEY_ID", "key")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env_remove("JOB_COMPLETION_INDEX");
        command
    }

    /// The address of an object for any web client.
    pub(crate) fn web_url(&self, key: &str) -> String {
        format!("{}/album/{key}", self.url)
    }

    pub(crate) fn put(&self, key: &str, bytes: Vec<u8>) {
        self.state().objects.insert(key.to_owned(), bytes);
    }

    pub(crate) fn delete(&self, key: &str) {
        self.state().objects.remove(key);
    }

    /// Keys and content of the objects whose keys begin so.
    pub(crate) fn objects(&self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        let state = self.state();
        let found = state
            .objects
            .iter()
            .filter(|(key, _)| key.starts_with(prefix));
        found
            .map(|(key, bytes)| (key.clone(), bytes.clone()))
            .collect()
    }

    /// How many requests there were that begin so, for example `GET images/`; forgets them.
    pub(crate) fn take_requests(&self, beginning: &str) -> usize {
        let mut state = self.state();
        let before = state.requests.len();
        state
            .requests
            .retain(|request| !request.starts_with(beginning));
        before - state.requests.len()
    }

    /// Responds with `status` to the next `count` requests that begin so.
    pub(crate) fn fail(&self, beginning: &str, status: u16, count: usize) {
        let fault = (beginning.to_owned(), status, count);
        self.state().faults.push(fault);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn answer(&self, connection: &TcpStream) -> io::Result<()> {
        let request = Request::read(connection)?;
        let (status, headers, body) = self.respond(&request);
        let length = body.len();
        write!(
            &mut &*connection,
            "HTTP/1.1 {status} .\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n"
        )?;
        (&mut &*connection).write_all(&body)
    }

    fn respond(&self, request: &Request) -> (u16, &'static str, Vec<u8>) {
        const ABOUT: &str = "etag: \"1\"\r\nlast-modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n";
        let mut state = self.state();
        let key = request.path.strip_prefix("/album/").unwrap_or_default();
        if request.query.contains_key("list-type") {
            return (200, "", list(&state.objects, &request.query).into());
        }
        let asked = format!("{} {key}", request.method);
        state.requests.push(asked.clone());
        let faults = &mut state.faults;
        let fault = faults
            .iter_mut()
            .find(|(beginning, _, count)| asked.starts_with(&**beginning) && *count > 0);
        if let Some((_, status, count)) = fault {
            *count -= 1;
            return (*status, "", Vec::new());
        }
        match (&*request.method, state.objects.get(key)) {
            ("GET", Some(bytes)) => (200, ABOUT, bytes.clone()),
            ("PUT", Some(_)) if request.only_new => (412, "", Vec::new()),
            ("PUT", _) => {
                state.objects.insert(key.to_owned(), request.body.clone());
                (200, ABOUT, Vec::new())
            }
            _ => (404, "", Vec::new()),
        }
    }
}

struct Request {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    only_new: bool,
    body: Vec<u8>,
}

impl Request {
    fn read(connection: &TcpStream) -> io::Result<Self> {
        let mut reader = BufReader::new(connection);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut words = line.split(' ');
        let method = words.next().unwrap().to_owned();
        let target = words.next().unwrap_or_default().to_owned();
        let (mut length, mut only_new) = (0, false);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let header = header.trim().to_ascii_lowercase();
            match header.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(("if-none-match", value)) => only_new = value == "*",
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let query = query.split('&').map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.to_owned(), decoded(value))
        });
        Ok(Self {
            method,
            path: decoded(path),
            query: query.collect(),
            only_new,
            body,
        })
    }
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(part[2..].bytes());
    }
    String::from_utf8(bytes).unwrap()
}

/// `ListObjectsV2`. A token is the last key of the page before.
fn list(objects: &BTreeMap<String, Vec<u8>>, query: &BTreeMap<String, String>) -> String {
    let value = |name| query.get(name).map(String::as_str).unwrap_or_default();
    let (prefix, after) = (value("prefix"), value("continuation-token"));
    let below = |key: &str| !value("delimiter").is_empty() && key[prefix.len()..].contains('/');
    let mut found = objects
        .iter()
        .filter(|(key, _)| key.starts_with(prefix) && !below(key) && key.as_str() > after);
    let page: Vec<_> = found.by_ref().take(PAGE).collect();
    let mut xml = "<ListBucketResult>".to_owned();
    for (key, bytes) in &page {
        let size = bytes.len();
        write!(
            xml,
            "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>1</ETag><Size>{size}</Size></Contents>"
        )
        .unwrap();
    }
    if found.next().is_some() {
        let (last, _) = page.last().unwrap();
        write!(
            xml,
            "<IsTruncated>true</IsTruncated><NextContinuationToken>{last}</NextContinuationToken>"
        )
        .unwrap();
    }
    xml.push_str("</ListBucketResult>");
    xml
}
