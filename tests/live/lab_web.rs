//! The lab's web server and client, over loopback.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::os::unix::fs::symlink;

use crate::programs::{Server, run, stderr};

/// Sends bytes, half-closes, and gives all that comes back.
fn exchange(server: &Server, sent: &[u8]) -> String {
    let mut connection = server.connect();
    connection.write_all(sent).unwrap();
    connection.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> &str {
    answer.lines().next().unwrap_or_default()
}

fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    answer
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(": "))
        .find_map(|(found, value)| (found == name).then_some(value))
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

#[test]
fn client_and_server_over_both_families() {
    let page = fs::read("www/HelloWorld.html").unwrap();
    for host in ["127.0.0.1", "::1"] {
        let server = Server::start("web-server", host, &[]);
        for path in ["/HelloWorld.html", "HelloWorld.html"] {
            let output = run(&["web-client", &server.host(), &server.port(), path], b"");
            assert!(output.status.success(), "{}", stderr(&output));
            assert_eq!(output.stdout, page);
            assert_eq!(stderr(&output), "HTTP/1.1 200 OK\n");
        }
        let output = run(&["web-client", &server.host(), &server.port(), "/no"], b"");
        assert!(output.status.success(), "404 is an answer");
        assert_eq!(stderr(&output), "HTTP/1.1 404 Not Found\n");
        let output = run(
            &["web-client", "-i", &server.host(), &server.port(), "/"],
            b"",
        );
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(status(&text), "HTTP/1.1 200 OK");
        assert_eq!(
            field(&text, "Content-Type"),
            Some("text/html; charset=utf-8")
        );
        assert_eq!(body(&text), fs::read_to_string("www/index.html").unwrap());
    }
}

#[test]
fn each_embedded_file_comes_byte_for_byte() {
    let server = Server::start("web-server", "127.0.0.1", &[]);
    for entry in fs::read_dir("www").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        let output = run(&["web-client", &server.host(), &server.port(), &name], b"");
        assert_eq!(output.stdout, fs::read(&path).unwrap(), "{name}");
    }
}

#[test]
fn each_status() {
    let server = Server::start("web-server", "127.0.0.1", &[]);
    let long_target = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(10_000));
    let large_field = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
        "a".repeat(20_000)
    );
    for (sent, line) in [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK"),
        ("GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK"),
        (
            "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
            "HTTP/1.1 200 OK",
        ),
        ("rubbish\r\n\r\n", "HTTP/1.1 400 Bad Request"),
        ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request"),
        (
            "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n",
            "HTTP/1.1 400 Bad Request",
        ),
        (
            "GET /no HTTP/1.1\r\nHost: x\r\n\r\n",
            "HTTP/1.1 404 Not Found",
        ),
        (
            "GET /../Cargo.toml HTTP/1.1\r\nHost: x\r\n\r\n",
            "HTTP/1.1 404 Not Found",
        ),
        (
            "GET /%2e%2e/Cargo.toml HTTP/1.1\r\nHost: x\r\n\r\n",
            "HTTP/1.1 404 Not Found",
        ),
        (
            "POST / HTTP/1.1\r\nHost: x\r\n\r\n",
            "HTTP/1.1 405 Method Not Allowed",
        ),
        (&long_target, "HTTP/1.1 414 URI Too Long"),
        (&large_field, "HTTP/1.1 431 Request Header Fields Too Large"),
        (
            "BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
            "HTTP/1.1 501 Not Implemented",
        ),
        (
            "GET / HTTP/3.0\r\nHost: x\r\n\r\n",
            "HTTP/1.1 505 HTTP Version Not Supported",
        ),
    ] {
        let answer = exchange(&server, sent.as_bytes());
        assert_eq!(status(&answer), line, "{sent:.80}");
        assert!(
            field(&answer, "Server")
                .unwrap()
                .starts_with("netlab-capture/")
        );
        let length: usize = field(&answer, "Content-Length").unwrap().parse().unwrap();
        assert_eq!(body(&answer).len(), length);
        let allow = line.contains("405").then_some("GET, HEAD");
        assert_eq!(field(&answer, "Allow"), allow);
    }
}

