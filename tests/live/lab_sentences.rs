//! The lab's UDP and TCP pairs, over loopback.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, UdpSocket};
use std::process::Stdio;

use rustix::process::Signal;

use crate::programs::{Server, netlab, run, stderr};

const HOSTS: [&str; 2] = ["127.0.0.1", "::1"];

/// Every byte there is but a newline, which would end the sentence.
fn all_bytes() -> Vec<u8> {
    (0..=255).filter(|byte| *byte != b'\n').collect()
}

fn upper(bytes: &[u8]) -> Vec<u8> {
    bytes.to_ascii_uppercase()
}

#[test]
fn udp_client_and_server_keep_every_byte_that_is_no_letter() {
    for host in HOSTS {
        let server = Server::start("udp-server", host, &[]);
        for options in [&[][..], &["--connected"]] {
            for sentence in [all_bytes(), "größe Ωmega 📦".into(), Vec::new()] {
                let mut words = vec!["udp-client"];
                words.extend(options);
                let (host, port) = (server.host(), server.port());
                words.extend([host.as_str(), port.as_str()]);
                let mut input = sentence.clone();
                input.push(b'\n');
                let output = run(&words, &input);
                assert!(output.status.success(), "{}", stderr(&output));
                let mut expected = upper(&sentence);
                expected.push(b'\n');
                assert_eq!(output.stdout, expected);
            }
        }
    }
}

#[test]
fn udp_server_answers_the_empty_and_the_largest_datagram() {
    let server = Server::start("udp-server", "127.0.0.1", &[]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut buffer = vec![0; 65_536];
    for datagram in [vec![], vec![b'\n'; 3], vec![b'x'; 65_507]] {
        socket.send_to(&datagram, server.address).unwrap();
        let (length, from) = socket.recv_from(&mut buffer).unwrap();
        assert_eq!(from, server.address);
        assert_eq!(buffer[..length], upper(&datagram));
    }
}

#[test]
fn udp_client_sends_the_sentence_without_newline_and_waits() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port().to_string();
    let mut client = netlab(&["udp-client", "127.0.0.1", &port])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    client.stdin.take().unwrap().write_all(b"hello\n").unwrap();
    let mut buffer = [0; 16];
    let (length, client_address) = socket.recv_from(&mut buffer).unwrap();
    assert_eq!(buffer[..length], *b"hello");
    assert!(client.try_wait().unwrap().is_none());
    socket.send_to(b"reply", client_address).unwrap();
    let output = client.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout, b"reply\n");
}

#[test]
fn a_sentence_too_long_for_a_datagram_is_refused() {
    let output = run(&["udp-client", "127.0.0.1", "9"], &[b'x'; 65_508]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("65508 bytes"),
        "{}",
        stderr(&output)
    );
    assert!(stderr(&output).contains("65507"), "{}", stderr(&output));
}

#[test]
fn connected_udp_client_is_told_of_the_refusal() {
    // The port is kept by a socket that is connected elsewhere, so that no other
    // test gets it; datagrams of others are refused.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect("127.0.0.1:9").unwrap();
    let port = socket.local_addr().unwrap().port().to_string();
    let output = run(
        &["udp-client", "--connected", "127.0.0.1", &port],
        b"hello\n",
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stderr(&output),
        format!("udp-client: receive from 127.0.0.1 port {port}: Connection refused\n")
    );
}

#[test]
fn tcp_client_and_server_keep_every_byte_that_is_no_letter() {
    for host in HOSTS {
        let server = Server::start("tcp-server", host, &[]);
        for sentence in [
            all_bytes(),
            "größe Ωmega 📦".into(),
            Vec::new(),
            vec![b'x'; 1 << 20],
        ] {
            let mut input = sentence.clone();
            input.push(b'\n');
            let output = run(&["tcp-client", &server.host(), &server.port()], &input);
            assert!(output.status.success(), "{}", stderr(&output));
            assert_eq!(output.stdout, upper(&input));
        }
    }
}

