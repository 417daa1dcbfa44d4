//! The same server over HTTP/2 without TLS, by a client that sends header fields as bytes.

use std::io::Cursor;
use std::net::SocketAddr;

use h2::client::{Builder, SendRequest};
use rocket::http::hyper::Request;
use rocket::tokio::net::TcpStream;
use rocket::tokio::runtime::{self, Runtime};

use crate::common::witness;

/// A connection for one request after the other.
pub(crate) struct Http2 {
    runtime: Runtime,
    requests: SendRequest<Cursor<Vec<u8>>>,
}

impl Http2 {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let requests = runtime.block_on(async {
            let stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (requests, connection) = Builder::new().handshake(stream).await.unwrap();
            runtime.spawn(connection);
            requests
        });
        Http2 { runtime, requests }
    }

    pub(crate) fn get(&mut self, path: &str, headers: &[&[u8]]) -> String {
        self.ask("GET", path, headers, "")
    }

    pub(crate) fn post(&mut self, path: &str, headers: &[&[u8]], form: &str) -> String {
        let form_type = b"Content-Type: application/x-www-form-urlencoded".as_slice();
        self.ask("POST", path, &[headers, &[form_type]].concat(), form)
    }

    /// Sends each header line as one field, and returns the response in the form of HTTP/1.
    fn ask(&mut self, method: &str, path: &str, headers: &[&[u8]], sent: &str) -> String {
        let uri = format!("http://localhost{path}");
        let mut request = Request::builder().method(method).uri(uri);
        for header in headers {
            let colon = header.iter().position(|byte| *byte == b':').unwrap();
            let (name, value) = header.split_at(colon);
            request = request.header(name.to_ascii_lowercase(), value[1..].trim_ascii());
        }
        let request = request.body(()).unwrap();
        let requests = &mut self.requests;
        let reply = self.runtime.block_on(async {
            let (response, mut sending) = requests
                .clone()
                .ready()
                .await
                .unwrap()
                .send_request(request, sent.is_empty())
                .unwrap();
            if !sent.is_empty() {
                sending.send_data(Cursor::new(sent.into()), true).unwrap();
            }
            let (head, mut receiving) = response.await.unwrap().into_parts();
            let mut reply = format!("HTTP/2 {}\r\n", head.status).into_bytes();
            for (name, value) in &head.headers {
                reply.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
            }
            reply.extend(b"\r\n");
            while let Some(data) = receiving.data().await {
                reply.extend(data.unwrap());
            }
            reply
        });
        let reply = String::from_utf8(reply).unwrap();
        witness::saw(&reply);
        reply
    }
}
