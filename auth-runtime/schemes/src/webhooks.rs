//! Signed webhooks.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime_core::{
    Caller, Clock, Credentials, Identity, Rejection, Scheme, Source, Verification,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;
use http::{HeaderMap, HeaderName};
use zeroize::Zeroizing;

use crate::field::only_line;
use crate::hex::parse_sha256;
use crate::hmac_key::HmacKey;
use crate::shared_secret::has_outer_whitespace;

/// Webhooks: requests of another service that sign their body with a shared secret (HMAC-SHA-256).
///
/// | format | field | signed text |
/// |---|---|---|
/// | [`github`](Self::github) | `X-Hub-Signature-256: sha256=…` | the body |
/// | [`stripe`](Self::stripe) | `Stripe-Signature: t=…,v1=…` | the time and the body |
/// | [`standard`](Self::standard) ([Standard Webhooks](https://www.standardwebhooks.com)) | `Webhook-Signature: v1,…` | id, time and body |
/// | [`svix`](Self::svix), as Clerk and Resend | `Svix-Signature: v1,…` | id, time and body |
///
/// ```
/// use auth_runtime::routing::post;
/// use auth_runtime::schemes::Webhooks;
/// use auth_runtime::{GuardedRouter, Identity, ProtectionSpace, requires};
///
/// #[requires(role = "hook")]
/// async fn pushed(body: String) -> &'static str {
///     # let _ = body;
///     "noted"
/// }
///
/// # let secret_of_the_environment = "It's a Secret to Everybody";
/// let sender = Identity::new("github").with_roles(["hook"]);
/// let hooks = Webhooks::github().secret(secret_of_the_environment).identity(sender).build()?;
/// let space = ProtectionSpace::builder().realm("hooks").scheme(hooks).build()?;
/// let app = GuardedRouter::new().route("/pushed", post(pushed)).protect(space)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The signature covers the raw body. A `GuardedRouter` reads it before the decision, up to
/// [`max_body`](auth_runtime_core::ProtectionSpaceBuilder::max_body) bytes (1 MiB by default), and the handler receives
/// it unchanged. On a plain router the body is not read, so every signature is rejected.
///
/// **Keys.** Each [`secret`](WebhooksBuilder::secret) verifies, so that a new one can be added before the
/// sender uses it.
///
/// **Replay.** A signed time must be within the [`tolerance`](WebhooksBuilder::tolerance). Within it, and for
/// GitHub's format without a time at all, a recorded request can be repeated: a handler must accept a second
/// delivery, which senders also cause by retries. The signed `Webhook-Id` of Standard Webhooks, the signed `Svix-Id`, and the
/// `id` in the body of Stripe's events, identify a delivery. The target and other fields are not signed: a client that repeats a
/// recorded body can change them, such as `X-GitHub-Delivery` and `X-GitHub-Event`. A handler for GitHub therefore
/// relies on the body only.
///
/// The scheme in the challenge, `Webhook`, is not registered. Several senders in one space have schemes of different
/// [names](WebhooksBuilder::scheme_name).
pub struct Webhooks {
    name: String,
    format: Format,
    secrets: Vec<HmacKey>,
    identity: Identity,
    tolerance: Duration,
    clock: Clock,
}

/// The format of signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    GitHub,
    Stripe,
    Standard,
    Svix,
}

/// The fields with the id and the time.
const STANDARD_FIELDS: [HeaderName; 2] = [
    HeaderName::from_static("webhook-id"),
    HeaderName::from_static("webhook-timestamp"),
];
const SVIX_FIELDS: [HeaderName; 2] = [
    HeaderName::from_static("svix-id"),
    HeaderName::from_static("svix-timestamp"),
];

/// The default tolerance, as in the libraries of Stripe and of Standard Webhooks.
const TOLERANCE: Duration = Duration::from_secs(300);
/// The shortest secret, in bytes.
const MIN_SECRET: usize = 16;
/// The number of signatures in a field that are compared.
const MAX_SIGNATURES: usize = 16;

impl Format {
    const fn field(self) -> HeaderName {
        HeaderName::from_static(match self {
            Self::GitHub => "x-hub-signature-256",
            Self::Stripe => "stripe-signature",
            Self::Standard => "webhook-signature",
            Self::Svix => "svix-signature",
        })
    }

    const fn subject(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::Stripe => "stripe",
            Self::Standard => "webhook",
            Self::Svix => "svix",
        }
    }
}

/// The parts of a signed request.
struct Signed<'r> {
    /// The text before the body, if there is one.
    prefix: String,
    /// In seconds since 1970.
    time: Option<&'r str>,
    signatures: Vec<Vec<u8>>,
}

impl Webhooks {
    /// Starts with the format of GitHub, Gitea and Forgejo.
    pub fn github() -> WebhooksBuilder {
        WebhooksBuilder::new(Format::GitHub)
    }

