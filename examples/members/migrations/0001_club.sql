-- AUTOINCREMENT: an id is never used twice. Otherwise the login of a deleted member could
-- become the login of a new member.
CREATE TABLE members (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT    NOT NULL,
    email         TEXT    NOT NULL UNIQUE COLLATE NOCASE,
    about         TEXT    NOT NULL DEFAULT '',
    active        BOOLEAN NOT NULL DEFAULT TRUE,
    password_hash TEXT    NOT NULL,
    joined        TEXT    NOT NULL DEFAULT (date('now'))
);

CREATE TABLE staff (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT    NOT NULL UNIQUE,
    is_admin      BOOLEAN NOT NULL DEFAULT FALSE,
    password_hash TEXT    NOT NULL
);

CREATE TABLE notices (
    id        INTEGER PRIMARY KEY,
    member_id INTEGER NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    text      TEXT    NOT NULL,
    posted    TEXT    NOT NULL DEFAULT (date('now'))
);

-- A key has 256 random bits, so nobody can guess it from a plain digest.
CREATE TABLE api_keys (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id INTEGER NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    label     TEXT    NOT NULL,
    digest    BLOB    NOT NULL UNIQUE,
    may_write BOOLEAN NOT NULL
);
