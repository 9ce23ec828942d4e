//! The log of a service: its records and events, without secrets.
//!
//! A binary of its own, since it subscribes to all events of its process.

mod observability;
mod rejected_tokens;
mod secrets;

use std::cell::RefCell;
use std::io::{Result, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt;

thread_local! {
    /// The log of this thread, with one JSON object per line. Each test has a thread.
    static OF_THIS_THREAD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct LogOfThisThread;

impl Write for LogOfThisThread {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        OF_THIS_THREAD.with_borrow_mut(|log| log.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The log of all threads, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Starts both logs. All tests share one subscriber, which is set before the first event: `tracing`
/// caches for all threads which events have no subscriber.
fn listen() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let writer = log.clone();
        let of_all_threads = layer()
            .with_span_events(FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(move || writer.clone());
        let of_this_thread = layer()
            .json()
            .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
            .with_writer(|| LogOfThisThread);
        let subscriber = tracing_subscriber::registry()
            .with(of_all_threads.with_filter(LevelFilter::TRACE))
            .with(of_this_thread.with_filter(LevelFilter::TRACE));
        tracing::subscriber::set_global_default(subscriber).expect("it is the first");
        log
    })
}
