//! nginx in front of the servers, which sends each request to the next one.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use login_engines::Folder;

use crate::site::free_address;

pub(crate) struct Nginx {
    pub(crate) address: SocketAddr,
    process: Child,
}

impl Nginx {
    /// `None` without nginx: the tests then use one of the servers as the front.
    pub(crate) fn start(servers: &[SocketAddr], folder: &Folder) -> Option<Self> {
        let address = free_address();
        let at = folder.path().display();
        let mut upstream = String::new();
        for server in servers {
            let _ = write!(upstream, "server {server};");
        }
        let configuration = format!(
            "daemon off; master_process off; pid {at}/pid; error_log {at}/nginx.log;
             events {{ worker_connections 256; }}
             http {{
                 access_log off;
                 client_body_temp_path {at}/body; proxy_temp_path {at}/proxied;
                 fastcgi_temp_path {at}/f; uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;
                 upstream servers {{ {upstream} keepalive 32; }}
                 server {{
                     listen {address};
                     keepalive_requests 1000000;
                     location / {{
                         proxy_pass http://servers;
                         proxy_http_version 1.1;
                         proxy_set_header Host $http_host;
                         proxy_set_header Connection '';
                     }}
                 }}
             }}"
        );
        fs::write(folder.path().join("nginx.conf"), configuration).unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let process = Command::new("nginx")
            .env("PATH", format!("{path}:/usr/sbin"))
            .args(["-e", "stderr", "-c", "nginx.conf", "-p"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        while TcpStream::connect(address).is_err() {
            thread::sleep(Duration::from_millis(10));
        }
        Some(Nginx { address, process })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
