//! The cost of the framework, compared with others: see the `benches` folder and the README.

pub mod authority;
pub mod callgrind;
pub mod contenders;
pub mod hidden;
pub mod measured;

use http::{HeaderName, HeaderValue, Method, StatusCode};

/// A guard of two handlers, and the requests for them.
pub struct Contender {
    /// The name in the table.
    pub name: &'static str,
    /// The group of comparable contenders.
    pub group: Group,
    /// The features that others have and this contender lacks, which lowers its cost.
    pub does_not: &'static str,
    /// The router.
    pub app: App,
    asks: Vec<Ask>,
}

/// The source of a contender's callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// A look-up of a token in a table, so that the cost of the decision dominates.
    Identity,
    /// A JWT, signed with RS256.
    Jwt,
    /// A session in memory, identified by a cookie.
    Session,
    /// A function that decides about the object in the path, for a caller looked up in a table.
    Object,
}

impl Group {
    /// All of them, in the order of the tables.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Jwt, Self::Session, Self::Object];

    /// The heading of the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity looked up in a table",
            Self::Jwt => "JWT (RS256)",
            Self::Session => "session in memory",
            Self::Object => "a function decides about the object",
        }
    }
}

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An allowed caller receives the page.
    Allow,
    /// A caller without credentials receives a challenge.
    Unauthenticated,
    /// A known caller that is not allowed receives a 403.
    Forbidden,
    /// A known caller that is not allowed receives the response of an unknown path.
    Hidden,
}

impl Outcome {
    /// All of them, in the order of the tables.
    pub const ALL: [Self; 4] = [
        Self::Allow,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::Hidden,
    ];

    /// The heading of the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Unauthenticated => "401",
            Self::Forbidden => "403",
            Self::Hidden => "hidden 404",
        }
    }
}

/// A request, and its expected response.
#[derive(Clone)]
pub struct Ask {
    outcome: Outcome,
    /// The requested path.
    pub path: &'static str,
    /// The field with the credentials.
    pub credentials: Option<(HeaderName, HeaderValue)>,
    status: StatusCode,
    has_challenge: bool,
}

/// The path of a handler with visible denials.
pub const SHOWN: &str = "/shown";
/// The path of a handler with hidden denials.
pub const HIDDEN: &str = "/hidden";
/// The response of both handlers.
pub const PAGE: &str = "the page";

/// The routers that contenders are built with.
pub enum App {
    /// A router of axum 0.8.
    Axum(axum::Router),
    /// A router of this framework.
    Protected(auth_runtime::ProtectedRouter),
    /// A router of axum 0.7.
    #[cfg(feature = "peers")]
    Axum07(axum_0_7::Router),
}

impl App {
    /// `axum::serve` does the same: a router without its state builds its routes for each request.
    fn served(self) -> Self {
        match self {
            Self::Axum(router) => Self::Axum(router.with_state(())),
            Self::Protected(router) => Self::Protected(router),
            #[cfg(feature = "peers")]
            Self::Axum07(router) => Self::Axum07(router.with_state(())),
        }
    }
}

/// A request, ready to be sent.
pub enum Request {
    /// A request to a router of axum 0.8.
    Axum(axum::extract::Request),
    /// A request to a router of axum 0.7.
    #[cfg(feature = "peers")]
    Axum07(axum_0_7::extract::Request),
}

/// The compared parts of a response.
#[derive(Debug, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The fields, in the order of their names.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Contender {
    fn new(name: &'static str, group: Group, app: App) -> Self {
        Self {
            name,
            group,
            does_not: "",
            app: app.served(),
            asks: Vec::new(),
        }
    }

    fn does_not(self, does_not: &'static str) -> Self {
        Self { does_not, ..self }
    }

    /// Adds a request with `credentials` that leads to `outcome`.
    fn asked(
        mut self,
        outcome: Outcome,
        credentials: Option<(HeaderName, HeaderValue)>,
        status: u16,
        has_challenge: bool,
    ) -> Self {
        self.asks.push(Ask {
            outcome,
            path: match (self.group, outcome) {
                (Group::Object, Outcome::Hidden) => "/hidden/garden",
                (Group::Object, _) => "/shown/garden",
                (_, Outcome::Hidden) => HIDDEN,
                _ => SHOWN,
            },
            credentials,
            status: StatusCode::from_u16(status).expect("a status"),
            has_challenge,
        });
        self
    }

    /// The request for an outcome. `None` if the contender does not have the outcome.
    pub fn ask(&self, outcome: Outcome) -> Option<&Ask> {
        self.asks.iter().find(|ask| ask.outcome == outcome)
    }

    /// Serves the router for as long as the runtime lives.
    ///
    /// # Panics
    ///
    /// If it is a router of axum 0.7.
    pub async fn serve(&self, listener: tokio::net::TcpListener) {
        let served = match &self.app {
            App::Axum(router) => axum::serve(listener, router.clone()).await,
            App::Protected(router) => axum::serve(listener, router.clone()).await,
            #[cfg(feature = "peers")]
            App::Axum07(_) => panic!("a router of axum 0.7"),
        };
        served.expect("the listener stays open");
    }

    /// Returns a request, ready to be sent.
    pub fn request(&self, ask: &Ask) -> Request {
        let mut request = http::Request::builder().method(Method::GET).uri(ask.path);
        if let Some((name, value)) = &ask.credentials {
            request = request.header(name, value);
        }
        match &self.app {
            App::Axum(_) | App::Protected(_) => {
                let body = axum::body::Body::empty();
                Request::Axum(request.body(body).expect("a request"))
            }
            #[cfg(feature = "peers")]
            App::Axum07(_) => {
                let body = axum_0_7::body::Body::empty();
                Request::Axum07(request.body(body).expect("a request"))
            }
        }
    }

    /// Panics if a response differs from the expected one, since its cost would be meaningless.
    pub fn check(&self) {
        for ask in &self.asks {
            let answer = self.answer(ask);
            let Self { name, .. } = self;
            let what = ask.outcome.name();
            assert_eq!(answer.status, ask.status, "{name}, {what}: {answer:?}");
            assert_eq!(
                answer.field("www-authenticate").is_some(),
                ask.has_challenge,
                "{name}, {what}: {answer:?}",
            );
            if ask.outcome == Outcome::Allow {
                assert_eq!(answer.body, PAGE, "{name}");
            } else {
                assert!(!answer.body.contains(PAGE), "{name}, {what}");
            }
        }
    }
}

impl Answer {
    /// Returns the first field with this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }
}