    /// Starts with the format of Stripe.
    pub fn stripe() -> WebhooksBuilder {
        WebhooksBuilder::new(Format::Stripe)
    }

    /// Starts with the format of Standard Webhooks. A secret that starts with `whsec_` is base64, and so is one that
    /// starts with `v1,whsec_`, such as those of Supabase Auth.
    pub fn standard() -> WebhooksBuilder {
        WebhooksBuilder::new(Format::Standard)
    }

    /// Starts with the format of Svix, which sends the webhooks of Clerk, Resend and other services: that of
    /// [`standard`](Self::standard), in the fields `svix-id`, `svix-timestamp` and `svix-signature`.
    ///
    /// ```
    /// use auth_runtime::schemes::Webhooks;
    ///
    /// # let secret_of_the_environment = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    /// let hooks = Webhooks::svix().secret(secret_of_the_environment).build()?;
    /// # Ok::<(), auth_runtime::schemes::WebhooksError>(())
    /// ```
    pub fn svix() -> WebhooksBuilder {
        WebhooksBuilder::new(Format::Svix)
    }

    /// Verifies a request.
    fn verify_body(&self, credentials: &Credentials<'_>) -> Result<(), Rejection> {
        let (value, headers) = (credentials.value(), credentials.headers());
        let parsed = match self.format {
            Format::GitHub => parse_github(value),
            Format::Stripe => parse_stripe(value),
            Format::Standard => parse_standard(value, headers, &STANDARD_FIELDS),
            Format::Svix => parse_standard(value, headers, &SVIX_FIELDS),
        };
        let signed = parsed.ok_or(Rejection::Malformed)?;
        let Some(body) = credentials.body() else {
            tracing::warn!("a webhook reached a router that does not read its body");
            return Err(Rejection::Malformed);
        };
        let mut is_valid = false;
        for secret in &self.secrets {
            // The body is hashed once for a secret, however many signatures a client lists.
            let mac = secret
                .start()
                .chain_update(&signed.prefix)
                .chain_update(body);
            for signature in &signed.signatures {
                // Compares in constant time.
                is_valid |= mac.clone().verify_slice(signature).is_ok();
            }
        }
        match signed.time {
            _ if !is_valid => Err(Rejection::Invalid),
            Some(time) if !self.is_recent(time) => Err(Rejection::Expired),
            _ => Ok(()),
        }
    }

    fn is_recent(&self, time: &str) -> bool {
        let seconds = time.parse().ok();
        let sent: Option<SystemTime> =
            seconds.and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
        sent.is_some_and(|sent| {
            let now = self.clock.now();
            let age = now
                .duration_since(sent)
                .or_else(|_| sent.duration_since(now));
            age.is_ok_and(|age| age <= self.tolerance)
        })
    }
}

impl Scheme for Webhooks {
    fn name(&self) -> &str {
        &self.name
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source::Field(self.format.field())]
    }

    fn request_fields(&self) -> Vec<HeaderName> {
        match self.format {
            Format::GitHub | Format::Stripe => Vec::new(),
            Format::Standard => STANDARD_FIELDS.to_vec(),
            Format::Svix => SVIX_FIELDS.to_vec(),
        }
    }

    fn signs_body(&self) -> bool {
        true
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Verification {
        Verification::done(match self.verify_body(credentials) {
            Ok(()) => Caller::known(self.identity.clone()),
            Err(rejection) => Caller::Rejected(rejection),
        })
    }
}

fn parse_github(value: &str) -> Option<Signed<'_>> {
    let signature = parse_sha256(value.strip_prefix("sha256=")?)?;
    Some(Signed {
        prefix: String::new(),
        time: None,
        signatures: vec![signature.to_vec()],
    })
}

fn parse_stripe(value: &str) -> Option<Signed<'_>> {
    let mut time = None;
    let mut signatures = Vec::new();
    for part in value.split(',') {
        match part.trim().split_once('=')? {
            ("t", value) if time.is_none() => time = Some(value),
            ("t", _) => return None,
            // Signatures of other versions are ignored.
            ("v1", value) if signatures.len() < MAX_SIGNATURES => {
                signatures.push(parse_sha256(value)?.to_vec());
            }
            _ => {}
        }
    }
    Some(Signed {
        prefix: format!("{}.", time?),
        time,
        signatures,
    })
}

fn parse_standard<'r>(
    value: &str,
    headers: &'r HeaderMap,
    [id, time]: &[HeaderName; 2],
) -> Option<Signed<'r>> {
    let only = |name| only_line(headers, name).flatten()?.to_str().ok();
    // A full stop in the id would give the signed text a second reading, with another time and body.
    let id = only(id).filter(|id| !id.contains('.'))?;
    let time = only(time)?;
    let signatures = value.split(' ').filter_map(|part| part.strip_prefix("v1,"));
    let signatures = signatures.take(MAX_SIGNATURES);
    Some(Signed {
        prefix: format!("{id}.{time}."),
        time: Some(time),
        signatures: signatures
            .map(|signature| STANDARD.decode(signature).ok())
            .collect::<Option<_>>()?,
    })
}

