//! nginx in front of the servers, which sends each request to the next one.

use std::fs;
use std::net::{SocketAddr, TcpStream};

use login_engines::{Folder, Process, free_port};

/// A proxy in front of servers. Dropping the value stops it.
#[derive(Debug)]
pub struct Nginx {
    /// Where it listens.
    pub address: SocketAddr,
    _process: Process,
    _folder: Folder,
}

impl Nginx {
    /// Starts a proxy; `None` if this machine has not got nginx.
    pub fn start(servers: &[SocketAddr]) -> Option<Self> {
        let program = login_engines::program("nginx", "nginx-light", &["/usr/sbin".into()])?;
        let folder = Folder::new();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let at = folder.path().display();
        let servers: Vec<_> = servers
            .iter()
            .map(|server| format!("server {server};"))
            .collect();
        let servers = servers.concat();
        let configuration = format!(
            "daemon off; master_process off; pid {at}/pid; error_log {at}/log;
             events {{ worker_connections 256; }}
             http {{
                 access_log off;
                 client_body_temp_path {at}/body; proxy_temp_path {at}/proxied;
                 fastcgi_temp_path {at}/f; uwsgi_temp_path {at}/u; scgi_temp_path {at}/s;
                 upstream servers {{ {servers} keepalive 32; }}
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
        let program = program.display().to_string();
        let arguments = ["-e", "stderr", "-c", "nginx.conf", "-p", &at.to_string()];
        let command: Vec<_> = [&[&*program], &arguments[..]].concat();
        let command: Vec<_> = command.into_iter().map(str::to_owned).collect();
        let process = Process::start(&folder, "QUIT", &command);
        login_engines::wait(&folder, || TcpStream::connect(address).is_ok());
        Some(Nginx {
            address,
            _process: process,
            _folder: folder,
        })
    }
}
