//! The administration of the site: for the staff in its own network, and hidden from all other
//! callers.

use auth_runtime::routing::{delete, get, put};
use auth_runtime::{GuardedRouter, requires};

use crate::Forge;

pub(crate) fn routes() -> GuardedRouter<Forge> {
    let site = GuardedRouter::new()
        .route("/users", get(site::users))
        .route("/users/{login}", delete(site::remove))
        .route(
            "/users/{login}/suspension",
            put(site::suspend).delete(site::reinstate),
        )
        .route("/actions", get(site::actions))
        .route("/denials", get(site::denials))
        .route("/settings", get(site::settings))
        .route("/settings/motd", put(site::set_motd))
        .route("/settings/maintenance", put(site::set_maintenance));
    GuardedRouter::new().nest("/admin", site)
}

/// The attribute of a handler in this module adds to this policy, or loosens it with a reason. A
/// personal token is not a login, so it does not meet this policy.
#[requires(policy = "administrator")]
mod site {
    use auth_runtime::{Guard, requires};
    use axum::extract::State;
    use axum::http::StatusCode;
    use rusqlite::{Connection, Row};
    use serde::{Deserialize, Serialize};

    use crate::Forge;
    use crate::denials::DenialNote;
    use crate::extract::{Json, Login, Me};
    use crate::failure::{Answer, Failure};
    use crate::orgs::keep_owners;
    use crate::text::Text;

    #[derive(Serialize)]
    pub(super) struct Account {
        login: String,
        name: String,
        is_suspended: bool,
    }

    impl Account {
        fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
            Ok(Self {
                login: row.get(0)?,
                name: row.get(1)?,
                is_suspended: row.get(2)?,
            })
        }
    }

    #[requires(policy = "moderator", loosen = "moderators list accounts")]
    pub(super) async fn users(State(forge): State<Forge>) -> Answer<Json<Vec<Account>>> {
        let sql = "SELECT login, name, is_suspended FROM accounts WHERE kind = 'user'
                   ORDER BY login LIMIT 100";
        Ok(Json(forge.store.all(sql, [], Account::read).await?))
    }

    /// Only an administrator may suspend a member of the staff.
    #[requires(policy = "moderator", loosen = "moderators suspend accounts")]
    pub(super) async fn suspend(
        guard: Guard,
        State(forge): State<Forge>,
        me: Me,
        Login { login }: Login,
    ) -> Answer<StatusCode> {
        if login == me.login {
            return Err(Failure::Unprocessable("nobody suspends himself"));
        }
        // The account that is checked is the one that is changed.
        let done = forge.store.transaction(move |database| {
            let sql = "SELECT is_staff FROM accounts WHERE login = ?1 AND kind = 'user'";
            let is_staff: bool = database.query_row(sql, [&login], |row| row.get(0))?;
            guard.permit(!is_staff || guard.identity().has_role("admin"))?;
            let sql = "UPDATE accounts SET is_suspended = TRUE WHERE login = ?1 AND kind = 'user'";
            act(database, sql, &me, "suspended", &login)
        });
        done.await?;
        Ok(StatusCode::NO_CONTENT)
    }

    pub(super) async fn reinstate(
        State(forge): State<Forge>,
        me: Me,
        Login { login }: Login,
    ) -> Answer<StatusCode> {
        let done = forge.store.transaction(move |database| {
            let sql = "UPDATE accounts SET is_suspended = FALSE WHERE login = ?1 AND kind = 'user'";
            act(database, sql, &me, "reinstated", &login)
        });
        done.await?;
        Ok(StatusCode::NO_CONTENT)
    }

    /// Deletes an account with all its data, so it requires a login within the last 15 minutes.
    #[requires(max_age = "15m")]
    pub(super) async fn remove(
        State(forge): State<Forge>,
        me: Me,
        Login { login }: Login,
    ) -> Answer<StatusCode> {
        if login == me.login {
            return Err(Failure::Unprocessable("nobody removes himself"));
        }
        let done = forge.store.transaction(move |database| {
            let sql = "DELETE FROM accounts WHERE login = ?1 AND kind = 'user'";
            act(database, sql, &me, "removed", &login)?;
            keep_owners(database)
        });
        done.await?;
        Ok(StatusCode::NO_CONTENT)
    }

    /// Changes an account, and records the acting person.
    fn act(
        database: &Connection,
        sql: &'static str,
        me: &Me,
        action: &'static str,
        login: &str,
    ) -> Result<(), Failure> {
        if database.execute(sql, [login])? == 0 {
            return Err(Failure::NotFound);
        }
        note(database, me, action, login)
    }

    fn note(
        database: &Connection,
        me: &Me,
        action: &'static str,
        target: &str,
    ) -> Result<(), Failure> {
        let sql = "INSERT INTO actions (actor, action, target) VALUES (?1, ?2, ?3)";
        database.execute(sql, (&me.login, action, target))?;
        Ok(())
    }

    #[derive(Serialize)]
    pub(super) struct Action {
        at: String,
        actor: String,
        action: String,
        target: String,
    }

    impl Action {
        fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
            Ok(Self {
                at: row.get(0)?,
                actor: row.get(1)?,
                action: row.get(2)?,
                target: row.get(3)?,
            })
        }
    }

    #[requires(policy = "moderator", loosen = "moderators read the logs")]
    pub(super) async fn actions(State(forge): State<Forge>) -> Answer<Json<Vec<Action>>> {
        let sql = "SELECT at, actor, action, target FROM actions ORDER BY id DESC LIMIT 100";
        Ok(Json(forge.store.all(sql, [], Action::read).await?))
    }

    #[requires(policy = "moderator", loosen = "moderators read the logs")]
    pub(super) async fn denials(State(forge): State<Forge>) -> Json<Vec<DenialNote>> {
        Json(forge.denials.latest())
    }

    #[derive(Serialize)]
    pub(super) struct Setting {
        name: String,
        value: String,
    }

    impl Setting {
        fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
            Ok(Self {
                name: row.get(0)?,
                value: row.get(1)?,
            })
        }
    }

    pub(super) async fn settings(State(forge): State<Forge>) -> Answer<Json<Vec<Setting>>> {
        let sql = "SELECT name, value FROM settings ORDER BY name";
        Ok(Json(forge.store.all(sql, [], Setting::read).await?))
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Motd {
        text: Text,
    }

    pub(super) async fn set_motd(
        State(forge): State<Forge>,
        me: Me,
        Json(Motd { text }): Json<Motd>,
    ) -> Answer<StatusCode> {
        set(&forge, me, "motd", text.0).await
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Maintenance {
        on: bool,
    }

    #[requires(max_age = "15m")]
    pub(super) async fn set_maintenance(
        State(forge): State<Forge>,
        me: Me,
        Json(Maintenance { on }): Json<Maintenance>,
    ) -> Answer<StatusCode> {
        let value = if on { "on" } else { "off" };
        set(&forge, me, "maintenance", value.to_owned()).await
    }

    async fn set(forge: &Forge, me: Me, name: &'static str, value: String) -> Answer<StatusCode> {
        let done = forge.store.transaction(move |database| {
            let sql = "UPDATE settings SET value = ?2 WHERE name = ?1";
            database.execute(sql, (name, value))?;
            note(database, &me, "set", name)
        });
        done.await?;
        Ok(StatusCode::NO_CONTENT)
    }
}