#[test]
fn tcp_server_puts_a_sentence_of_single_bytes_together() {
    let server = Server::start("tcp-server", "127.0.0.1", &[]);
    let mut connection = server.connect();
    let mut sentence = b"abcdefgh".repeat(1 << 17);
    sentence.push(b'\n');
    for byte in &sentence {
        connection.write_all(&[*byte]).unwrap();
    }
    let mut reply = Vec::new();
    connection.read_to_end(&mut reply).unwrap();
    assert!(reply == upper(&sentence), "{} bytes came back", reply.len());
}

#[test]
fn tcp_server_closes_first_and_resets_nothing() {
    let server = Server::start("tcp-server", "127.0.0.1", &[]);
    // Bytes after the sentence are read and thrown away: unread, they would make
    // the kernel send RST.
    for sent in [&b"hello\n"[..], b"hello\nand more\n"] {
        let mut connection = server.connect();
        connection.write_all(sent).unwrap();
        let mut reply = Vec::new();
        connection.read_to_end(&mut reply).unwrap();
        assert_eq!(reply, b"HELLO\n");
        connection.write_all(b"still open this way").unwrap();
        connection.shutdown(Shutdown::Write).unwrap();
        assert!(connection.take_error().unwrap().is_none());
    }
}

#[test]
fn tcp_server_knows_the_end_of_a_sentence_without_newline() {
    let server = Server::start("tcp-server", "127.0.0.1", &[]);
    // By the client's FIN.
    let mut connection = server.connect();
    connection.write_all(b"by fin").unwrap();
    connection.shutdown(Shutdown::Write).unwrap();
    let mut reply = Vec::new();
    connection.read_to_end(&mut reply).unwrap();
    assert_eq!(reply, b"BY FIN");
    // As the textbook's Python client does, which sends no newline and waits.
    let mut connection = server.connect();
    connection.write_all(b"by silence").unwrap();
    reply.clear();
    connection.read_to_end(&mut reply).unwrap();
    assert_eq!(reply, b"BY SILENCE");
}

#[test]
fn tcp_server_outlives_clients_that_vanish() {
    let server = Server::start("tcp-server", "127.0.0.1", &[]);
    drop(server.connect());
    let mut connection = server.connect();
    connection.write_all(b"half").unwrap();
    drop(connection);
    let output = run(&["tcp-client", &server.host(), &server.port()], b"hello\n");
    assert_eq!(output.stdout, b"HELLO\n");
}

#[test]
fn tcp_server_serves_one_after_the_other() {
    let server = Server::start("tcp-server", "127.0.0.1", &[]);
    let mut first = server.connect();
    let mut second = server.connect();
    let mut reply = Vec::new();
    second.write_all(b"second\n").unwrap();
    first.write_all(b"first\n").unwrap();
    first.read_to_end(&mut reply).unwrap();
    assert_eq!(reply, b"FIRST\n");
    drop(first);
    reply.clear();
    second.read_to_end(&mut reply).unwrap();
    assert_eq!(reply, b"SECOND\n");
}

#[test]
fn tcp_client_puts_a_reply_together_and_closes_second() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let mut client = netlab(&["tcp-client", "127.0.0.1", &port])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It connects before it asks for the sentence.
    let (mut connection, _) = listener.accept().unwrap();
    client.stdin.take().unwrap().write_all(b"hello\n").unwrap();
    let mut sentence = [0; 6];
    connection.read_exact(&mut sentence).unwrap();
    assert_eq!(sentence, *b"hello\n");
    connection.set_nodelay(true).unwrap();
    for byte in b"HELLO" {
        connection.write_all(&[*byte]).unwrap();
    }
    connection.set_nonblocking(true).unwrap();
    let error = connection.read(&mut sentence).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    connection.set_nonblocking(false).unwrap();
    connection.shutdown(Shutdown::Write).unwrap();
    assert_eq!(connection.read(&mut sentence).unwrap(), 0);
    let output = client.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout, b"HELLO\n");
}

