//! Where a member is logged in, for the member and for the staff.

use rocket::response::{Flash, Redirect};
use rocket::{Route, State};
use rocket_dyn_templates::{Template, context};
use rocket_login::{LoginError, LoginSession, login_required};
use sqlx::SqlitePool;

use crate::error::Error;
use crate::pages::Page;
use crate::staff::Staff;
use crate::users::Member;

/// For `/account/logins`.
pub(crate) fn routes() -> Vec<Route> {
    routes![own, end_own, end_others]
}

/// For `/staff/members`.
pub(crate) fn staff_routes() -> Vec<Route> {
    routes![of_member, end_of_member, end_all_of_member]
}

#[login_required(Member)]
#[get("/")]
async fn own(page: Page<'_>, session: LoginSession<'_, Member>) -> Result<Template, Error> {
    let logins = session.logins().await?;
    Ok(page.render("account/logins", context! { logins }))
}

#[login_required(Member)]
#[post("/<handle>/end")]
async fn end_own(
    handle: &str,
    page: Page<'_>,
    session: LoginSession<'_, Member>,
) -> Result<Flash<Redirect>, Error> {
    if let Err(error) = session.end_login(handle).await {
        let (status, problem) = (error.status(), explain(error)?);
        let logins = session.logins().await?;
        let page = page.render("account/logins", context! { logins, problem });
        return Err(Error::Page((status, page)));
    }
    let list = Redirect::to(uri!("/account/logins", own));
    Ok(Flash::success(list, "That browser is logged out."))
}

#[login_required(Member)]
#[post("/end-others")]
async fn end_others(session: LoginSession<'_, Member>) -> Result<Flash<Redirect>, Error> {
    session.logout_others().await?;
    let list = Redirect::to(uri!("/account/logins", own));
    Ok(Flash::success(list, "All other browsers are logged out."))
}

#[login_required(Staff, if = |staff: &Staff| staff.is_admin)]
#[get("/<id>/logins")]
async fn of_member(
    id: i64,
    page: Page<'_, Staff>,
    members: LoginSession<'_, Member>,
    db: &State<SqlitePool>,
) -> Result<Template, Error> {
    let member = Member::find(db, id).await?.ok_or(Error::NOT_FOUND)?;
    let logins = members.logins_for(&member).await?;
    Ok(page.render("staff/logins", context! { member, logins }))
}

#[login_required(Staff, if = |staff: &Staff| staff.is_admin)]
#[post("/<id>/logins/<handle>/end")]
async fn end_of_member(
    id: i64,
    handle: &str,
    page: Page<'_, Staff>,
    members: LoginSession<'_, Member>,
    db: &State<SqlitePool>,
) -> Result<Flash<Redirect>, Error> {
    let member = Member::find(db, id).await?.ok_or(Error::NOT_FOUND)?;
    if let Err(error) = members.end_login_for(&member, handle).await {
        let (status, problem) = (error.status(), explain(error)?);
        let logins = members.logins_for(&member).await?;
        let page = page.render("staff/logins", context! { member, logins, problem });
        return Err(Error::Page((status, page)));
    }
    let list = Redirect::to(uri!("/staff/members", of_member(id)));
    Ok(Flash::success(list, "That browser is logged out."))
}

#[login_required(Staff, if = |staff: &Staff| staff.is_admin)]
#[post("/<id>/logins/end")]
async fn end_all_of_member(
    id: i64,
    members: LoginSession<'_, Member>,
    db: &State<SqlitePool>,
) -> Result<Flash<Redirect>, Error> {
    let member = Member::find(db, id).await?.ok_or(Error::NOT_FOUND)?;
    members.logout_everywhere_for(&member).await?;
    let list = Redirect::to(uri!("/staff/members", of_member(id)));
    let message = format!("{} is logged out in all browsers.", member.name);
    Ok(Flash::success(list, message))
}

/// What the page says about a handle that names no login. Other errors stay errors.
fn explain(error: LoginError) -> Result<&'static str, LoginError> {
    match error {
        LoginError::NoSuchLogin => Ok("There is no such login. It may have ended."),
        LoginError::LoginEnded => Ok("This login has just ended."),
        error => Err(error),
    }
}
