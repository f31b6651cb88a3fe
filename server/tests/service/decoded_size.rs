//! Messages of a few megabytes that would need hundreds once they are decoded. The program rejects them without that memory.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use http::Request;
use tokio::task::spawn_blocking;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::protocol::{Http, send};

const MODEL_INFER: &str = "/inference.GRPCInferenceService/ModelInfer";
const CLASSIFY_BATCH: &str = "/imageclassifier.ImageClassifier/ClassifyBatch";
/// With this limit, messages of 8 MiB are read.
const IMAGE_BYTES_MAX: &str = "4194304";
const MESSAGE_BYTES: usize = 8_000_000;
/// A message is received in pieces and then joined, so it is in memory twice for a moment.
const GROWTH_KB_MAX: u64 = 28_000;

/// Fields of ModelInferRequest.
const MODEL_NAME: u8 = 1;
const INPUTS: u8 = 5;
const OUTPUTS: u8 = 6;
const RAW_INPUT_CONTENTS: u8 = 7;
/// Fields of the input.
const NAME: u8 = 1;
const DATATYPE: u8 = 2;
const SHAPE: u8 = 3;
const PARAMETERS: u8 = 4;
const CONTENTS: u8 = 5;
/// Fields of its contents.
const INT64_CONTENTS: u8 = 3;
const BYTES_CONTENTS: u8 = 8;

/// The program itself: its memory can be measured.
struct Program(Child, SocketAddr);

impl Program {
    fn start() -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_imageclassifier-server"))
            .args(["--listen", "127.0.0.1:0", "--drain-grace", "0"])
            .args(["--image-bytes-max", IMAGE_BYTES_MAX])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(program.stderr.take().unwrap()).lines();
        let mut address = None;
        for line in lines.by_ref() {
            let line = line.unwrap();
            if let Some((_, shown)) = line.split_once("on http://") {
                address = Some(shown.trim().parse().unwrap());
            }
            if line.ends_with("ready") {
                break;
            }
        }
        std::thread::spawn(move || lines.for_each(drop));
        Self(program, address.unwrap())
    }

    async fn rejection(&self, path: &str, body: Vec<u8>) -> Status {
        let request = Request::post(path)
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        let response = send(self.1, Http::Two, request, body.into()).await;
        Status::from_header_map(response.headers()).unwrap()
    }

    /// The most memory that was ever in use.
    fn memory_peak_kb(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.unwrap().trim().strip_suffix(" kB").unwrap();
        number.parse().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A field with a length: text, bytes, a message or packed numbers.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    prost::encode_length_delimiter(value.len(), &mut field).unwrap();
    field.extend(value);
    field
}

/// As many fields without content as the message may have.
fn empty_fields(number: u8) -> Vec<u8> {
    field(number, &[]).repeat(MESSAGE_BYTES / 2)
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat()
}

fn input(rest: &[u8]) -> Vec<u8> {
    let named = [
        field(NAME, b"image"),
        field(DATATYPE, b"BYTES"),
        field(SHAPE, &[1]),
        rest.to_owned(),
    ];
    field(INPUTS, &named.concat())
}

fn in_contents(contents: &[u8]) -> Vec<u8> {
    input(&field(CONTENTS, contents))
}

fn parameters() -> Vec<u8> {
    let entry = |key: u32| field(PARAMETERS, &field(1, format!("{key:06}").as_bytes()));
    (0..600_000).flat_map(entry).collect()
}

/// What the message has too many of, its bytes, and the reason for which it is rejected.
fn messages() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    const TENSOR: &str = "TENSOR_MALFORMED";
    let unpacked = [INT64_CONTENTS << 3, 0].repeat(MESSAGE_BYTES / 2);
    let raw = field(RAW_INPUT_CONTENTS, &vec![0; MESSAGE_BYTES]);
    vec![
        ("inputs", empty_fields(INPUTS), TENSOR),
        ("outputs", empty_fields(OUTPUTS), TENSOR),
        ("raw inputs", empty_fields(RAW_INPUT_CONTENTS), TENSOR),
        ("parameters", parameters(), TENSOR),
        ("parameters of the input", input(&parameters()), TENSOR),
        (
            "axes",
            input(&field(SHAPE, &vec![1; MESSAGE_BYTES])),
            TENSOR,
        ),
        (
            "packed numbers",
            in_contents(&field(INT64_CONTENTS, &vec![1; MESSAGE_BYTES])),
            TENSOR,
        ),
        ("numbers", in_contents(&unpacked), TENSOR),
        (
            "images",
            in_contents(&empty_fields(BYTES_CONTENTS)),
            "BATCH_SIZE",
        ),
        ("raw images", [input(&[]), raw].concat(), TENSOR),
    ]
}

#[tokio::test]
async fn messages_that_would_grow_when_decoded_are_rejected_before() {
    let program = spawn_blocking(Program::start).await.unwrap();
    // What any message of this length needs.
    let long = framed(&field(RAW_INPUT_CONTENTS, &vec![0; MESSAGE_BYTES]));
    program.rejection(MODEL_INFER, long).await;
    let before_kb = program.memory_peak_kb();
    let model = field(MODEL_NAME, b"efficientnet-lite0");
    for (excess, rest, reason) in messages() {
        let message = [&*model, &rest].concat();
        let status = program.rejection(MODEL_INFER, framed(&message)).await;
        assert_eq!(status.code(), Code::InvalidArgument, "{excess}: {status:?}");
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.reason, reason, "{excess}: {status:?}");
        let growth_kb = program.memory_peak_kb() - before_kb;
        assert!(growth_kb <= GROWTH_KB_MAX, "{excess}: {growth_kb} kB");
    }
}

#[tokio::test]
async fn a_second_message_of_a_unary_method_is_rejected_before_it_is_decoded() {
    let program = spawn_blocking(Program::start).await.unwrap();
    let images = [0x0A, 0].repeat(MESSAGE_BYTES / 2);
    let one = framed(&[0x0A, 0]);
    let before_kb = program.memory_peak_kb();
    for (path, second) in [
        (CLASSIFY_BATCH, images),
        (MODEL_INFER, empty_fields(INPUTS)),
    ] {
        let body = [one.clone(), framed(&second)].concat();
        let status = program.rejection(path, body).await;
        assert_eq!(status.code(), Code::InvalidArgument, "{path}: {status:?}");
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.reason, "MESSAGE_MALFORMED", "{path}: {status:?}");
        let growth_kb = program.memory_peak_kb() - before_kb;
        assert!(growth_kb <= GROWTH_KB_MAX, "{path}: {growth_kb} kB");
    }
}
