//! The offer to bind a login to the device of its browser.

use rocket::Response;

use crate::device::fields;
use crate::login::pending::{Change, Pending};
use crate::realm::RealmCore;
use crate::token::challenge;

/// Offers the browser to bind the login that the response begins or confirms.
///
/// A browser that cannot do that ignores the header.
pub(crate) fn offer(core: &RealmCore, pending: &Pending, res: &mut Response<'_>) {
    let device = &core.config.device;
    let Some(Change::Set(session)) = &pending.session else {
        return;
    };
    if !device.is_offered || !pending.logged_in || session.is_bound() {
        return;
    }
    let (login, session) = (session.login_id, session.session_id);
    let challenge = challenge::registration(&core.ring, login, session, core.clock.now());
    if let Some(offer) = fields::registration(&device.register_path(), &challenge) {
        res.adjoin_raw_header(fields::REGISTRATION, offer);
    }
}
