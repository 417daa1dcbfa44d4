//! Mails with links. The example prints them where your application sends them.

use rocket::fairing::AdHoc;
use rocket::http::uri::Origin;

/// Sends a text to an address.
type SendText = dyn Fn(&str, &str) + Send + Sync;

/// Sends mails with links to this site.
pub(crate) struct Mailer {
    /// Not from the header `Host`: whoever sends the request could then choose where the link leads.
    site: String,
    send: Box<SendText>,
}

pub(crate) fn stage(send: impl Fn(&str, &str) + Send + Sync + 'static) -> AdHoc {
    AdHoc::try_on_ignite("Mail", |rocket| async {
        match rocket.figment().extract_inner("members.url") {
            Ok(site) => Ok(rocket.manage(Mailer {
                site,
                send: Box::new(send),
            })),
            Err(error) => {
                error!("cannot send mails: {error}");
                Err(rocket)
            }
        }
    })
}

impl Mailer {
    /// Sends a mail. A real mailer should do so in the background: how long it takes can say who has an account.
    pub(crate) fn send(&self, to: &str, text: &str, link: &Origin<'_>) {
        (self.send)(to, &format!("{text}\n{}{link}", self.site));
    }
}
