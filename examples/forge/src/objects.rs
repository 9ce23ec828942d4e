//! The data that an engine decides by, and the repositories of a list.

use std::borrow::Cow;

use auth_runtime::objects::{
    Condition, DecisionPointError, EntitiesFuture, Entity, EntityLoader, EntityUid, Resource, Sql,
    SqlColumns, Value,
};
use rusqlite::Row;
use rusqlite::types::Type;

use crate::failure::{Answer, Failure};
use crate::store::Store;

/// Loads entities from the database, with one query for each.
pub struct Entities(Store);

impl Entities {
    pub(crate) fn new(store: Store) -> Self {
        Self(store)
    }

    /// Returns all people, repositories and organizations, for an engine that keeps relationships itself.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn all(&self) -> Result<Vec<Entity>, DecisionPointError> {
        let sql =
            "SELECT CASE kind WHEN 'org' THEN 'Organization' ELSE 'User' END, login FROM accounts
                   UNION SELECT 'Repository', login || '/' || repositories.name FROM repositories
                       JOIN accounts ON accounts.id = owner";
        let read = |row: &Row<'_>| {
            let (kind, id) = (row.get::<_, String>(0)?, row.get::<_, String>(1)?);
            Ok(EntityUid::new(kind, id))
        };
        let all = self.0.all(sql, [], read).await;
        self.load(&all.map_err(DecisionPointError::new)?).await
    }
}

impl EntityLoader for Entities {
    fn load<'r>(&'r self, wanted: &'r [EntityUid]) -> EntitiesFuture<'r> {
        Box::pin(async move {
            let mut entities = Vec::new();
            for wanted in wanted {
                let id = wanted.id().to_owned();
                let found = match wanted.entity_type() {
                    "User" => self.0.one(USER, [id], user).await,
                    "Repository" => {
                        let (owner, name) = id.split_once('/').unwrap_or_default();
                        let path = (owner.to_owned(), name.to_owned());
                        self.0.one(REPOSITORY, path, repository).await
                    }
                    "Organization" => self.0.one(ORGANIZATION, [id], organization).await,
                    // A team has no attributes.
                    _ => continue,
                };
                match found {
                    Ok(entity) => entities.push(entity),
                    Err(Failure::NotFound) => {}
                    Err(failure) => return Err(DecisionPointError::new(failure)),
                }
            }
            Ok(entities)
        })
    }
}

const USER: &str =
    "SELECT login, (SELECT json_group_array(orgs.login || '/' || slug) FROM team_members
        JOIN teams ON teams.id = team JOIN accounts AS orgs ON orgs.id = org
        WHERE team_members.account = accounts.id)
    FROM accounts WHERE login = ?1 AND kind = 'user'";

fn user(row: &Row<'_>) -> rusqlite::Result<Entity> {
    let user = Entity::new("User", row.get::<_, String>(0)?);
    let teams = names(row, 1)?.into_iter();
    Ok(teams.fold(user, |user, team| user.with_parent("Team", team)))
}

// No index has the whole id, so its parts are compared.
const REPOSITORY: &str = "SELECT owners.login || '/' || repositories.name, visibility = 'public',
        (SELECT json_group_array(login) FROM accounts WHERE accounts.id = owner
            OR accounts.id IN (SELECT account FROM memberships WHERE org = owner AND role = 'owner')),
        (SELECT json_group_array(login) FROM collaborators JOIN accounts ON accounts.id = account
            WHERE repository = repositories.id AND level = 1),
        (SELECT json_group_array(login) FROM collaborators JOIN accounts ON accounts.id = account
            WHERE repository = repositories.id AND level = 2),
        (SELECT json_group_array(login) FROM collaborators JOIN accounts ON accounts.id = account
            WHERE repository = repositories.id AND level = 3),
        (SELECT json_group_array(login || '/' || slug) FROM team_repositories
            JOIN teams ON teams.id = team JOIN accounts ON accounts.id = org
            WHERE repository = repositories.id AND level = 1),
        (SELECT json_group_array(login || '/' || slug) FROM team_repositories
            JOIN teams ON teams.id = team JOIN accounts ON accounts.id = org
            WHERE repository = repositories.id AND level = 2),
        (SELECT json_group_array(login || '/' || slug) FROM team_repositories
            JOIN teams ON teams.id = team JOIN accounts ON accounts.id = org
            WHERE repository = repositories.id AND level = 3)
    FROM repositories JOIN accounts AS owners ON owners.id = owner
    WHERE owners.login = ?1 AND repositories.name = ?2";

