//! A web server, on this machine alone.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// What is asked for.
#[derive(Debug)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: String,
    /// From the `/` on.
    pub path: String,
    /// What is posted.
    pub body: String,
}

/// What is answered.
#[derive(Debug)]
pub struct Answer {
    status: &'static str,
    kind: &'static str,
    body: Vec<u8>,
}

impl Answer {
    /// A file of this media type.
    pub fn file(kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: "200 OK", kind, body: body.into() }
    }

    /// That what was posted has come.
    pub fn taken() -> Self {
        Self { status: "204 No Content", kind: "text/plain", body: Vec::new() }
    }

    /// That there is no such thing.
    pub fn missing() -> Self {
        Self { status: "404 Not Found", kind: "text/plain", body: Vec::new() }
    }
}

/// Answers every request, each in a thread of its own; returns the address of `/`.
///
/// # Errors
///
/// That this machine gives no port.
pub fn serve(answer: impl Fn(Request) -> Answer + Send + Sync + 'static) -> io::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = format!("http://{}/", listener.local_addr()?);
    let answer = Arc::new(answer);
    thread::spawn(move || {
        // A browser opens connections ahead of need, which wait here for a request.
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            // A connection that breaks is the browser's to open again.
            thread::spawn(move || respond(&stream, &*answer));
        }
    });
    Ok(address)
}

fn respond(stream: &TcpStream, answer: &dyn Fn(Request) -> Answer) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let length = body_length(&mut reader)?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut words = request.split_whitespace().map(String::from);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(()) };
    let body = String::from_utf8_lossy(&body).into_owned();
    let Answer { status, kind, body } = answer(Request { method, path, body });
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)
}

/// Reads the headers, of which only one matters.
fn body_length(reader: &mut impl BufRead) -> io::Result<usize> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            Some(_) => {}
            None => return Ok(length),
        }
    }
}