#[test]
fn tcp_client_says_that_there_was_no_reply() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let server = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut sentence = [0; 6];
        connection.read_exact(&mut sentence).unwrap();
    });
    let output = run(&["tcp-client", "127.0.0.1", &port], b"hello\n");
    server.join().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("without a reply"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn clients_without_a_tcp_server_are_refused() {
    // A socket that is bound and does not listen keeps the port closed.
    let socket = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::STREAM,
        None,
    )
    .unwrap();
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    rustix::net::bind(&socket, &any).unwrap();
    let bound: std::net::SocketAddr = rustix::net::getsockname(&socket)
        .unwrap()
        .try_into()
        .unwrap();
    let port = bound.port().to_string();
    for (program, more) in [("tcp-client", None), ("web-client", Some("/"))] {
        let mut words = vec![program, "127.0.0.1", &port];
        words.extend(more);
        let output = run(&words, b"hello\n");
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            stderr(&output),
            format!("{program}: connect to 127.0.0.1 port {port}: Connection refused\n")
        );
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_client_without_a_sentence_says_so() {
    let output = run(&["udp-client", "127.0.0.1", "9"], b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("no sentence"),
        "{}",
        stderr(&output)
    );
    assert!(output.stdout.is_empty(), "the prompt is for terminals only");
}

#[test]
fn ctrl_c_and_term_end_a_server_cleanly() {
    for program in ["udp-server", "tcp-server", "web-server"] {
        for signal in [Signal::INT, Signal::TERM] {
            let server = Server::start(program, "127.0.0.1", &[]);
            let (code, said) = server.end(signal);
            assert_eq!((code, said.as_str()), (Some(0), ""), "{program} {signal:?}");
        }
    }
}

#[test]
fn a_server_that_cannot_listen_says_why_and_what_to_do() {
    for program in ["udp-server", "tcp-server", "web-server"] {
        let first = Server::start(program, "127.0.0.1", &[]);
        let port = first.port();
        let output = run(&[program, "127.0.0.1", &port], b"");
        assert_eq!(output.status.code(), Some(1));
        let text = stderr(&output);
        assert!(
            text.starts_with(&format!(
                "{program}: cannot listen on 127.0.0.1 port {port}: Address already in use; "
            )),
            "{text}"
        );
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(output.stdout.is_empty());

        // An address of the documentation's network: no machine has it.
        let output = run(&[program, "192.0.2.1", "12000"], b"");
        assert_eq!(output.status.code(), Some(1));
        assert!(
            stderr(&output).contains("192.0.2.1 port 12000"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn a_restart_is_not_blocked_by_old_connections() {
    let server = Server::start("tcp-server", "127.0.0.1", &[]);
    let port = server.port();
    let output = run(&["tcp-client", "127.0.0.1", &port], b"hello\n");
    assert!(output.status.success());
    // The server closed first: its side is in TIME_WAIT now.
    assert_eq!(server.end(Signal::TERM).0, Some(0));
    let mut again = netlab(&["tcp-server", "127.0.0.1", &port])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = [0; 10];
    let ready = again.stdout.take().unwrap().read_exact(&mut line);
    again.kill().unwrap();
    again.wait().unwrap();
    ready.unwrap();
}

#[test]
fn a_server_goes_on_when_nobody_reads_its_words() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = netlab(&["tcp-server", "127.0.0.1", "0"])
        .stdout(Stdio::piped())
        .stderr(writer)
        .spawn()
        .unwrap();
    // It could not say its port, and becomes ready all the same.
    let mut line = [0; 10];
    let ready = child.stdout.take().unwrap().read_exact(&mut line);
    child.kill().unwrap();
    child.wait().unwrap();
    ready.unwrap();
    assert_eq!(line, *b"The server");
}

#[test]
fn wrong_words_are_usage_errors() {
    for words in [
        &["tcp-client", "127.0.0.1"][..],
        &["tcp-client", "127.0.0.1", "0"],
        &["tcp-client", "127.0.0.1", "65536"],
        &["tcp-server", "127.0.0.1", "port"],
        &["web-client", "127.0.0.1", "80"],
        &["web-server", "127.0.0.1", "0", "--timeout", "0"],
        &["udp-server", "127.0.0.1", "0", "--connected"],
    ] {
        let output = run(words, b"");
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(stderr(&output).contains("Usage") || stderr(&output).contains("--help"));
    }
    let help = run(&["udp-client", "--help"], b"");
    assert!(help.status.success());
    assert!(String::from_utf8_lossy(&help.stdout).contains("--connected"));
}
