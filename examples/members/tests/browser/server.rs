//! The servers for the browser: the club, and another site.

use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::response::content::RawHtml;
use rocket::tokio::sync::oneshot;
use rocket::tokio::task::JoinHandle;
use rocket::{Build, Config, Rocket, Shutdown, State, get, routes};

use super::club::{self, Mails};

pub(crate) struct Server {
    pub(crate) port: u16,
    mails: Option<Mails>,
    shutdown: Shutdown,
    running: JoinHandle<()>,
}

impl Server {
    /// The club, over plain HTTP.
    pub(crate) async fn club() -> Self {
        Self::club_with(club::figment()).await
    }

    /// The club with this configuration.
    pub(crate) async fn club_with(figment: Figment) -> Self {
        Self::launch(club::build(figment)).await
    }

    /// Another site, with one page.
    pub(crate) async fn elsewhere(page: String) -> Self {
        #[get("/")]
        fn index(page: &State<String>) -> RawHtml<String> {
            RawHtml(page.inner().clone())
        }
        let figment = Config::figment()
            .select("debug")
            .merge(("port", 0))
            .merge(("shutdown.ctrlc", false))
            .merge(("log_level", "off"));
        let rocket = rocket::custom(figment)
            .manage(page)
            .mount("/", routes![index]);
        Self::launch(rocket).await
    }

    pub(crate) async fn launch(rocket: Rocket<Build>) -> Self {
        let (rocket, port) = sending_its_port(rocket);
        let rocket = rocket.ignite().await.unwrap();
        let shutdown = rocket.shutdown();
        let mails = rocket.state().cloned();
        let running = rocket::tokio::spawn(async {
            rocket.launch().await.unwrap();
        });
        Server {
            port: port.await.unwrap(),
            mails,
            shutdown,
            running,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The link in the last mail to an address.
    pub(crate) fn link_to(&self, address: &str) -> String {
        let text = self.mails.as_ref().unwrap().take(address).pop().unwrap();
        let (_, path) = text.split_once("http://127.0.0.1:8000").unwrap();
        self.url(path)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.clone().notify();
        self.running.abort();
    }
}

fn sending_its_port(rocket: Rocket<Build>) -> (Rocket<Build>, oneshot::Receiver<u16>) {
    let (tell, port) = oneshot::channel();
    let tell = std::sync::Mutex::new(Some(tell));
    let rocket = rocket.attach(AdHoc::on_liftoff("Port", |rocket| {
        Box::pin(async move {
            if let Some(tell) = tell.lock().unwrap().take() {
                let _ = tell.send(rocket.config().port);
            }
        })
    }));
    (rocket, port)
}
