INSERT INTO accounts (id, login, name) VALUES
    (1, 'ann', 'Ann'), (2, 'rae', 'Rae'), (3, 'wes', 'Wes'), (4, 'stu', 'Stu'),
    (5, 'sue', 'Sue'), (6, 'mo', 'Mo'), (7, 'root', 'Root'), (8, 'tim', 'Tim');
INSERT INTO accounts (id, login, kind, name) VALUES (9, 'guild', 'org', 'The guild');
UPDATE accounts SET is_staff = TRUE WHERE login IN ('mo', 'root');
UPDATE accounts SET is_suspended = TRUE WHERE login = 'sue';
INSERT INTO memberships (org, account, role) VALUES (9, 1, 'owner'), (9, 8, 'member');

INSERT INTO repositories (id, owner, name, description, visibility) VALUES
    (1, 1, 'atlas', 'Maps for everybody', 'public'),
    (2, 1, 'vault', 'Plans that nobody knows of', 'private'),
    (3, 9, 'ledger', 'What the guild owns', 'private');
INSERT INTO collaborators (repository, account, level) VALUES (2, 2, 1), (2, 3, 2), (2, 5, 3);
INSERT INTO teams (id, org, slug) VALUES (1, 9, 'clerks');
INSERT INTO team_members (team, account) VALUES (1, 8);
INSERT INTO team_repositories (team, repository, level) VALUES (1, 3, 2);

INSERT INTO issues (id, repository, number, author, title) VALUES
    (1, 1, 1, 4, 'The north is missing'), (2, 2, 1, 2, 'Is the door locked?');
INSERT INTO issues (id, repository, number, author, title, head, base) VALUES
    (3, 2, 2, 3, 'Lock the door', 'lock', 'main');
INSERT INTO comments (id, issue, author, body) VALUES (1, 2, 1, 'It is.'), (2, 1, 1, 'Here it comes.');
INSERT INTO labels (id, repository, name, color) VALUES (1, 1, 'bug', 'd73a4a'), (2, 2, 'door', '0075ca');
INSERT INTO notifications (account, issue) VALUES (1, 2), (4, 1);

INSERT INTO releases (id, repository, tag, notes) VALUES (1, 2, 'v1', 'The first plan');
INSERT INTO assets (id, release, name, content) VALUES (1, 1, 'plan.txt', CAST('dig here' AS BLOB));
INSERT INTO deploy_keys (repository, title, key, can_write) VALUES
    (2, 'build server', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBvault', FALSE);
INSERT INTO hooks (repository, url, event) VALUES (2, 'https://build.example/hook', 'push');
INSERT INTO gists (id, owner, name, content, is_secret) VALUES
    (1, 1, 'hello.rs', 'fn main() {}', FALSE), (2, 1, 'diary.txt', 'dear diary', TRUE);
INSERT INTO settings (name, value) VALUES ('motd', 'be kind'), ('maintenance', 'off');
