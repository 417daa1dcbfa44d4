CREATE TABLE rocket_login_clients (
    owner TEXT NOT NULL, -- stands for the user
    client TEXT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (owner, client)
);
CREATE INDEX rocket_login_clients_until ON rocket_login_clients (until);
