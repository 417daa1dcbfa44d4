//! A headless Chromium, driven through chromedriver. Its profile survives a restart of the browser.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use fantoccini::cookies::Cookie;
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use rocket::tokio::time::sleep;
use serde_json::{Value, json};

use super::club::{self, Folder};

/// The names of the program on Debian and elsewhere.
const CHROMIUM: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

pub(crate) struct Browser {
    client: Client,
    session: String,
    port: u16,
    driver: Child,
    profile: Folder,
    /// The home folder, with the certificate authority that it trusts; any certificate will do without one.
    home: Option<Folder>,
}

impl Browser {
    /// Starts a browser with an empty profile; `None` if there is no browser.
    pub(crate) async fn start() -> Option<Self> {
        Self::start_in(None).await
    }

    /// Starts a browser that binds sessions to a device, whose keys are kept in software.
    ///
    /// Browsers bind sessions of a site only if they trust its certificate.
    pub(crate) async fn start_with_device(authority: &Path) -> Option<Self> {
        let home = club::folder();
        let Some(()) = trust(&home, authority) else {
            missing("certutil (libnss3-tools)");
            return None;
        };
        Self::start_in(Some(home)).await
    }

    async fn start_in(home: Option<Folder>) -> Option<Self> {
        if chromium().is_none() {
            missing("chromium");
            return None;
        }
        let Some((driver, port)) = chromedriver(home.as_deref()) else {
            missing("chromedriver");
            return None;
        };
        let profile = club::folder();
        let client = connect(port, &profile, home.is_some()).await;
        let session = client.session_id().await.unwrap().unwrap();
        Some(Browser {
            client,
            session,
            port,
            driver,
            profile,
            home,
        })
    }

    /// Closes the browser as a user would, and opens it again.
    pub(crate) async fn restart(&mut self) {
        assert!(self.close().contains("200"), "the browser does not close");
        self.client = connect(self.port, &self.profile, self.home.is_some()).await;
        self.session = self.client.session_id().await.unwrap().unwrap();
    }

    pub(crate) async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    pub(crate) async fn reload(&self) {
        self.client.refresh().await.unwrap();
    }

    pub(crate) async fn back(&self) {
        self.client.back().await.unwrap();
    }