fn repository(row: &Row<'_>) -> rusqlite::Result<Entity> {
    Ok(Entity::new("Repository", row.get::<_, String>(0)?)
        .with_property("public", row.get::<_, bool>(1)?)
        .with_property("owners", references("User", names(row, 2)?))
        .with_property("readers", references("User", names(row, 3)?))
        .with_property("writers", references("User", names(row, 4)?))
        .with_property("administrators", references("User", names(row, 5)?))
        .with_property("reading", references("Team", names(row, 6)?))
        .with_property("writing", references("Team", names(row, 7)?))
        .with_property("administrating", references("Team", names(row, 8)?)))
}

const ORGANIZATION: &str = "SELECT login,
        (SELECT json_group_array(members.login) FROM memberships
            JOIN accounts AS members ON members.id = account WHERE org = accounts.id),
        (SELECT json_group_array(members.login) FROM memberships
            JOIN accounts AS members ON members.id = account
            WHERE org = accounts.id AND role = 'owner')
    FROM accounts WHERE login = ?1 AND kind = 'org'";

fn organization(row: &Row<'_>) -> rusqlite::Result<Entity> {
    Ok(Entity::new("Organization", row.get::<_, String>(0)?)
        .with_property("members", references("User", names(row, 1)?))
        .with_property("owners", references("User", names(row, 2)?)))
}

/// Returns the names in a column with a JSON array.
fn names(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<String>> {
    let json: String = row.get(column)?;
    serde_json::from_str(&json).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

fn references(kind: &'static str, names: Vec<String>) -> Vec<Value> {
    let names = names.into_iter();
    names
        .map(|name| Value::Reference(Cow::Borrowed(kind), name))
        .collect()
}

/// All repositories, for a list of an engine that decides about single ones.
pub(crate) async fn repositories(store: &Store) -> Answer<Vec<Resource>> {
    let sql = "SELECT login || '/' || repositories.name FROM repositories
               JOIN accounts ON accounts.id = owner";
    let read = |row: &Row<'_>| Ok(Resource::new("Repository", row.get::<_, String>(0)?));
    store.all(sql, [], read).await
}

/// The condition for the repositories in a list, in a query with the table `repositories`.
pub(crate) fn of_repositories(condition: Condition) -> Result<Sql, Failure> {
    macro_rules! people {
        ($level:literal) => {
            concat!(
                "EXISTS (SELECT 1 FROM collaborators JOIN accounts AS people ON people.id = account
                    WHERE repository = repositories.id AND people.login = ? AND level = ",
                $level,
                ")"
            )
        };
    }
    macro_rules! teams {
        ($level:literal) => {
            concat!(
                "EXISTS (SELECT 1 FROM team_repositories JOIN teams ON teams.id = team
                    JOIN accounts AS orgs ON orgs.id = org WHERE repository = repositories.id
                    AND orgs.login || '/' || slug = ? AND level = ",
                $level,
                ")"
            )
        };
    }
    let columns = SqlColumns::new()
        .column(
            "id",
            "(SELECT login FROM accounts WHERE accounts.id = repositories.owner)
                || '/' || repositories.name",
        )
        .column("public", "(repositories.visibility = 'public')")
        .members(
            "owners",
            "EXISTS (SELECT 1 FROM accounts AS people WHERE people.login = ?
                AND (people.id = repositories.owner OR people.id IN (SELECT account FROM memberships
                    WHERE org = repositories.owner AND role = 'owner')))",
        )
        .members("readers", people!("1"))
        .members("writers", people!("2"))
        .members("administrators", people!("3"))
        .members("reading", teams!("1"))
        .members("writing", teams!("2"))
        .members("administrating", teams!("3"));
    // The policies are a condition on these columns: a test lists all repositories for everybody.
    condition.to_sql(&columns).map_err(|error| {
        tracing::error!(%error, "a policy is about a property without a column");
        Failure::Broken
    })
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{ORGANIZATION, REPOSITORY, USER};

    /// The duration of a decision does not depend on the number of repositories and teams.
    #[test]
    fn an_entity_is_found_by_indexes() -> rusqlite::Result<()> {
        let database = Connection::open_in_memory()?;
        database.execute_batch(include_str!("schema.sql"))?;
        for sql in [USER, REPOSITORY, ORGANIZATION] {
            let mut statement = database.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            // NULL stands for each parameter.
            let steps = statement.raw_query().mapped(|row| row.get(3));
            let steps: Vec<String> = steps.collect::<Result<_, _>>()?;
            assert!(!steps.is_empty());
            assert!(
                !steps.iter().any(|step| step.starts_with("SCAN")),
                "{steps:#?}"
            );
        }
        Ok(())
    }
}