#[test]
fn a_refused_body_is_drained_so_that_the_answer_arrives() {
    let server = Server::start("web-server", "127.0.0.1", &[]);
    let mut request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n".to_vec();
    request.resize(request.len() + 4_000_000, b'x');
    let answer = exchange(&server, &request);
    assert_eq!(status(&answer), "HTTP/1.1 405 Method Not Allowed");
    assert_eq!(field(&answer, "Connection"), Some("close"));
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::start("web-server", "127.0.0.1", &[]);
    let mut connection = server.connect();
    connection
        .write_all(
            b"GET /HelloWorld.html HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /\
              HEAD /packet.png HTTP/1.1\r\nHost: x\r\n\r\n\
              GET /no HTTP/1.1\r\nHost: x\r\n\r\n\
              GET /languages.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n\
              GET /never HTTP/1.1\r\nHost: x\r\n\r\n",
        )
        .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let mut rest = answer.as_str();
    for (line, kind, body_of) in [
        (
            "HTTP/1.1 200 OK",
            "text/html; charset=utf-8",
            Some("www/HelloWorld.html"),
        ),
        ("HTTP/1.1 200 OK", "image/png", None),
        (
            "HTTP/1.1 404 Not Found",
            "text/html; charset=utf-8",
            Some(""),
        ),
        (
            "HTTP/1.1 200 OK",
            "text/html; charset=utf-8",
            Some("www/languages.html"),
        ),
    ] {
        assert_eq!(status(rest), line);
        assert_eq!(field(rest, "Content-Type"), Some(kind));
        let length: usize = field(rest, "Content-Length").unwrap().parse().unwrap();
        rest = body(rest);
        if let Some(file) = body_of {
            let (this, others) = rest.split_at(length);
            if !file.is_empty() {
                assert_eq!(this, fs::read_to_string(file).unwrap());
            }
            rest = others;
        }
    }
    assert_eq!(rest, "", "nothing is answered after Connection: close");
}

#[test]
fn a_connection_is_kept_for_the_next_request() {
    let server = Server::start("web-server", "127.0.0.1", &[]);
    let mut connection = server.connect();
    let length = fs::metadata("www/HelloWorld.html").unwrap().len();
    for version in ["HTTP/1.1", "HTTP/1.1", "HTTP/1.0"] {
        let request =
            format!("GET /HelloWorld.html {version}\r\nHost: x\r\nConnection: keep-alive\r\n\r\n");
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            connection.read_exact(&mut byte).unwrap();
            answer.extend(byte);
        }
        let answer = String::from_utf8(answer).unwrap();
        let kept = (version == "HTTP/1.0").then_some("keep-alive");
        assert_eq!(field(&answer, "Connection"), kept);
        std::io::copy(&mut (&connection).take(length), &mut std::io::sink()).unwrap();
    }
    connection.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert_eq!(field(&answer, "Connection"), Some("close"));
}

#[test]
fn a_hundred_connections_at_once() {
    let server = Server::start("web-server", "127.0.0.1", &[]);
    // All are open with half a request before any is answered.
    let mut connections: Vec<_> = (0..100).map(|_| server.connect()).collect();
    for connection in &mut connections {
        connection
            .write_all(b"GET /HelloWorld.html HTTP/1.1\r\n")
            .unwrap();
    }
    // The last first, so that no order is taken for granted.
    for mut connection in connections.into_iter().rev() {
        connection
            .write_all(b"Host: x\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert_eq!(status(&answer), "HTTP/1.1 200 OK");
        assert_eq!(
            body(&answer),
            fs::read_to_string("www/HelloWorld.html").unwrap()
        );
    }
}

#[test]
fn slow_and_silent_clients_are_timed_out() {
    let server = Server::start("web-server", "127.0.0.1", &["--timeout", "0.3"]);
    // Silent from the start, and silent after an answer: the connection ends.
    let mut silent = server.connect();
    let mut answer = String::new();
    silent.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "");
    silent = server.connect();
    silent
        .write_all(b"GET /no HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    silent.read_to_string(&mut answer).unwrap();
    assert_eq!(status(&answer), "HTTP/1.1 404 Not Found");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1);
    // A head that never ends, however often a byte of it comes.
    let mut slow = server.connect();
    let mut writer = slow.try_clone().unwrap();
    let dripping = std::thread::spawn(move || {
        let _ = writer.write_all(b"GET / HTTP/1.1\r\nX: ");
        while writer.write_all(b"x").is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    });
    let mut line = [0; 28];
    slow.read_exact(&mut line).unwrap();
    assert_eq!(line, *b"HTTP/1.1 408 Request Timeout");
    drop(slow);
    dripping.join().unwrap();
}

