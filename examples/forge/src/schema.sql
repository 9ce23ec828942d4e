-- An id is not given twice (AUTOINCREMENT): a signed link, or a request that has read it, may outlive its row.

-- People and organizations share one space of names: both can own repositories.
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    login TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL DEFAULT 'user' CHECK (kind IN ('user', 'org')),
    name TEXT NOT NULL DEFAULT '',
    bio TEXT NOT NULL DEFAULT '',
    is_suspended INTEGER NOT NULL DEFAULT FALSE,
    -- Whose suspension is not for moderators; what the staff may do, its tokens say.
    is_staff INTEGER NOT NULL DEFAULT FALSE
) STRICT;

CREATE TABLE memberships (
    org INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('member', 'owner')),
    PRIMARY KEY (org, account)
) STRICT;

-- Of personal tokens only the SHA-256 is kept.
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT;

CREATE TABLE repositories (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    visibility TEXT NOT NULL CHECK (visibility IN ('public', 'private')),
    UNIQUE (owner, name)
) STRICT;

CREATE TABLE collaborators (
    repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
    account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 3),
    PRIMARY KEY (repository, account)
) STRICT;

CREATE TABLE teams (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    org INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    slug TEXT NOT NULL,
    UNIQUE (org, slug)
) STRICT;

CREATE TABLE team_members (
    team INTEGER NOT NULL REFERENCES teams ON DELETE CASCADE,
    account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    PRIMARY KEY (account, team)
) STRICT;

CREATE TABLE team_repositories (
    team INTEGER NOT NULL REFERENCES teams ON DELETE CASCADE,
    repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
    level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 3),
    PRIMARY KEY (repository, team)
) STRICT;

CREATE TABLE stars (
    account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
    PRIMARY KEY (account, repository)
) STRICT;

-- Pull requests are issues that name two branches.
CREATE TABLE issues (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
    number INTEGER NOT NULL,
    author INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    title TEXT NOT NULL,
    body TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed', 'merged')),
    head TEXT,
    base TEXT,
    UNIQUE (repository, number),
    CHECK ((head IS NULL) = (base IS NULL))
) STRICT;

CREATE TABLE comments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    issue INTEGER NOT NULL REFERENCES issues ON DELETE CASCADE,
    author INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE labels (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
    name TEXT NOT NULL,
    color TEXT NOT NULL,
    UNIQUE (repository, name)
) STRICT;

CREATE TABLE issue_labels (
    issue INTEGER NOT NULL REFERENCES issues ON DELETE CASCADE,
    label INTEGER NOT NULL REFERENCES labels ON DELETE CASCADE,
    PRIMARY KEY (issue, label)
) STRICT;

CREATE TABLE releases (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
    tag TEXT NOT NULL,
    notes TEXT NOT NULL DEFAULT '',
    UNIQUE (repository, tag)
) STRICT;

CREATE TABLE assets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    release INTEGER NOT NULL REFERENCES releases ON DELETE CASCADE,
    name TEXT NOT NULL,
    content BLOB NOT NULL,
    UNIQUE (release, name)
) STRICT;

CREATE TABLE deploy_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
    title TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE,
    can_write INTEGER NOT NULL
) STRICT;

CREATE TABLE hooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository INTEGER NOT NULL REFERENCES repositories ON DELETE CASCADE,
    url TEXT NOT NULL,
    event TEXT NOT NULL CHECK (event IN ('push', 'issues', 'release'))
) STRICT;

CREATE TABLE notifications (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    issue INTEGER NOT NULL REFERENCES issues ON DELETE CASCADE,
    is_read INTEGER NOT NULL DEFAULT FALSE
) STRICT;

CREATE TABLE gists (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    is_secret INTEGER NOT NULL
) STRICT;

-- What moderators and administrators did.
CREATE TABLE actions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL
) STRICT;

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
