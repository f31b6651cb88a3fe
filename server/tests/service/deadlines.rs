//! Deadlines and disconnects: errors in time, in every protocol, and no work for clients that have left.

use std::time::{Duration, Instant};

use imageclassifier_proto::ErrorReason;
use tonic::Code;
use tonic_types::StatusExt;

use crate::{
    app::{App, within_seconds},
    protocol::{Protocol, call},
    script::{Script, order},
};

const ORIGIN: &str = "https://app.example.com";
const OPTIONS: [&str; 4] = ["--cors-origin", ORIGIN, "--queue-wait-max", "60"];

/// Keeps every compute thread busy for `milliseconds`.
async fn occupy(app: &App, script: &Script, milliseconds: u64) {
    let cores = std::thread::available_parallelism().unwrap().get();
    let before = script.decodes();
    for _ in 0..cores {
        let address = app.address;
        let request = order(&format!("sleep {milliseconds}"));
        tokio::spawn(async move { call(address, Protocol::Grpc, &request, &[]).await.outcome });
    }
    within_seconds(10, async {
        while script.decodes() < before + cores {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_deadline_that_passes_in_the_queue_is_reported_at_once() {
    for protocol in Protocol::ALL {
        // A server that has never seen a slow image, so that it admits the request.
        let script = Script::default();
        let app = App::with_stages(&OPTIONS, script.stages()).await;
        occupy(&app, &script, 700).await;
        let inferences = script.inferences();
        let asked_at = Instant::now();
        let headers = [("grpc-timeout", "300m"), ("origin", ORIGIN)];
        let answer = call(app.address, protocol, &order("late"), &headers).await;
        let waited = asked_at.elapsed();

        let status = answer.outcome.unwrap_err();
        assert_eq!(
            status.code(),
            Code::DeadlineExceeded,
            "{protocol:?}: {status:?}"
        );
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.reason, ErrorReason::DeadlineExceeded.as_str_name());
        assert_eq!(
            answer.headers["access-control-allow-origin"], ORIGIN,
            "{protocol:?}"
        );
        assert!(
            waited >= Duration::from_millis(280),
            "{protocol:?}: {waited:?}"
        );
        assert!(
            waited < Duration::from_millis(600),
            "{protocol:?}: {waited:?}"
        );
        // The threads get free: what has expired is not begun.
        tokio::time::sleep(Duration::from_millis(600)).await;
        let cores = std::thread::available_parallelism().unwrap().get();
        assert_eq!(script.inferences(), inferences + cores, "{protocol:?}");
        let expired = app
            .metric("imageclassifier_abandoned_total{why=\"expired\"}")
            .await;
        assert!((expired - 1.0).abs() < 0.5, "{expired} expired");
    }
}

#[tokio::test]
async fn a_deadline_that_is_too_short_for_any_image_is_not_called_an_overload() {
    let app = App::with_stages(&OPTIONS, Script::default().stages()).await;
    for protocol in Protocol::ALL {
        let headers = [("grpc-timeout", "1n"), ("origin", ORIGIN)];
        let answer = call(app.address, protocol, &order(""), &headers).await;
        let status = answer.outcome.unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{protocol:?}");
    }
}

#[tokio::test]
async fn rejects_a_request_at_once_that_cannot_finish_in_time() {
    let script = Script::default();
    let app = App::with_stages(&OPTIONS, script.stages()).await;
    // The server learns how long an image takes.
    for _ in 0..3 {
        occupy(&app, &script, 200).await;
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    occupy(&app, &script, 1500).await;
    // For each core four images wait, which take longer than the deadline. One image alone would not.
    let cores = std::thread::available_parallelism().unwrap().get();
    for _ in 0..4 * cores {
        let address = app.address;
        tokio::spawn(async move { call(address, Protocol::Grpc, &order(""), &[]).await.outcome });
    }
    within_seconds(1, async {
        while app.metric("imageclassifier_queue_length").await < (4 * cores) as f64 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    for protocol in Protocol::ALL {
        let asked_at = Instant::now();
        let headers = [("grpc-timeout", "300m"), ("origin", ORIGIN)];
        let status = call(app.address, protocol, &order(""), &headers)
            .await
            .outcome
            .unwrap_err();
        assert_eq!(
            status.code(),
            Code::ResourceExhausted,
            "{protocol:?}: {status:?}"
        );
        assert!(
            asked_at.elapsed() < Duration::from_millis(100),
            "{protocol:?}"
        );
        let delay = status
            .get_details_retry_info()
            .unwrap()
            .retry_delay
            .unwrap();
        if let Protocol::Plain(_) = protocol {
            continue;
        }
        let pushback = status.metadata().get("grpc-retry-pushback-ms").unwrap();
        assert_eq!(pushback.to_str().unwrap(), delay.as_millis().to_string());
    }
}

#[tokio::test]
async fn rejects_a_malformed_timeout() {
    let app = App::start().await;
    for protocol in Protocol::ALL {
        for timeout in ["soon", "10", "-1S", "123456789m"] {
            let headers = [("grpc-timeout", timeout)];
            let status = call(app.address, protocol, &order(""), &headers)
                .await
                .outcome
                .unwrap_err();
            assert_eq!(
                status.code(),
                Code::InvalidArgument,
                "{protocol:?}, {timeout}: {status:?}"
            );
            let info = status.get_details_error_info().unwrap();
            assert_eq!(info.reason, "TIMEOUT_MALFORMED");
        }
    }
}

#[tokio::test]
async fn without_a_client_deadline_the_servers_own_applies() {
    let script = Script::default();
    let app = App::with_stages(&["--deadline", "0.2"], script.stages()).await;
    occupy(&app, &script, 1000).await;
    let asked_at = Instant::now();
    let status = call(app.address, Protocol::Grpc, &order(""), &[])
        .await
        .outcome
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(asked_at.elapsed() < Duration::from_millis(800));
}

#[tokio::test]
async fn callers_who_leave_take_their_work_with_them() {
    for protocol in [Protocol::Grpc, Protocol::GrpcWebText] {
        let script = Script::default();
        let app = App::with_stages(&OPTIONS, script.stages()).await;
        occupy(&app, &script, 1000).await;
        let (address, inferences) = (app.address, script.inferences());
        let calls: Vec<_> = (0..100)
            .map(|_| {
                tokio::spawn(
                    async move { call(address, protocol, &order("left"), &[]).await.outcome },
                )
            })
            .collect();
        let cores = std::thread::available_parallelism().unwrap().get();
        #[allow(clippy::cast_precision_loss, reason = "a handful of cores")]
        let occupied = cores as f64;
        let in_flight = "imageclassifier_calls_in_flight";
        within_seconds(10, async {
            while app.metric(in_flight).await < occupied + 99.5 {}
        })
        .await;
        for call in calls {
            call.abort();
        }
        let left_at = Instant::now();
        within_seconds(10, async {
            while app.metric(in_flight).await > occupied + 0.5 {}
        })
        .await;
        assert!(
            left_at.elapsed() < Duration::from_millis(500),
            "{:?}",
            left_at.elapsed()
        );
        tokio::time::sleep(Duration::from_millis(1000)).await;
        assert_eq!(script.inferences(), inferences + cores, "{protocol:?}");
    }
}
