//! A kind of caller.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use auth_runtime_core::{Caller, Identity};
use axum::extract::ConnectInfo;
use http::request::Parts;
use http::{HeaderName, HeaderValue};

/// A kind of caller for an [`AccessMatrix`](crate::AccessMatrix): its identity, and its requests.
///
/// The identity determines the expected response. The requests are the input of the router. State
/// the identity that the service intends (with [`known`](Self::known) and similar constructors),
/// and not the one that its verifier returns: so that the matrix reveals errors of the verifier.
///
/// ```
/// use auth_runtime::Identity;
/// use auth_runtime_audit::Persona;
/// use axum::http::header::{AUTHORIZATION, COOKIE};
///
/// let stranger = Persona::anonymous();
/// let late = Persona::rejected("expired").header(AUTHORIZATION, "Bearer a.token.that-expired");
/// let reader = Persona::known("reader", Identity::new("rita").with_scopes(["repo:read"]))
///     .header(COOKIE, "__Host-session=of-rita");
/// let office = Persona::named("office", auth_runtime::Caller::Anonymous)
///     .with_address([192, 0, 2, 7].into());
/// assert_eq!(reader.name(), "reader");
/// ```
#[derive(Clone)]
pub struct Persona {
    name: String,
    /// The description. Empty if its grants describe it sufficiently.
    about: String,
    caller: Caller,
    steps: Vec<Step>,
    /// The names of fields with an invalid value.
    refused: Vec<HeaderName>,
}

/// A change that makes a request the persona's.
type Step = Arc<dyn Fn(&mut Parts) + Send + Sync>;

impl Persona {
    /// Creates a caller without credentials, named `anonymous`.
    pub fn anonymous() -> Self {
        Self::named("anonymous", Caller::Anonymous)
    }

    /// Creates a caller with invalid credentials: expired, revoked, forged.
    pub fn rejected(name: impl Into<String>) -> Self {
        Self::named(name, Caller::rejected())
    }

    /// Creates a caller with valid credentials of `identity`. For handlers that take a `CurrentUser`, it
    /// has the [user](Identity::with_user), which no scheme loads here.
    pub fn known(name: impl Into<String>, identity: Identity) -> Self {
        Self::named(name, Caller::known(identity))
    }

    /// Creates a persona from a [`Caller`]. It is for unverifiable callers, and for anonymous
    /// callers with an address.
    pub fn named(name: impl Into<String>, caller: Caller) -> Self {
        Self {
            name: name.into(),
            about: String::new(),
            caller,
            steps: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// Describes the persona to the readers of the matrix. Two personas with the same grants may
    /// receive different responses, if a check or a handler depends on the owner of an object.
    /// Default: only its grants.
    ///
    /// ```
    /// # let [ann_s, bob_s] = ["Bearer a", "Bearer b"];
    /// use auth_runtime::Identity;
    /// use auth_runtime_audit::Persona;
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

    /// Sends this field with each request, in addition to others of the same name. An invalid field
    /// value is an error of [`AccessMatrixBuilder::send`](crate::AccessMatrixBuilder::send).
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

    /// Sends each request from this address, as in
    /// [`into_make_service_with_connect_info`](axum::Router::into_make_service_with_connect_info).
    /// Behind a proxy, send the proxy's [`header`](Self::header) instead.
    #[must_use]
    pub fn with_address(self, address: IpAddr) -> Self {
        self.each_request(move |head| {
            let address = SocketAddr::new(address, 0);
            head.extensions.insert(ConnectInfo(address));
        })
    }

    /// Changes each request with a function, for credentials that differ each time: a proof of
    /// possession, a signature in the query, the certificate of the connection. Method and target
    /// are already set. The function must not change the path of the target.
    ///
    /// ```
    /// use auth_runtime_audit::Persona;
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

    /// The name in the matrix.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The identity of the persona.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Makes a request the persona's.
    pub(super) fn prepare(&self, head: &mut Parts) {
        for step in &self.steps {
            step(head);
        }
    }

    pub(super) fn refused(&self) -> &[HeaderName] {
        &self.refused
    }

    /// Returns the description, if there is one, and the grants, as text.
    pub(crate) fn description(&self) -> String {
        if self.about.is_empty() {
            self.granted()
        } else {
            format!("{} ({})", self.about, self.granted())
        }
    }

    /// Returns the grants as text, without the subject, which does not affect a policy.
    fn granted(&self) -> String {
        let identity = match &self.caller {
            Caller::Anonymous => return "no credentials".to_owned(),
            Caller::Rejected(_) => return "rejected credentials".to_owned(),
            Caller::Unverifiable { .. } => {
                return "unverifiable credentials".to_owned();
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
        if parts.is_empty() {
            "known".to_owned()
        } else {
            format!("known: {}", parts.join(", "))
        }
    }
}

impl fmt::Debug for Persona {
    /// Leaves out the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Persona")
            .field("name", &self.name)
            .field("is", &self.description())
            .finish_non_exhaustive()
    }
}
