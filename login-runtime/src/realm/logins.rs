//! The rows of a realm's logins: what a request writes into the registry, and which rows still count.

use std::io;
use std::net::IpAddr;

use super::RealmCore;
use crate::clock::UnixTime;
use crate::logins::desk::Desk;
use crate::logins::restores::{Restores, SETTLES};
use crate::logins::{LoginHandle, LoginRow, client};
use crate::request::client_info::ClientInfo;
use crate::request::client_ip;
use crate::request::fingerprint::ProtectionAddress;
use crate::revocation::{RevocationError, SessionRef, SessionStatus};
use crate::token::times::{self, MAX_REMEMBER, RENEW_AFTER};
use crate::token::{Flags, SessionId, Token};

impl RealmCore {
    /// Whether a session that is in use must be renewed: so that the idle timeout starts again, or so that the registry
    /// knows when the login was last used and that its remember token has arrived.
    pub(crate) fn renewal_due(&self, token: &Token, now: UnixTime) -> bool {
        let idle = self.config.session_idle_timeout;
        match &self.desk {
            None => times::renewal_due(token, now, idle),
            // Not earlier, because by then the browser has written the token to its disk.
            Some(_) if token.flags.contains(Flags::UNSEEN) => {
                let half_idle = idle.map_or(u64::MAX, |idle| idle.div_ceil(2));
                now >= token.renewed_at.plus(SETTLES.min(half_idle))
            }
            Some(_) => {
                now >= token.renewed_at.plus(RENEW_AFTER) || times::renewal_due(token, now, idle)
            }
        }
    }

    /// The registry, if it counts restores.
    pub(crate) fn counting_desk(&self) -> Option<&Desk> {
        let counts = self.config.remember_cookie_theft_detection.unwrap_or(true);
        self.desk.as_ref().filter(|_| counts)
    }

    /// Notes in the registry that a login is in use, some time soon.
    pub(crate) fn seen(
        &self,
        session: &Token,
        remember: Option<&Token>,
        client: &ClientInfo<'_>,
        now: UnixTime,
    ) {
        let Some(desk) = &self.desk else { return };
        if let Ok(row) = self.row(desk, session, remember, client, now) {
            desk.renew(&session.uid, row);
        }
    }

    /// The row of a login as it is used now, for the registry at `desk`. It fails without random bytes.
    pub(crate) fn row(
        &self,
        desk: &Desk,
        session: &Token,
        remember: Option<&Token>,
        client: &ClientInfo<'_>,
        now: UnixTime,
    ) -> io::Result<LoginRow> {
        let user = desk.users(&session.uid).into_iter().next();
        let is_unseen = session.flags.contains(Flags::UNSEEN);
        Ok(LoginRow {
            user: user.ok_or_else(|| io::Error::other("there is no key for users' ids"))?,
            login: session.login_id,
            handle: LoginHandle::generate()?,
            created_at: session.created_at,
            auth_at: session.auth_at,
            seen_at: now,
            until: self.lasts_until(session, remember),
            device_bound: session.is_bound(),
            restores: Restores {
                count: session.restores.unwrap_or(0),
                unseen_since: is_unseen.then_some(session.renewed_at),
            },
            address: self.coarse(client.ip),
            client: client::name(client.user_agent),
            how: String::new(),
        })
    }

    /// Until when a login goes on if it is not used again.
    fn lasts_until(&self, session: &Token, remember: Option<&Token>) -> UnixTime {
        let config = &self.config;
        // A device can prove a bound session again until then.
        let session_until = times::unused_until(session, config.session_idle_timeout);
        let remembered_until = match remember {
            Some(remember) => remember.expires_at,
            None if session.flags.contains(Flags::REMEMBERED) => {
                session.created_at.plus(config.remember_cookie_duration)
            }
            None => return session_until,
        };
        session_until.max(remembered_until)
    }

    /// As much of an address as session protection compares.
    fn coarse(&self, ip: Option<IpAddr>) -> Option<IpAddr> {
        match self.config.session_protection_address {
            ProtectionAddress::Full => ip,
            ProtectionAddress::Prefix => ip.map(client_ip::prefix),
            ProtectionAddress::Off => None,
        }
    }

    /// The login of a row, as the list of ended logins gets it.
    pub(crate) fn login_of<'a>(&'a self, uid: &'a str, row: &LoginRow) -> SessionRef<'a> {
        SessionRef {
            realm: &self.name,
            login_id: row.login,
            session_id: SessionId::ANY,
            user_id: uid,
            created_at: row.created_at,
        }
    }

    /// When the last token of a row's login has expired: it may have been remembered to the limit.
    pub(crate) fn row_dead_until(&self, row: &LoginRow) -> UnixTime {
        let longest = self.config.longest_session();
        let remembered = row.created_at.plus(MAX_REMEMBER).plus(longest);
        row.until.max(remembered)
    }

    /// Keeps the rows of logins that have not ended, and removes the others from the registry some time soon.
    pub(crate) async fn going_on(
        &self,
        uid: &str,
        rows: Vec<LoginRow>,
        now: UnixTime,
    ) -> Result<Vec<LoginRow>, RevocationError> {
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows {
            let session = self.login_of(uid, &row);
            match self.revocations.status(session, now).await?.0 {
                SessionStatus::Open => kept.push(row),
                SessionStatus::Ended | SessionStatus::Replaced { .. } => {
                    if let Some(desk) = &self.desk {
                        desk.end(uid, row.login);
                    }
                }
            }
        }
        Ok(kept)
    }
}
