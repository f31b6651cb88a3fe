//! Traces, as a collector receives them from the real program.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    trace::v1::Span,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

use crate::{
    app::{photograph, within_seconds},
    protocol::{Http, Protocol, call, frame, send},
};

#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans;
        let scopes = resources
            .into_iter()
            .flat_map(|resource| resource.scope_spans);
        self.0
            .lock()
            .unwrap()
            .extend(scopes.flat_map(|scope| scope.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// The program, and the address that it says it serves on.
fn program(collector: SocketAddr) -> (Child, SocketAddr) {
    let endpoint = format!("http://{collector}");
    let mut program = Command::new(env!("CARGO_BIN_EXE_imageclassifier-server"))
        .args([
            "--listen",
            "127.0.0.1:0",
            "--drain-grace",
            "0",
            "--otlp-endpoint",
            &endpoint,
        ])
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
    (program, address.unwrap())
}

#[tokio::test]
async fn a_request_is_a_span_of_its_clients_trace() {
    let collector = Collector::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let collector_address = listener.local_addr().unwrap();
    let service = TraceServiceServer::new(collector.clone());
    let incoming = TcpListenerStream::new(listener);
    tokio::spawn(
        Server::builder()
            .add_service(service)
            .serve_with_incoming(incoming),
    );

    let started = tokio::task::spawn_blocking(move || program(collector_address)).await;
    let (mut program, address) = started.unwrap();
    let request = imageclassifier_proto::ClassifyImageRequest {
        image_data: photograph("coffee.png"),
        ..Default::default()
    };
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [("traceparent", parent)];
    let answer = call(address, Protocol::GrpcWebText, &request, &headers).await;
    answer.outcome.unwrap();
    batch(address, parent).await;
    let stop = Command::new("kill").arg(program.id().to_string()).status();
    assert!(stop.unwrap().success());
    let stopped = tokio::task::spawn_blocking(move || program.wait().unwrap());
    assert!(within_seconds(20, stopped).await.unwrap().success());

    let spans = collector.0.lock().unwrap();
    let trace: Vec<_> = spans
        .iter()
        .filter(|span| span.trace_id.starts_with(&[0x0a, 0xf7, 0x65, 0x19]))
        .collect();
    let named = |name: &str| {
        let found = trace.iter().find(|span| span.name == name);
        found.unwrap_or_else(|| panic!("no {name} among {spans:?}"))
    };
    let call = named("imageclassifier.ImageClassifier/Classify");
    assert_eq!(
        call.parent_span_id,
        [0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31]
    );
    let attributes = format!("{:?}", call.attributes);
    for attribute in [
        "rpc.system.name",
        "rpc.response.status_code",
        "request_id",
        "grpc-web-text",
    ] {
        assert!(
            attributes.contains(attribute),
            "no {attribute} in {attributes}"
        );
    }
    for stage in ["queue", "decode", "inference"] {
        assert_eq!(named(stage).parent_span_id, call.span_id, "{stage}");
    }

    let batch = named("imageclassifier.ImageClassifier/ClassifyBatch");
    let of_batch = trace
        .iter()
        .filter(|span| span.parent_span_id == batch.span_id);
    assert_eq!(of_batch.count(), 2 * 3, "three stages of two images");
    for root in spans.iter().filter(|span| span.parent_span_id.is_empty()) {
        assert_eq!(root.name, "warm-up", "an orphan");
    }
}

async fn batch(address: SocketAddr, parent: &str) {
    let image = imageclassifier_proto::ClassifyImageRequest {
        image_data: photograph("coffee.png"),
        ..Default::default()
    };
    let batch = imageclassifier_proto::ClassifyBatchRequest {
        requests: vec![image.clone(), image],
    };
    let request = http::Request::post("/imageclassifier.ImageClassifier/ClassifyBatch")
        .header("content-type", "application/grpc")
        .header("traceparent", parent);
    let answer = send(address, Http::Two, request, frame(&batch)).await;
    assert_eq!(answer.headers()["grpc-status"], "0");
}
