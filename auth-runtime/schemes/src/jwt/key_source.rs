//! Keys that the service reads itself.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use auth_runtime_remote::{HttpClient, with_causes};
use tokio::task::JoinSet;

/// A source of keys that change, for [`JwtBuilder::key_source`](super::JwtBuilder::key_source): a file, an
/// API that requires credentials, or a test.
///
/// ```
/// use std::error::Error;
/// use std::path::PathBuf;
///
/// use auth_runtime::schemes::{Jwt, KeySource};
///
/// /// A file that another process replaces, such as a mounted `ConfigMap`.
/// struct JwksFile(PathBuf);
///
/// impl KeySource for JwksFile {
///     async fn fetch(&self) -> Result<String, Box<dyn Error + Send + Sync>> {
///         Ok(tokio::fs::read_to_string(&self.0).await?)
///     }
/// }
///
/// let jwt = Jwt::builder()
///     .issuer("https://issuer.example")
///     .audience("https://api.example")
///     .key_source(JwksFile("/etc/keys/jwks.json".into()))
///     .build()?;
/// # Ok::<(), auth_runtime::schemes::JwtError>(())
/// ```
pub trait KeySource: Send + Sync + 'static {
    /// Returns the current keys, as a JWKS document (RFC 7517 §5) of up to 1 MiB, within 10 seconds. It must not block
    /// its thread, which serves other requests.
    ///
    /// It is called as often as a URL would be fetched: on first use, in the background, before the first request
    /// after an idle time, and when a token names a key that is not at hand, at most every 5 seconds. Calls do not overlap.
    ///
    /// # Errors
    ///
    /// The keys are not available. The error is logged with its causes. The keys at hand stay valid for 24 hours, and
    /// requests with other keys are answered 503. The same applies to a panic, to a call that takes longer
    /// and to a document without a usable key.
    fn fetch(&self) -> impl Future<Output = Result<String, Box<dyn Error + Send + Sync>>> + Send;
}

type Fetching<'a> = Pin<Box<dyn Future<Output = Result<String, String>> + Send + 'a>>;

trait ErasedKeySource: Send + Sync {
    fn fetch(&self) -> Fetching<'_>;
}

impl<T: KeySource> ErasedKeySource for T {
    fn fetch(&self) -> Fetching<'_> {
        Box::pin(async {
            KeySource::fetch(self)
                .await
                .map_err(|error| with_causes(&*error))
        })
    }
}

/// Some source, behind one type.
pub(super) struct AnyKeySource(Arc<dyn ErasedKeySource>);

impl AnyKeySource {
    pub(super) fn new(source: impl KeySource) -> Self {
        Self(Arc::new(source))
    }

    /// Returns the document, or the problem.
    pub(super) async fn fetch(&self) -> Result<String, String> {
        let source = Arc::clone(&self.0);
        // A panic of the source ends its own task only.
        let mut task = JoinSet::new();
        task.spawn(async move { source.fetch().await });
        let document = match tokio::time::timeout(HttpClient::TIMEOUT, task.join_next()).await {
            Ok(Some(Ok(result))) => result,
            Ok(_) => Err("it panicked".to_owned()),
            Err(_) => Err(format!(
                "it took longer than {} seconds",
                HttpClient::TIMEOUT.as_secs()
            )),
        };
        let document = document.map_err(|problem| format!("the key source: {problem}"))?;
        if document.len() > HttpClient::MAX_RESPONSE {
            Err("the key source: the document is too long".to_owned())
        } else {
            Ok(document)
        }
    }
}
