//! Personal tokens: passwords for programs, with limited scopes and a limited lifetime.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::routing::{delete, get};
use auth_runtime::schemes::Password;
use auth_runtime::{Caller, Guard, GuardedRouter, Identity, Rejection, requires, vocabulary};
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::Row;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Forge;
use crate::extract::{Json, Me, TokenId};
use crate::failure::{Answer, Failure};
use crate::store::Store;
use crate::text::Line;

pub(crate) fn routes() -> GuardedRouter<Forge> {
    GuardedRouter::new()
        .route("/user/tokens", get(list).post(create))
        .route("/user/tokens/{token}", delete(revoke))
}

/// A token, without its secret.
#[derive(Serialize)]
struct Token {
    id: i64,
    name: String,
    scopes: String,
    expires: i64,
}

impl Token {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            scopes: row.get(2)?,
            expires: row.get(3)?,
        })
    }
}

#[requires(scope = "user:read", check = crate::checks::is_active)]
async fn list(State(forge): State<Forge>, me: Me) -> Answer<Json<Vec<Token>>> {
    let sql = "SELECT id, name, scopes, expires FROM tokens WHERE account = ?1 ORDER BY id";
    Ok(Json(forge.store.all(sql, [me.id], Token::read).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    name: Line,
    scopes: Vec<String>,
    days: u16,
}

#[derive(Serialize)]
struct Issued {
    /// Returned only once.
    secret: String,
}

/// Creating a token requires a login within the last hour, which a personal token never has. An
/// attacker with an open browser or a stolen token therefore cannot create further tokens.
#[requires(policy = "recent-login", scope = "user:write")]
async fn create(
    guard: Guard,
    State(forge): State<Forge>,
    me: Me,
    Json(new): Json<NewToken>,
) -> Answer<(StatusCode, Json<Issued>)> {
    let vocabulary = vocabulary!();
    let known = vocabulary.scopes();
    let is_known = |scope: &String| known.iter().any(|term| term.name() == scope);
    // Only signed links carry this scope.
    let is_for_links = |scope: &String| scope == "asset:download";
    if !new.scopes.iter().all(is_known) || new.scopes.iter().any(is_for_links) {
        return Err(Failure::Unprocessable("there is no such scope"));
    }
    if !(1..=365).contains(&new.days) {
        return Err(Failure::Unprocessable("a token lives for 1 to 365 days"));
    }
    // A caller cannot grant scopes that it lacks.
    let is_held = |scope: &String| guard.identity().meets_scope(scope, &vocabulary);
    guard.permit(new.scopes.iter().all(is_held))?;
    let scopes: Vec<&str> = new.scopes.iter().map(String::as_str).collect();
    let lives = Duration::from_secs(u64::from(new.days) * 24 * 60 * 60);
    let secret = issue(&forge.store, &me.login, &new.name.0, &scopes, lives).await?;
    Ok((StatusCode::CREATED, Json(Issued { secret })))
}

#[requires(scope = "user:write", check = crate::checks::is_active)]
async fn revoke(
    State(forge): State<Forge>,
    me: Me,
    TokenId { token }: TokenId,
) -> Answer<StatusCode> {
    let sql = "DELETE FROM tokens WHERE id = ?1 AND account = ?2";
    forge.store.change(sql, (token, me.id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Creates a token for an account. Only its hash is stored. A fast hash is sufficient for 256
/// random bits.
pub(crate) async fn issue(
    store: &Store,
    login: &str,
    name: &str,
    scopes: &[&str],
    lives: Duration,
) -> Result<String, Failure> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|_| Failure::Broken)?;
    let secret = format!("forge_{}", URL_SAFE_NO_PAD.encode(random));
    let expires = now().saturating_add(seconds(lives));
    let sql = "INSERT INTO tokens (account, name, hash, scopes, expires)
               SELECT id, ?2, ?3, ?4, ?5 FROM accounts WHERE login = ?1 AND kind = 'user'";
    let (login, name) = (login.to_owned(), name.to_owned());
    let parameters = (login, name, hash(&secret), scopes.join(" "), expires);
    store.change(sql, parameters).await?;
    Ok(secret)
}

/// Returns the caller of a token; for `Basic`, so that programs such as `curl -u` can use it in place of a
/// password.
pub(crate) async fn verify(store: Store, login: String, token: Password) -> Caller {
    // The search is by hash, so its duration does not disclose the token.
    let sql = "SELECT scopes, expires FROM tokens JOIN accounts ON accounts.id = account
               WHERE hash = ?1 AND login = ?2";
    let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
    match store
        .one(sql, (hash(token.as_str()), login.clone()), read)
        .await
    {
        Ok((_, expires)) if expires <= now() => Caller::Rejected(Rejection::Expired),
        Ok((scopes, _)) => {
            Caller::known(Identity::new(login).with_scopes(scopes.split_ascii_whitespace()))
        }
        Err(Failure::NotFound) => Caller::rejected(),
        // The store has logged the cause.
        Err(_) => Caller::unverifiable(),
    }
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// Returns the seconds since 1970.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    seconds(now.unwrap_or_default())
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
