//! Faults of our own: each hits one call, says nothing of the inside, and passes.

use std::{thread, time::Duration};

use imageclassifier_proto::ErrorReason;
use tokio::time::sleep;
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_types::StatusExt;

use crate::{
    app::{App, within_seconds},
    protocol::{Protocol, call, classify},
    script::{Script, order},
};

#[tokio::test]
async fn a_panic_fails_only_its_own_request() {
    let script = Script::default();
    let app = App::with_stages(&[], script.stages()).await;
    for protocol in Protocol::ALL {
        for fault in [
            "panic in decode",
            "panic in inference",
            "panic in ranking",
            "not finite",
        ] {
            let headers = [("x-request-id", "the-call")];
            let request = order(fault);
            let (failed, fine) = tokio::join!(
                call(app.address, protocol, &request, &headers),
                classify(app.address, protocol, order("")),
            );
            fine.unwrap();
            let status = failed.outcome.unwrap_err();
            assert_eq!(
                status.code(),
                Code::Internal,
                "{fault} over {protocol:?}: {status:?}"
            );
            assert!(!status.message().contains("secretly"), "{status:?}");
            let info = status.get_details_error_info().unwrap();
            assert_eq!(info.reason, ErrorReason::InternalError.as_str_name());
            assert_eq!(info.metadata["request_id"], "the-call");
        }
    }
    let panics = app.metric("imageclassifier_panics_total").await;
    assert!((panics - 18.0).abs() < 0.5, "{panics}");
    assert!(app.metric("imageclassifier_calls_in_flight").await < 0.5);
}

#[tokio::test]
async fn other_workers_go_on_when_one_dies_and_the_dead_are_replaced() {
    let script = Script::default();
    let app = App::with_stages(&[], script.stages()).await;
    let workers = thread::available_parallelism().unwrap().get();
    // The server is ready with its first worker. One that starts after the first death dies at birth.
    within_seconds(5, async {
        while script.started() < workers {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    for _ in 1..workers {
        kill_worker(&app).await;
        for protocol in Protocol::ALL {
            let answer = classify(app.address, protocol, order("")).await;
            answer.unwrap_or_else(|status| panic!("{protocol:?}: {status:?}"));
        }
        within_seconds(1, app.until(ServingStatus::Serving)).await;
    }
    kill_worker(&app).await;
    within_seconds(1, app.until(ServingStatus::NotServing)).await;
    for protocol in Protocol::ALL {
        let status = classify(app.address, protocol, order(""))
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{protocol:?}");
        assert!(status.get_details_retry_info().is_some());
        assert_eq!(status.get_details_error_info().unwrap().reason, "NOT_READY");
    }
    script.revive();
    within_seconds(5, app.until(ServingStatus::Serving)).await;
    classify(app.address, Protocol::Grpc, order(""))
        .await
        .unwrap();
    let restarts = app.metric("imageclassifier_worker_restarts_total").await;
    assert!(restarts > workers as f64 - 0.5, "{restarts}");
}

async fn kill_worker(app: &App) {
    let before = app.metric("imageclassifier_worker_restarts_total").await;
    let died = classify(app.address, Protocol::Grpc, order("die")).await;
    assert!(died.is_err());
    // It dies again and again until it may live.
    within_seconds(5, async {
        while app.metric("imageclassifier_worker_restarts_total").await < before + 0.5 {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}
