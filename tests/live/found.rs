//! What was found by trying programs of real courses: correct ones that were
//! refused, and slips of which nothing helpful was said.

use std::path::Path;

use crate::students::{CLIENT, Case, SERVER, case, has, judge, sources};

const STDIN: &str = "--stdin";
const CWD: &str = "--cwd";

fn python(cases: &[Case<'_>]) {
    if has("python3") {
        judge("python", &sources("python"), cases);
    }
}

#[test]
fn correct_programs_that_differ_from_the_labs() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/pages");
    let pages = pages.to_str().unwrap();
    let web_server = "python3 {own}/web_server_line_end_behind_page.py";
    python(&[
        case(
            "tcp-pair-on-another-port",
            "tcp-upper",
            &[
                SERVER,
                "python3 tcp_server_wrong_port.py",
                CLIENT,
                "python3 TCPClient.py 127.0.0.1 12001",
            ],
        ),
        case(
            "tcp-pair-on-different-ports",
            "tcp-wrong-port",
            &[
                SERVER,
                "python3 TCPServer.py",
                CLIENT,
                "python3 TCPClient.py 127.0.0.1 6789",
            ],
        ),
        case(
            "tcp-client-localhost",
            "tcp-upper",
            &[CLIENT, "python3 tcp_client_localhost.py"],
        ),
        case(
            "tcp-client-localhost-refused",
            "tcp-refused",
            &[CLIENT, "python3 tcp_client_localhost.py"],
        ),
        case(
            "tcp-client-handles-refusal",
            "tcp-refused",
            &[CLIENT, "python3 tcp_client_handles_refusal.py"],
        ),
        case(
            "tcp-client-asks-for-host-told",
            "tcp-upper",
            &[
                CLIENT,
                "python3 tcp_client_asks_for_host.py",
                STDIN,
                "localhost",
                STDIN,
                "hello, world!",
            ],
        ),
        case(
            "web-server-own-page",
            "http-ok",
            &[
                SERVER,
                web_server,
                CWD,
                pages,
                CLIENT,
                "netlab-capture web-client 127.0.0.1 6789 /HelloWorld.html",
            ],
        ),
        case(
            "web-server-not-found-in-capitals",
            "http-not-found",
            &[
                SERVER,
                web_server,
                CWD,
                pages,
                CLIENT,
                "netlab-capture web-client 127.0.0.1 6789 /NoSuchFile.html",
            ],
        ),
    ]);
}

#[test]
fn slips_of_which_the_cause_is_told() {
    python(&[
        case(
            "tcp-server-thread-loses-socket",
            "tcp-upper",
            &[SERVER, "python3 tcp_server_thread_loses_socket.py"],
        ),
        case(
            "tcp-server-needs-argument",
            "tcp-upper",
            &[SERVER, "python3 tcp_server_needs_argument.py"],
        ),
        case(
            "tcp-server-asks-for-ever",
            "tcp-upper",
            &[SERVER, "python3 tcp_server_asks_for_ever.py"],
        ),
        case(
            "tcp-client-asks-for-host",
            "tcp-upper",
            &[CLIENT, "python3 tcp_client_asks_for_host.py"],
        ),
        case(
            "udp-server-listens",
            "udp-upper",
            &[SERVER, "python3 udp_server_listens.py"],
        ),
        case(
            "udp-server-says-not-whom",
            "udp-upper",
            &[SERVER, "python3 udp_server_says_not_whom.py"],
        ),
        case(
            "udp-client-catches-all",
            "udp-upper",
            &[CLIENT, "python3 udp_client_catches_all.py"],
        ),
        case(
            "web-server-on-another-port",
            "http-ok",
            &[SERVER, "python3 web_server_line_end_behind_page.py"],
        ),
        case(
            "web-server-without-the-page",
            "http-ok",
            &[
                SERVER,
                "python3 web_server_line_end_behind_page.py",
                CLIENT,
                "netlab-capture web-client 127.0.0.1 6789 /HelloWorld.html",
            ],
        ),
    ]);
}