    /// The path and query of the current address.
    pub(crate) async fn path(&self) -> String {
        let url = self.client.current_url().await.unwrap();
        match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        }
    }

    pub(crate) async fn host(&self) -> String {
        let url = self.client.current_url().await.unwrap();
        url.host_str().unwrap_or_default().to_owned()
    }

    /// The visible text of the page.
    pub(crate) async fn text(&self) -> String {
        let text = self.script("return document.body.innerText").await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page contains a text.
    pub(crate) async fn wait_for_text(&self, text: &str) {
        let says = async |browser: &Self| browser.text().await.contains(text);
        self.wait(text, says).await;
    }

    /// Waits until the page of the board listens to its server.
    pub(crate) async fn wait_for_stream(&self) {
        let script = "return stream.readyState == EventSource.OPEN";
        let listens = async |browser: &Self| browser.script(script).await == json!(true);
        self.wait("a stream", listens).await;
    }

    pub(crate) async fn wait_for_path(&self, path: &str) {
        let is_there = async |browser: &Self| browser.path().await == path;
        self.wait(path, is_there).await;
    }

    async fn wait(&self, what: &str, done: impl AsyncFn(&Self) -> bool) {
        for _ in 0..100 {
            if done(self).await {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("{what:?} never came; there is:\n{}", self.text().await);
    }

    pub(crate) async fn find(&self, css: &str) -> Element {
        let found = self.client.wait().at_most(Duration::from_secs(5));
        found.for_element(Locator::Css(css)).await.unwrap()
    }

    /// Replaces the value of the field with this name.
    pub(crate) async fn fill(&self, name: &str, value: &str) {
        let field = self.find(&format!("[name={name}]")).await;
        field.clear().await.unwrap();
        field.send_keys(value).await.unwrap();
    }

    pub(crate) async fn tick(&self, name: &str) {
        let field = self.find(&format!("[name={name}]")).await;
        field.click().await.unwrap();
    }

    /// Presses the button with this text, and waits for the next page.
    pub(crate) async fn press(&self, button: &str) {
        let path = format!("//button[normalize-space()='{button}']");
        self.leave_by(Locator::XPath(&path)).await;
    }

    /// Presses the button with this text, which asks a question, and then the button that says yes.
    pub(crate) async fn confirm(&self, button: &str, yes: &str) {
        self.ask(button).await;
        let css = ":popover-open .danger";
        assert_eq!(self.find(css).await.text().await.unwrap(), yes);
        self.leave_by(Locator::Css(css)).await;
    }

    /// Presses the button with this text, which shows a question.
    pub(crate) async fn ask(&self, button: &str) {
        let path = format!("//button[normalize-space()='{button}']");
        let button = self.client.find(Locator::XPath(&path)).await.unwrap();
        button.click().await.unwrap();
    }

    /// Follows the link with this text, and waits for the next page.
    pub(crate) async fn follow(&self, link: &str) {
        let path = format!("//a[normalize-space()='{link}']");
        self.leave_by(Locator::XPath(&path)).await;
    }

    async fn leave_by(&self, locator: Locator<'_>) {
        let element = self.client.find(locator).await.unwrap();
        self.script("window.isLeft = true").await;
        element.click().await.unwrap();
        let script = "return !window.isLeft && document.readyState == 'complete'";
        let is_there = async |browser: &Self| browser.script(script).await == json!(true);
        self.wait("another page", is_there).await;
    }

    /// Runs a script in the page, and fails if the script fails.
    pub(crate) async fn run(&self, script: &str) {
        self.client.execute(script, Vec::new()).await.unwrap();
    }

    /// Runs a script in the page, and waits until it calls its last argument with a value.
    pub(crate) async fn run_async(&self, script: &str) -> Value {
        self.client.execute_async(script, Vec::new()).await.unwrap()
    }

    /// Runs a script in the page. The value is null while there is no page.
    async fn script(&self, script: &str) -> Value {
        let answer = self.client.execute(script, Vec::new()).await;
        answer.unwrap_or_default()
    }

    pub(crate) async fn value_of(&self, name: &str) -> String {
        let field = self.find(&format!("[name={name}]")).await;
        field.prop("value").await.unwrap().unwrap_or_default()
    }

    /// The name of the field with the focus.
    pub(crate) async fn focused(&self) -> Option<String> {
        let focused = self.client.active_element().await.unwrap();
        focused.attr("name").await.unwrap()
    }

    /// The cookies that the browser has stored for this page.
    pub(crate) async fn cookies(&self) -> Vec<Cookie<'static>> {
        self.client.get_all_cookies().await.unwrap()
    }

    pub(crate) async fn cookie(&self, name: &str) -> Option<Cookie<'static>> {
        let cookies = self.cookies().await;
        cookies.into_iter().find(|cookie| cookie.name() == name)
    }

    /// Deletes all cookies, as if another browser came.
    pub(crate) async fn forget_cookies(&self) {
        self.client.delete_all_cookies().await.unwrap();
    }

    /// The cookies that a script on the page can read.
    pub(crate) async fn script_cookies(&self) -> Value {
        self.script("return document.cookie").await
    }

    pub(crate) async fn new_tab(&self) {
        let tab = self.client.new_window(true).await.unwrap();
        self.client.switch_to_window(tab.handle).await.unwrap();
    }

    /// Switches to a tab. The first tab is 0.
    pub(crate) async fn switch_to_tab(&self, number: usize) {
        let tabs = self.client.windows().await.unwrap();
        self.client
            .switch_to_window(tabs[number].clone())
            .await
            .unwrap();
    }

    /// Emulates a screen of this width, light or dark.
    pub(crate) fn look(&self, width: u32, scheme: &str) {
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}),
        );
        self.devtools(
            "Emulation.setEmulatedMedia",
            &json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
    }

    /// Says that it is another browser.
    pub(crate) fn pretend(&self, user_agent: &str) {
        self.devtools(
            "Network.setUserAgentOverride",
            &json!({"userAgent": user_agent}),
        );
    }

    /// Takes a picture of the page, and returns whether the page is wider than the window.
    pub(crate) async fn screenshot(&self, to: &Path) -> bool {
        let script =
            "const root = document.documentElement; return root.scrollWidth > root.clientWidth";
        let overflows = self.script(script).await;
        fs::write(to, self.client.screenshot().await.unwrap()).unwrap();
        overflows == json!(true)
    }

    /// Sends a command of the `DevTools` protocol, and returns its answer.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        let answer = self.webdriver("POST", "/goog/cdp/execute", &body.to_string());
        assert!(answer.contains("200"), "{answer}");
        let body = answer.lines().last().unwrap_or_default();
        let mut body: Value = serde_json::from_str(body).unwrap();
        body["value"].take()
    }

    /// Closes the browser in an orderly way, so that it writes its cookies to the profile.
    fn close(&self) -> String {
        self.webdriver("DELETE", "", "")
    }

    /// Sends a command that the client does not have, or that must have ended before the next step.
    fn webdriver(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let request = format!(
            "{method} /session/{}{path} HTTP/1.1\r\nHost: localhost\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.session,
            body.len(),
        );
        stream.write_all(request.as_bytes()).unwrap();
        let (mut answer, mut length) = (String::new(), 0);
        let mut stream = BufReader::new(stream);
        while stream.read_line(&mut answer).is_ok_and(|read| read > 2) {
            let line = answer.lines().last().unwrap_or_default();
            let line = line.to_ascii_lowercase();
            if let Some(bytes) = line.strip_prefix("content-length:") {
                length = bytes.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        if stream.read_exact(&mut body).is_ok() {
            answer.push_str(&String::from_utf8(body).unwrap());
        }
        answer
    }
}

/// Ends the browser, also after a test that fails.
impl Drop for Browser {
    fn drop(&mut self) {
        self.close();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn chromium() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let found = |name: &&str| {
        env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    };
    CHROMIUM.iter().find_map(found)
}

/// Starts a chromedriver on a port of its choice.
fn chromedriver(home: Option<&Path>) -> Option<(Child, u16)> {
    // It ends if the port that it chose for IPv4 is in use for IPv6.
    for _ in 0..5 {
        let mut command = Command::new("chromedriver");
        let command = command.arg("--port=0").stdin(Stdio::null());
        let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
        if let Some(home) = home {
            command.env("HOME", home);
        }
        let mut driver = command.spawn().ok()?;
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            // "ChromeDriver was started successfully on port 12345."
            let (_, port) = line.split_once("successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        // Without a reader, it would stop once the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        if let Some(port) = port {
            return Some((driver, port));
        }
        let _ = driver.wait();
    }
    panic!("chromedriver does not start");
}

/// Lets the browser with this home folder trust a certificate authority; `None` if `certutil` is missing.
fn trust(home: &Path, authority: &Path) -> Option<()> {
    let database = home.join(".pki/nssdb");
    fs::create_dir_all(&database).unwrap();
    let database = format!("sql:{}", database.display());
    let certutil = |arguments: &[&str]| {
        let mut command = Command::new("certutil");
        let ended = command
            .args(["-d", &database])
            .args(arguments)
            .status()
            .ok()?;
        assert!(ended.success());
        Some(())
    };
    certutil(&["-N", "--empty-password"])?;
    let authority = authority.to_str().unwrap();
    certutil(&["-A", "-t", "C,,", "-n", "test", "-i", authority])
}

async fn connect(port: u16, profile: &Path, has_device: bool) -> Client {
    let profile = profile.display();
    let features = if has_device {
        "DeviceBoundSessions,DeviceBoundSessionsDevTools,EnableBoundSessionCredentialsSoftwareKeysForManualTesting"
    } else {
        ""
    };
    let capabilities = json!({
        "acceptInsecureCerts": !has_device,
        "goog:chromeOptions": {
            "binary": chromium(),
            "args": [
                format!("--user-data-dir={profile}"),
                format!("--enable-features={features}"),
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--password-store=basic", "--window-size=1280,844", "--hide-scrollbars",
                // Connect only to the servers of the tests.
                "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            ],
        },
    });
    let Value::Object(capabilities) = capabilities else {
        unreachable!()
    };
    let mut builder = ClientBuilder::new(HttpConnector::new());
    builder.capabilities(capabilities);
    let driver = format!("http://127.0.0.1:{port}");
    // A browser that closes keeps its profile locked for a moment.
    for _ in 0..20 {
        match builder.connect(&driver).await {
            Ok(client) => return client,
            Err(_) => sleep(Duration::from_millis(250)).await,
        }
    }
    builder.connect(&driver).await.unwrap()
}

/// Prints how to install what is missing. The test harness would hide the output of `eprintln!`.
fn missing(program: &str) {
    let how = format!(
        "SKIPPED: the browser tests need {program}; on Debian: apt-get install chromium chromium-driver\n"
    );
    assert!(env::var_os("MEMBERS_BROWSER").is_none(), "{how}");
    let _ = io::stderr().write_all(how.as_bytes());
}
