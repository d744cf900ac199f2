//! The web server of one page, on this machine alone.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

const PAGE: &str = include_str!("page.html");

/// Serves the page and the kernels that it asks for; returns its address and what is posted to it.
pub(crate) fn serve(kernels: String) -> io::Result<(String, Receiver<String>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = format!("http://{}/", listener.local_addr()?);
    let kernels: Arc<str> = kernels.into();
    let (sender, reports) = channel();
    thread::spawn(move || {
        // A browser opens connections ahead of need, which wait here for a request.
        for stream in listener.incoming().flatten() {
            let (kernels, sender) = (Arc::clone(&kernels), sender.clone());
            thread::spawn(move || answer(&stream, &kernels, &sender));
        }
    });
    Ok((address, reports))
}

/// Answers one request. A connection that breaks is the browser's to open again.
fn answer(stream: &TcpStream, kernels: &str, reports: &Sender<String>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let length = body_length(&mut reader)?;
    let (status, kind, body) = match request.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["GET", "/", _] => ("200 OK", "text/html", PAGE),
        ["GET", "/kernels.json", _] => ("200 OK", "application/json", kernels),
        ["POST", "/report", _] => ("204 No Content", "text/plain", ""),
        _ => ("404 Not Found", "text/plain", ""),
    };
    let mut posted = vec![0; length];
    reader.read_exact(&mut posted)?;
    let length = body.len();
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )?;
    if request.starts_with("POST ") {
        // Only the first report is waited for.
        let _ = reports.send(String::from_utf8_lossy(&posted).into_owned());
    }
    Ok(())
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
