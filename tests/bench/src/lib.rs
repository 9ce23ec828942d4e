//! What the framework costs, measured side by side: see the `benches` folder and the README.

pub mod authority;
pub mod contenders;
pub mod measured;

use http::{HeaderName, HeaderValue, Method, StatusCode};

/// One way to guard two handlers, and the requests that are sent to them.
pub struct Contender {
    /// As it stands in the table.
    pub name: &'static str,
    /// Who it can be compared with.
    pub group: Group,
    /// What the others do, and this one leaves undone: the price is to be read beside it.
    pub does_not: &'static str,
    app: App,
    asks: Vec<Ask>,
}

/// Where a contender takes its callers from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// A token is looked up in a table: what is left is the price of deciding.
    Identity,
    /// A JWT, signed with RS256.
    Jwt,
    /// A session, kept in memory and named by a cookie.
    Session,
}

impl Group {
    /// All of them, in the order of the tables.
    pub const ALL: [Self; 3] = [Self::Identity, Self::Jwt, Self::Session];

    /// The heading of the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity looked up in a table",
            Self::Jwt => "JWT (RS256)",
            Self::Session => "session in memory",
        }
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A caller who may gets the page.
    Allow,
    /// A caller without credentials is asked for some.
    Unauthenticated,
    /// A known caller who may not is told so.
    Forbidden,
    /// A known caller who may not is told what an unknown path tells.
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

/// A request, and the answer that makes it worth measuring.
#[derive(Clone)]
pub struct Ask {
    outcome: Outcome,
    /// The path that is asked for.
    pub path: &'static str,
    /// The field with the credentials.
    pub credentials: Option<(HeaderName, HeaderValue)>,
    status: StatusCode,
    has_challenge: bool,
}

/// The path of a handler whose denials are shown.
pub const SHOWN: &str = "/shown";
/// The path of a handler whose denials are hidden.
pub const HIDDEN: &str = "/hidden";
/// What both of them answer.
pub const PAGE: &str = "the page";

/// The routers that contenders are built with.
enum App {
    Axum(axum::Router),
    Protected(auth_runtime::ProtectedRouter),
    /// What is still on the version before.
    #[cfg(feature = "peers")]
    Axum07(axum_0_7::Router),
}

impl App {
    /// `axum::serve` does this as well: a router that still expects a state makes its routes anew for
    /// each request.
    fn served(self) -> Self {
        match self {
            Self::Axum(router) => Self::Axum(router.with_state(())),
            Self::Protected(router) => Self::Protected(router),
            #[cfg(feature = "peers")]
            Self::Axum07(router) => Self::Axum07(router.with_state(())),
        }
    }
}

/// A request that is ready to be sent.
pub enum Request {
    /// To a router of axum 0.8.
    Axum(axum::extract::Request),
    /// To one of axum 0.7.
    #[cfg(feature = "peers")]
    Axum07(axum_0_7::extract::Request),
}

/// As much of an answer as can be told apart.
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

    /// A request with `credentials` comes out as `outcome`.
    fn asked(
        mut self,
        outcome: Outcome,
        credentials: Option<(HeaderName, HeaderValue)>,
        status: u16,
        has_challenge: bool,
    ) -> Self {
        self.asks.push(Ask {
            outcome,
            path: if outcome == Outcome::Hidden {
                HIDDEN
            } else {
                SHOWN
            },
            credentials,
            status: StatusCode::from_u16(status).expect("a status"),
            has_challenge,
        });
        self
    }

    /// What it is asked for an outcome; `None` if it cannot come to that.
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

    /// A request, ready to be sent.
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

    /// Panics unless every request is answered as it should be: what is answered wrong is not worth
    /// measuring.
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
    /// The first field of that name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }
}
