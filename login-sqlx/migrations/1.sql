CREATE TABLE rocket_login_store (
    id BIGINT PRIMARY KEY,
    epoch TEXT NOT NULL,
    number BIGINT NOT NULL, -- of the newest record; its lock puts the commits into the order of their numbers
    time BIGINT NOT NULL -- the latest that was given out
);
CREATE TABLE rocket_login_entries (
    key TEXT PRIMARY KEY,
    entry TEXT NOT NULL,
    until BIGINT NOT NULL
);
CREATE INDEX rocket_login_entries_until ON rocket_login_entries (until);
CREATE TABLE rocket_login_log (
    number BIGINT PRIMARY KEY,
    op TEXT NOT NULL,
    entry TEXT NOT NULL,
    had_ended BOOLEAN NOT NULL, -- what the change has answered
    time BIGINT NOT NULL
);
CREATE INDEX rocket_login_log_op ON rocket_login_log (op);
