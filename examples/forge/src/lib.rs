//! A small code forge, modelled on the large ones: an example of a service that is audited.
//!
//! Start with [`routes`]. Each kind of object has a file, with its paths at the top and the policy
//! above each handler. `auth.toml` declares the names and policies, and `access.lock` lists the
//! resulting policies of all routes.

mod admin;
mod checks;
mod collaborators;
mod comments;
mod denials;
mod extract;
mod failure;
mod gists;
mod hooks;
mod issues;
mod keys;
mod labels;
mod meta;
mod notifications;
mod objects;
mod orgs;
mod pulls;
mod releases;
mod repos;
mod search;
mod stars;
mod store;
mod teams;
mod text;
mod tokens;
mod users;

use std::error::Error;

use auth_runtime::objects::DecisionPoint;
use auth_runtime::schemes::{Basic, Bearer, Jwt, SignedUrls};
use auth_runtime::{ClientAddress, GuardedRouter, ProtectedRouter, ProtectionSpace, vocabulary};
use auth_runtime_cedar::{Cedar, CedarError};
use axum::extract::DefaultBodyLimit;
use tower_http::csrf::CsrfLayer;

use crate::denials::Denials;
pub use crate::objects::Entities;
use crate::store::Store;
pub use crate::store::{Database, open_database};

auth_runtime::actions!();

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// The maximum size of a request body, in bytes.
const MAX_BODY: usize = 256 * 1024;

/// The state of the handlers.
#[derive(Clone)]
pub struct Forge {
    store: Store,
    links: SignedUrls,
    denials: Denials,
}

impl Forge {
    /// Creates a forge with this database, and with the keys of `links`.
    pub fn new(database: Database, links: SignedUrls) -> Self {
        Self {
            store: Store::new(database),
            links,
            denials: Denials::default(),
        }
    }

    /// The properties of accounts, repositories and organizations, for an engine that decides by them.
    pub fn entities(&self) -> Entities {
        Entities::new(self.store.clone())
    }

    /// The engine of the forge: Cedar with `policies.cedar`.
    ///
    /// # Errors
    ///
    /// A policy is invalid.
    pub fn cedar(&self) -> Result<Cedar, CedarError> {
        Cedar::builder()
            .policies(include_str!("../policies.cedar"))
            .schema(include_str!("../schema.cedarschema"))
            .entities(self.entities())
            .build()
    }

    /// The protection space. It accepts the access tokens of `jwt`, personal tokens in place of a
    /// password, and the signed links of the forge. `engine` decides about single objects.
    ///
    /// # Errors
    ///
    /// The schemes cannot be used together.
    pub fn space(&self, jwt: Jwt, engine: impl DecisionPoint) -> Result<ProtectionSpace> {
        // Callers connect through a proxy on the same host, which adds their addresses to this field.
        let client = ClientAddress::x_forwarded_for(["127.0.0.1/32".parse()?])?;
        let (store, denials) = (self.store.clone(), self.denials.clone());
        let space = ProtectionSpace::builder()
            .realm(vocabulary!().realm().unwrap_or("forge"))
            .scheme(Bearer::jwt(jwt))
            .scheme(Basic::new(move |login, token| {
                tokens::verify(store.clone(), login, token)
            }))
            .scheme(self.links.clone())
            .client_address(client)
            .decision_point(engine)
            .audit(move |record| denials.note(record));
        Ok(space.build()?)
    }

    /// The service. It needs the address of the connection: serve it with
    /// `into_make_service_with_connect_info::<SocketAddr>()`.
    ///
    /// # Errors
    ///
    /// The space cannot decide by a policy of the routes.
    pub fn app(&self, space: ProtectionSpace) -> Result<ProtectedRouter> {
        let router = routes().with_state(self.clone()).protect(space)?;
        let router = router.layer(DefaultBodyLimit::max(MAX_BODY));
        // A browser that has a personal token sends it with the forms of other sites as well.
        Ok(router.layer(CsrfLayer::new()))
    }
}

/// All routes of the forge.
pub fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .merge(meta::routes())
        .merge(users::routes())
        .merge(tokens::routes())
        .merge(repos::routes())
        .merge(collaborators::routes())
        .merge(keys::routes())
        .merge(hooks::routes())
        .merge(issues::routes())
        .merge(comments::routes())
        .merge(labels::routes())
        .merge(pulls::routes())
        .merge(releases::routes())
        .merge(stars::routes())
        .merge(notifications::routes())
        .merge(orgs::routes())
        .merge(teams::routes())
        .merge(gists::routes())
        .merge(search::routes())
        .merge(admin::routes())
        .fallback(meta::not_found)
}