#[test]
fn a_root_of_ones_own_and_what_must_not_leave_it() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.txt"), "secret").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let large: Vec<u8> = (0..5_000_000u32)
        .flat_map(u32::to_le_bytes)
        .take(5_000_001)
        .collect();
    fs::write(root.join("large.bin"), &large).unwrap();
    fs::write(root.join("größe.txt"), "ß").unwrap();
    fs::write(root.join("empty.css"), "").unwrap();
    fs::create_dir(root.join("sub")).unwrap();
    symlink("../größe.txt", root.join("sub/near.txt")).unwrap();
    symlink(outside.path().join("secret.txt"), root.join("far.txt")).unwrap();
    symlink(outside.path(), root.join("away")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, root.join("pipe"), 0o644.into()).unwrap();
    let server = Server::start(
        "web-server",
        "127.0.0.1",
        &["--root", root.to_str().unwrap()],
    );

    let output = run(
        &["web-client", &server.host(), &server.port(), "/large.bin"],
        b"",
    );
    assert!(output.stdout == large, "{} bytes came", output.stdout.len());
    let output = run(
        &["web-client", &server.host(), &server.port(), "/größe.txt"],
        b"",
    );
    assert_eq!(output.stdout, "ß".as_bytes());
    for (path, line) in [
        ("/sub/near.txt", "HTTP/1.1 200 OK"),
        ("/empty.css", "HTTP/1.1 200 OK"),
        ("/", "HTTP/1.1 404 Not Found"),
        ("/sub/", "HTTP/1.1 404 Not Found"),
        ("/far.txt", "HTTP/1.1 404 Not Found"),
        ("/away/secret.txt", "HTTP/1.1 404 Not Found"),
        ("/pipe", "HTTP/1.1 404 Not Found"),
        ("/sub/../../etc/passwd", "HTTP/1.1 404 Not Found"),
        ("/%2e%2e/%2e%2e/etc/passwd", "HTTP/1.1 404 Not Found"),
        ("/..%2f..%2fetc/passwd", "HTTP/1.1 404 Not Found"),
    ] {
        let sent = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        let answer = exchange(&server, sent.as_bytes());
        assert_eq!(status(&answer), line, "{path}");
        assert!(!answer.contains("secret"), "{path}");
    }
}

#[test]
fn an_unreadable_root_is_an_error_at_the_start() {
    let output = run(&["web-server", "127.0.0.1", "0", "--root", "/no/such"], b"");
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(
        text.starts_with("web-server: cannot serve the folder /no/such: "),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1);
}

/// Serves one connection with a fixed answer.
fn answering(answer: &'static [u8]) -> (String, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let server = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            connection.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        connection.set_nodelay(true).unwrap();
        for byte in answer {
            connection.write_all(&[*byte]).unwrap();
        }
    });
    (port, server)
}

#[test]
fn client_reads_each_kind_of_body_cut_anywhere() {
    for (answer, body) in [
        (
            &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"[..],
            "hello",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "hello",
        ),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", "hello"),
    ] {
        let (port, server) = answering(answer);
        let output = run(&["web-client", "127.0.0.1", &port, "/"], b"");
        server.join().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(output.stdout, body.as_bytes());
    }
}

#[test]
fn client_says_what_is_no_answer_and_shows_no_control_characters() {
    let (port, server) = answering(b"HTTP/1.1 200 \x80\x9b2J\r\nContent-Length: 9\r\n\r\nhel");
    let output = run(&["web-client", "127.0.0.1", &port, "/"], b"");
    server.join().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"hel");
    let text = stderr(&output);
    assert!(text.contains("3 of 9 bytes"), "{text}");
    assert!(
        !text.contains(|c: char| c.is_control() && c != '\n'),
        "{text:?}"
    );
}
