//! Compiles the code that the guide quotes. The files are in `docs/guide/recipes`, so that the package contains them.

#[path = "../../docs/guide/recipes/argon2.rs"]
pub mod argon2;
#[path = "../../docs/guide/recipes/diesel.rs"]
pub mod diesel;
#[path = "../../docs/guide/recipes/oauth.rs"]
pub mod oauth;
#[path = "../../docs/guide/recipes/passkeys.rs"]
pub mod passkeys;
#[path = "../../docs/guide/recipes/rocket_db_pools.rs"]
pub mod rocket_db_pools;
#[path = "../../docs/guide/recipes/spa.rs"]
pub mod spa;
#[path = "../../docs/guide/recipes/sqlx.rs"]
pub mod sqlx;
#[path = "../../docs/guide/recipes/streams.rs"]
pub mod streams;
#[path = "../../docs/guide/recipes/templates.rs"]
pub mod templates;