/// Builds [`Webhooks`].
#[must_use]
pub struct WebhooksBuilder {
    webhooks: Webhooks,
    error: Option<WebhooksError>,
}

impl WebhooksBuilder {
    fn new(format: Format) -> Self {
        Self {
            webhooks: Webhooks {
                name: "Webhook".to_owned(),
                format,
                secrets: Vec::new(),
                identity: Identity::new(format.subject()),
                tolerance: TOLERANCE,
                clock: Clock::default(),
            },
            error: None,
        }
    }

    /// Adds a secret of at least 16 bytes, as the sender shows it, without the line break of a file. Each one
    /// verifies. Required.
    pub fn secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        let secret = secret.as_ref();
        if has_outer_whitespace(secret) {
            self.error.get_or_insert(WebhooksError::Whitespace);
            return self;
        }
        let encoded = match self.webhooks.format {
            Format::Standard | Format::Svix => {
                let unversioned = secret.strip_prefix(b"v1,").unwrap_or(secret);
                unversioned.strip_prefix(b"whsec_")
            }
            Format::GitHub | Format::Stripe => None,
        };
        let secret = match encoded.map(|encoded| STANDARD.decode(encoded)) {
            Some(Ok(decoded)) => Zeroizing::new(decoded),
            Some(Err(_)) => {
                self.error.get_or_insert(WebhooksError::Encoding);
                return self;
            }
            None => Zeroizing::new(secret.to_owned()),
        };
        if secret.len() < MIN_SECRET {
            self.error.get_or_insert(WebhooksError::ShortSecret);
        }
        self.webhooks.secrets.push(HmacKey::new(&secret));
        self
    }

    /// Sets the identity of the sender. Default: the subject `github`, `stripe`, `webhook` or `svix`, without grants.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.webhooks.identity = identity;
        self
    }

    /// Sets the name of the scheme, in its challenge and in `schemes("…")` of policies. Default: `Webhook`. The schemes
    /// of one space have different names:
    ///
    /// ```
    /// use auth_runtime::schemes::Webhooks;
    /// use auth_runtime::{ProtectionSpace, requires};
    ///
    /// #[requires(authenticated, schemes("Stripe"))]
    /// async fn paid() {}
    ///
    /// # let [of_github, of_stripe] = ["a secret of GitHub", "a secret of Stripe"];
    /// let space = ProtectionSpace::builder()
    ///     .realm("hooks")
    ///     .scheme(Webhooks::github().secret(of_github).scheme_name("GitHub").build()?)
    ///     .scheme(Webhooks::stripe().secret(of_stripe).scheme_name("Stripe").build()?)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn scheme_name(mut self, name: impl Into<String>) -> Self {
        self.webhooks.name = name.into();
        self
    }

    /// Sets the maximum difference between the signed time and the clock, for formats with a time.
    /// Default: five minutes.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.webhooks.tolerance = tolerance;
        self
    }

    /// Sets the clock. Default: the clock of the system.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.webhooks.clock = clock;
        self
    }

    /// Builds the scheme.
    ///
    /// # Errors
    ///
    /// [`WebhooksError`]: no secret, or an invalid one.
    pub fn build(self) -> Result<Webhooks, WebhooksError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.webhooks.secrets.is_empty() {
            return Err(WebhooksError::NoSecret);
        }
        Ok(self.webhooks)
    }
}

/// An error of building [`Webhooks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhooksError {
    /// No secret was given.
    NoSecret,
    /// A secret is shorter than 16 bytes.
    ShortSecret,
    /// A secret with the prefix `whsec_` is not base64.
    Encoding,
    /// A secret that is text starts or ends with whitespace, such as the line break of a file.
    Whitespace,
}

impl fmt::Display for WebhooksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSecret => f.write_str("no secret was added; add one with `.secret(…)`"),
            Self::ShortSecret => write!(f, "a secret is shorter than {MIN_SECRET} bytes"),
            Self::Encoding => f.write_str("a secret with the prefix `whsec_` is not base64"),
            Self::Whitespace => f.write_str("a secret starts or ends with whitespace; trim it"),
        }
    }
}

impl std::error::Error for WebhooksError {}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks")
            .field("name", &self.name)
            .field("format", &self.format)
            .field("secrets", &self.secrets.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for WebhooksBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhooksBuilder")
            .field("name", &self.webhooks.name)
            .field("format", &self.webhooks.format)
            .field("secrets", &self.webhooks.secrets.len())
            .finish_non_exhaustive()
    }
}
