//! A kind of caller.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use http::request::Parts;
use http::{HeaderName, HeaderValue};

use crate::caller::Caller;
use crate::identity::Identity;

/// A kind of caller for an [`AccessMatrix`](crate::AccessMatrix): what it sends, and what it is.
///
/// What it is says what it should be answered; what it sends is what the router gets to see. Say the one
/// by [`known`](Self::known) and its kin, as the service means it to be, and not by what its verifier
/// makes of the credentials: a verifier that is wrong is to be found.
///
/// ```
/// use auth_runtime::{Identity, Persona};
/// use axum::http::header::{AUTHORIZATION, COOKIE};
///
/// let stranger = Persona::anonymous();
/// let late = Persona::rejected("expired").header(AUTHORIZATION, "Bearer a.token.that-expired");
/// let reader = Persona::known("reader", Identity::new("rita").with_scopes(["repo:read"]))
///     .header(COOKIE, "__Host-session=of-rita");
/// let office = Persona::named("office", auth_runtime::Caller::Anonymous)
///     .from_address([192, 0, 2, 7].into());
/// assert_eq!(reader.name(), "reader");
/// ```
#[derive(Clone)]
pub struct Persona {
    name: String,
    /// Who that is; empty if what it is granted says enough.
    about: String,
    caller: Caller,
    steps: Vec<Step>,
    /// What is no field value, by the name of the field.
    refused: Vec<HeaderName>,
}

/// What is done to a request to make it the persona's.
type Step = Arc<dyn Fn(&mut Parts) + Send + Sync>;

impl Persona {
    /// Somebody without credentials, named `anonymous`.
    pub fn anonymous() -> Self {
        Self::named("anonymous", Caller::Anonymous)
    }

    /// Somebody whose credentials are no good: expired, revoked, forged.
    pub fn rejected(name: impl Into<String>) -> Self {
        Self::named(name, Caller::rejected())
    }

    /// Somebody with good credentials, which are `identity`'s.
    pub fn known(name: impl Into<String>, identity: Identity) -> Self {
        Self::named(name, Caller::known(identity))
    }

    /// Somebody of whom that is known: for callers that nobody can verify, and for those without
    /// credentials who call from somewhere.
    pub fn named(name: impl Into<String>, caller: Caller) -> Self {
        Self {
            name: name.into(),
            about: String::new(),
            caller,
            steps: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// Says who that is, for whoever reads the matrix: two who were granted the same may be answered
    /// differently, where a check or a handler asks whose something is. Default: only what it is granted.
    ///
    /// ```
    /// # let [ann_s, bob_s] = ["Bearer a", "Bearer b"];
    /// use auth_runtime::{Identity, Persona};
    /// use axum::http::header::AUTHORIZATION;
    ///
    /// let user = |name| Persona::known(name, Identity::new(name).with_scopes(["repo:read"]));
    /// let owner = user("ann").described("owns the repository").header(AUTHORIZATION, ann_s);
    /// let other = user("bob").described("has nothing to do with it").header(AUTHORIZATION, bob_s);
    /// ```
    #[must_use]
    pub fn described(self, about: impl Into<String>) -> Self {
        let about = about.into();
        Self { about, ..self }
    }

    /// Sends this field with each request, besides those of the same name. What is no field value is
    /// refused by [`AccessMatrixBuilder::send`](crate::AccessMatrixBuilder::send).
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl TryInto<HeaderValue>) -> Self {
        match value.try_into() {
            Ok(value) => self.each_request(move |head| {
                head.headers.append(&name, value.clone());
            }),
            Err(_) => {
                self.refused.push(name);
                self
            }
        }
    }

    /// Calls from this address, as
    /// [`into_make_service_with_connect_info`](axum::Router::into_make_service_with_connect_info) tells
    /// it. Behind a proxy, send the proxy's [`header`](Self::header) instead.
    #[must_use]
    pub fn from_address(self, address: IpAddr) -> Self {
        self.each_request(move |head| {
            let address = SocketAddr::new(address, 0);
            head.extensions.insert(ConnectInfo(address));
        })
    }

    /// Does something to each request, for what is another one each time: a proof of possession, a
    /// signature in the query, the certificate of the connection. Method and target stand there
    /// already; the target's path has to stay what it is.
    ///
    /// ```
    /// use auth_runtime::Persona;
    /// # fn proof(_: &axum::http::Method, _: &axum::http::Uri) -> String { String::new() }
    ///
    /// let bound = Persona::rejected("stolen token").each_request(|head| {
    ///     let proof = proof(&head.method, &head.uri);
    ///     if let Ok(proof) = proof.try_into() {
    ///         head.headers.insert("dpop", proof);
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn each_request(mut self, step: impl Fn(&mut Parts) + Send + Sync + 'static) -> Self {
        self.steps.push(Arc::new(step));
        self
    }

    /// What it is called in the matrix.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Makes a request its own.
    pub(super) fn prepare(&self, head: &mut Parts) {
        for step in &self.steps {
            step(head);
        }
    }

    pub(super) fn refused(&self) -> &[HeaderName] {
        &self.refused
    }

    /// Who that is, if it was said, and what it is, in words.
    pub(crate) fn description(&self) -> String {
        match self.about.is_empty() {
            true => self.granted(),
            false => format!("{} ({})", self.about, self.granted()),
        }
    }

    /// What it is, in words: not its subject, since that is of no matter to a policy.
    fn granted(&self) -> String {
        let identity = match &self.caller {
            Caller::Anonymous => return "no credentials".to_owned(),
            Caller::Rejected(_) => return "credentials that are no good".to_owned(),
            Caller::Unverifiable { .. } => {
                return "credentials that nobody can verify".to_owned();
            }
            Caller::Known(identity) => identity,
        };
        let scopes = identity.scopes().map(|name| format!("scope {name:?}"));
        let roles = identity.roles().map(|name| format!("role {name:?}"));
        let permissions = identity.permissions();
        let permissions = permissions.map(|name| format!("permission {name:?}"));
        let acr = identity.acr().map(|name| format!("acr {name:?}"));
        let amr = identity.amr().map(|name| format!("amr {name:?}"));
        let bound = identity
            .is_sender_constrained()
            .then(|| "bound to a key".to_owned());
        let grants = scopes.chain(roles).chain(permissions);
        let parts: Vec<_> = grants.chain(acr).chain(amr).chain(bound).collect();
        match parts.is_empty() {
            true => "known".to_owned(),
            false => format!("known: {}", parts.join(", ")),
        }
    }
}

impl fmt::Debug for Persona {
    /// Leaves out what it sends.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Persona")
            .field("name", &self.name)
            .field("is", &self.description())
            .finish_non_exhaustive()
    }
}
