CREATE TABLE rocket_login_logins (
    login TEXT PRIMARY KEY,
    owner TEXT NOT NULL, -- stands for the user
    content TEXT NOT NULL,
    until BIGINT NOT NULL
);
CREATE INDEX rocket_login_logins_owner ON rocket_login_logins (owner);
CREATE INDEX rocket_login_logins_until ON rocket_login_logins (until);
