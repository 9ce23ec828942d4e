//! The counters and histograms of `metrics`.

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

use super::*;

/// Returns the counters, as `handler outcome rule`, and the handlers of the histograms.
fn counted(snapshotter: &Snapshotter) -> [Vec<(String, u64)>; 2] {
    let mut counters = Vec::new();
    let mut histograms = Vec::new();
    for (key, unit, description, value) in snapshotter.snapshot().into_vec() {
        let key = key.key();
        let labels: Vec<_> = key
            .labels()
            .map(|label| (label.key(), label.value()))
            .collect();
        let names: Vec<_> = labels.iter().map(|(name, _)| *name).collect();
        let values: Vec<_> = labels.iter().map(|(_, value)| *value).collect();
        let values = values.join(" ").replace("log::observability::", "");
        assert!(description.is_some(), "{key:?}");
        match value {
            DebugValue::Counter(count) => {
                assert_eq!(key.name(), "auth_decisions_total");
                assert_eq!(names, ["handler", "outcome", "rule"]);
                counters.push((values, count));
            }
            DebugValue::Histogram(times) => {
                assert_eq!(key.name(), "auth_decision_duration_seconds");
                assert_eq!(unit, Some(metrics::Unit::Seconds));
                assert_eq!(names, ["handler"]);
                assert!(times.iter().all(|seconds| (0.0..60.0).contains(&seconds.0)));
                histograms.push((values, times.len() as u64));
            }
            DebugValue::Gauge(_) => panic!("{key:?}"),
        }
    }
    counters.sort();
    histograms.sort();
    [counters, histograms]
}

#[tokio::test]
async fn decisions_are_counted() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let uncounted = self::app(builder().build().expect("a space"));
    send(&uncounted, "/read", From::Nobody).await;
    let app = app(builder().count_decisions(true).build().expect("a space"));
    for (target, from) in [
        ("/open", From::Nobody),
        ("/read", From::Nobody),
        ("/read", garbage()),
        ("/read", bearer(json!({ "scope": "read" }))),
        ("/write/1", bearer(json!({}))),
        ("/write/2", bearer(json!({}))),
        ("/object", bearer(json!({}))),
        ("/nowhere/1", garbage()),
        ("/nowhere/2", garbage()),
        ("/nowhere/3", From::Nobody),
    ] {
        send(&app, target, from).await;
    }
    let [counters, histograms] = counted(&snapshotter);
    let expected = [
        ("object forbidden object", 1),
        ("object granted 1", 1),
        ("open granted 1", 1),
        ("read granted 1", 1),
        ("read unauthenticated 2", 2),
        ("unknown path unauthenticated 2", 2),
        ("write hidden 3c", 2),
    ];
    assert_eq!(
        counters,
        expected.map(|(key, count)| (key.to_owned(), count))
    );
    let expected = [
        ("object", 1),
        ("read", 3),
        ("unknown path", 2),
        ("write", 2),
    ];
    assert_eq!(
        histograms,
        expected.map(|(key, count)| (key.to_owned(), count))
    );
}
