//! The staff area: a second user type with its own login. The login of a member does not open it.

use rocket::form::{Contextual, Error as FieldError, Form};
use rocket::response::{Flash, Redirect};
use rocket::{Route, State};
use rocket_dyn_templates::{Template, context};
use rocket_login::{
    LoginSession, Next, NextRedirect, UserMixin, anonymous_required, login_required, public,
    user_loader,
};
use serde::Serialize;
use sqlx::{FromRow, SqlitePool};

use crate::attempts::Attempts;
use crate::error::Error;
use crate::pages::Page;
use crate::users::Member;

pub(crate) fn routes() -> Vec<Route> {
    routes![
        login_page,
        log_in,
        log_out,
        members,
        set_active,
        password_page,
        set_password
    ]
}

/// One of the staff.
#[derive(FromRow, Serialize, UserMixin)]
pub(crate) struct Staff {
    id: i64,
    name: String,
    pub(crate) is_admin: bool,
    #[user(session_hash)]
    #[serde(skip)]
    password_hash: String,
}

#[user_loader]
pub(crate) async fn load_staff(id: i64, db: &State<SqlitePool>) -> sqlx::Result<Option<Staff>> {
    let query = sqlx::query_as("SELECT * FROM staff WHERE id = ?");
    query.bind(id).fetch_optional(&**db).await
}

impl Staff {
    pub(crate) async fn count(db: &SqlitePool) -> sqlx::Result<i64> {
        sqlx::query_scalar("SELECT count(*) FROM staff")
            .fetch_one(db)
            .await
    }

    pub(crate) async fn create(
        db: &SqlitePool,
        name: &str,
        is_admin: bool,
        password_hash: &str,
    ) -> sqlx::Result<()> {
        let query =
            sqlx::query("INSERT INTO staff (name, is_admin, password_hash) VALUES (?, ?, ?)");
        query
            .bind(name)
            .bind(is_admin)
            .bind(password_hash)
            .execute(db)
            .await?;
        Ok(())
    }

    async fn by_name(db: &SqlitePool, name: &str) -> sqlx::Result<Option<Self>> {
        let query = sqlx::query_as("SELECT * FROM staff WHERE name = ?");
        query.bind(name).fetch_optional(db).await
    }

    async fn set_password_hash(&self, db: &SqlitePool, password_hash: &str) -> sqlx::Result<Self> {
        let query = sqlx::query_as("UPDATE staff SET password_hash = ? WHERE id = ? RETURNING *");
        query.bind(password_hash).bind(self.id).fetch_one(db).await
    }
}

#[anonymous_required(Staff, redirect = "/staff")]
#[get("/login")]
pub(crate) fn login_page(page: Page<'_, Staff>) -> Template {
    page.render("staff/login", context! {})
}

#[derive(FromForm)]
struct Credentials<'r> {
    name: &'r str,
    password: &'r str,
}

#[public]
#[post("/login", data = "<form>")]
async fn log_in(
    mut form: Form<Contextual<'_, Credentials<'_>>>,
    page: Page<'_, Staff>,
    session: LoginSession<'_, Staff>,
    attempts: Attempts<'_>,
    db: &State<SqlitePool>,
    next: Next,
) -> Result<NextRedirect, Error> {
    if let Some(given) = &form.value {
        let staff = Staff::by_name(db, given.name).await?;
        let hash = staff.as_ref().map(|staff| &*staff.password_hash);
        let matches = attempts
            .verify("staff", given.name, hash, given.password)
            .await?;
        if let Some(staff) = staff.filter(|_| matches) {
            session.login_user(&staff).await?; // without "remember me"
            return Ok(next.or(uri!("/staff", members)));
        }
        let error = FieldError::validation("Name and password do not match.");
        form.context.push_error(error);
    }
    Err(page.refuse("staff/login", &form.context, context! {}))
}

#[public]
#[post("/logout")]
async fn log_out(session: LoginSession<'_, Staff>) -> Result<Redirect, Error> {
    session.logout_user().await?;
    Ok(Redirect::to(uri!("/staff", login_page)))
}

#[login_required(Staff)]
#[get("/")]
async fn members(page: Page<'_, Staff>, db: &State<SqlitePool>) -> Result<Template, Error> {
    let members = Member::all(db).await?;
    Ok(page.render("staff/members", context! { members }))
}

/// Closes a member's account, or opens it again.
#[login_required(Staff, if = |staff: &Staff| staff.is_admin)]
#[post("/members/<id>", data = "<active>")]
async fn set_active(
    id: i64,
    active: Form<bool>,
    db: &State<SqlitePool>,
) -> Result<Flash<Redirect>, Error> {
    let query = sqlx::query_as("UPDATE members SET active = ? WHERE id = ? RETURNING *");
    let member: Option<Member> = query.bind(*active).bind(id).fetch_optional(&**db).await?;
    let member = member.ok_or(Error::NOT_FOUND)?;
    let state = if member.active {
        "open again"
    } else {
        "closed"
    };
    Ok(Flash::success(
        Redirect::to(uri!("/staff", members)),
        format!("The account of {} is {state}.", member.name),
    ))
}

#[login_required(Staff)]
#[get("/password")]
fn password_page(page: Page<'_, Staff>) -> Template {
    page.render("staff/password", context! {})
}

#[derive(FromForm)]
struct NewPassword<'r> {
    current: &'r str,
    #[field(validate = len(10..=200).or_else(msg!("Use at least 10 characters.")))]
    password: &'r str,
    #[field(validate = eq(self.password).or_else(msg!("The passwords are not the same.")))]
    #[expect(dead_code, reason = "only compared")]
    again: &'r str,
}

/// Changes the password of somebody who gives the old one, without a page that confirms the login.
#[login_required(Staff)]
#[post("/password", data = "<form>")]
async fn set_password(
    staff: &Staff,
    mut form: Form<Contextual<'_, NewPassword<'_>>>,
    page: Page<'_, Staff>,
    session: LoginSession<'_, Staff>,
    attempts: Attempts<'_>,
    db: &State<SqlitePool>,
) -> Result<Flash<Redirect>, Error> {
    if let Some(given) = &form.value {
        let old = Some(&*staff.password_hash);
        if attempts
            .verify("staff", &staff.name, old, given.current)
            .await?
        {
            let hash = attempts.hasher.hash(given.password).await?;
            let changed = staff.set_password_hash(db, &hash).await?;
            // The new hash ends every login of this person. This browser gets a new login.
            session.confirm_login(&changed).await?;
            return Ok(Flash::success(
                Redirect::to(uri!("/staff", members)),
                "Your password has changed. All other browsers are logged out.",
            ));
        }
        let error = FieldError::validation("This is not your password.");
        form.context.push_error(error.with_name("current"));
    }
    Err(page.refuse("staff/password", &form.context, context! {}))
}
