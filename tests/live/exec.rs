//! `exec`: any command under capture, its streams, terminal and exit code its
//! own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::programs::{netlab, stderr};
use crate::record::{Folder, assert_complete};

fn exec(words: &[&str]) -> Output {
    netlab(&["exec"]).args(words).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A connection of a Python program with itself, closed in order.
const CONNECTS: &str = "
import socket
s = socket.socket(); s.bind(('127.0.0.1', 12000)); s.listen()
c = socket.create_connection(('127.0.0.1', 12000)); a, _ = s.accept()
a.sendall(b'hi'); print(c.recv(10)); c.close(); a.recv(1); a.close()
";
const REFUSED: &str = "
import socket
try: socket.create_connection(('127.0.0.1', 12000))
except OSError as error: print(error)
";

#[test]
fn the_exit_code_is_the_commands() {
    for (words, code, said) in [
        (&["--", "true"][..], 0, "0 packets, none missing"),
        (&["--", "sh", "-c", "exit 3"], 3, ""),
        (&["sh", "-c", "exit 255"], 255, ""),
        (&["--", "sh", "-c", "kill -KILL $$"], 137, ""),
        (&["--", "sh", "-c", "kill -TERM $$"], 143, ""),
        (
            &["--", "no-such-command"],
            127,
            "cannot run no-such-command: No such file",
        ),
        (
            &["--", "/etc/passwd"],
            126,
            "cannot run /etc/passwd: Permission denied",
        ),
        (&["--timeout", "200ms", "--", "sleep", "60"], 137, ""),
        // Our own faults, before anything runs.
        (&[], 125, "required"),
        (
            &["-e", "no RSTT", "--", "touch", "/proc/x"],
            125,
            "did you mean `RST`",
        ),
        (
            &["--pcap", "/no/such/folder/x", "--", "true"],
            125,
            "cannot write /no/such/folder/x",
        ),
        (
            &["--snaplen", "3", "--", "true"],
            125,
            "3 is not in 64..=262144",
        ),
        (
            &["--expect", "/no/such/file", "--", "true"],
            125,
            "cannot be read",
        ),
    ] {
        let output = exec(words);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{words:?} {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains(said),
            "{words:?} {}",
            stderr(&output)
        );
        assert!(output.stdout.is_empty(), "{words:?}");
    }
}

/// A folder of PATH that the user may not look into (root may): exec(2) says of it
/// what it says of a command that may not be run.
#[test]
fn a_command_that_is_nowhere_is_127_also_with_a_closed_folder_on_the_path() {
    let folder = Folder::new();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let path = format!("{}:/usr/bin:/bin", closed.display());
    let output = netlab(&["exec", "--", "no-such-command"])
        .env("PATH", path)
        .output()
        .unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(output.status.code(), Some(127), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("No such file"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn an_expectation_that_fails_after_success_is_1() {
    let output = exec(&["-e", "no RST", "--", "python3", "-c", REFUSED]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains("refused"));
    assert!(
        stderr(&output).contains("nobody:12000 > command  RST"),
        "{}",
        stderr(&output)
    );
    assert!(stderr(&output).contains("--pcap FILE"));

    let passes = [
        "-e",
        "no RST",
        "-e",
        "tcp[0].state == \"SF\"",
        "--",
        "python3",
        "-c",
        CONNECTS,
    ];
    let output = exec(&passes);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output), "b'hi'\n");
    assert!(
        stderr(&output).contains("2 expectations passed"),
        "{}",
        stderr(&output)
    );

    // The command's own failure comes first.
    let output = exec(&["-e", "packets(tcp) == 9", "--", "sh", "-c", "exit 4"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
}

#[test]
fn streams_and_descriptors_are_the_commands_own() {
    let folder = Folder::new();
    let given = folder.file("given.txt", "given\n");
    let script = format!(
        "printf 'in\\n' | {} exec -q -- sh -c 'cat; cat <&7; echo out; echo err >&2; test -e /proc/self/fd/7 || echo none' 7<{}",
        env!("CARGO_BIN_EXE_netlab-capture"),
        given.display()
    );
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    assert_eq!(stdout(&output), "in\ngiven\nout\n", "{}", stderr(&output));
    assert_eq!(stderr(&output), "err\n");
}

#[test]
fn reports_go_where_they_are_asked_for() {
    let folder = Folder::new();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let json = format!("--json={}", at("x.json"));
    let (junit, pcapng, pcap) = (at("x.xml"), at("x.pcapng"), at("y.pcap"));
    let words = [
        &json,
        "--junit",
        &junit,
        "--pcap",
        &pcapng,
        "-e",
        "packets(tcp) == 2",
    ];
    let refused = ["--", "python3", "-c", REFUSED];
    let output = exec(&[&words[..], &refused].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&fs::read(at("x.json")).unwrap()).unwrap();
    assert_eq!(report["verdict"], "pass");
    assert_eq!(report["programs"][0]["role"], "command");
    assert_eq!(report["programs"][0]["argv"][0], "python3");
    assert_complete(&report);
    assert!(
        fs::read_to_string(&junit)
            .unwrap()
            .contains("packets(tcp) == 2")
    );
    // What was recorded is judged again in the same way.
    let check = netlab(&["check", "--json", &pcapng]).output().unwrap();
    assert_eq!(check.status.code(), Some(0), "{}", stderr(&check));
    assert!(stdout(&check).contains("\"verdict\":\"pass\""));

    let words = ["--json", "--snaplen", "64", "--pcap", &pcap];
    let output = exec(&[&words[..], &refused].concat());
    let lines = stdout(&output);
    let (command, report) = lines.split_once('\n').unwrap();
    assert!(command.contains("refused"), "{lines}");
    let report: Value = serde_json::from_str(report).unwrap();
    assert_eq!(report["capture"]["packets"], 2);
    assert_eq!(
        fs::read(&pcap).unwrap().get(..4),
        Some(&[0x4d, 0x3c, 0xb2, 0xa1][..])
    );
    assert!(folder.path().join("y.pcap.json").exists());
}

#[test]
fn a_page_holds_the_capture_whether_it_is_kept_or_not() {
    let folder = Folder::new();
    let page = folder.path().join("x.html");
    let pcap = folder.path().join("y.pcap");
    let pcap = pcap.to_str().unwrap();
    for (kept, name) in [(&[][..], "command.pcapng"), (&["--pcap", pcap], "y.pcapng")] {
        let words = ["--html", page.to_str().unwrap(), "-e", "no RST"];
        let output = exec(&[&words, kept, &["--", "python3", "-c", REFUSED]].concat());
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let html = fs::read_to_string(&page).unwrap();
        let (_, rest) = html.split_once("id=\"data\">").unwrap();
        let (data, _) = rest.split_once("</script>").unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        let run = &data["runs"][0];
        assert_eq!(run["report"]["verdict"], "fail");
        assert!(
            run["report"].get("packets").is_none(),
            "they are in the capture"
        );
        assert!(run["capture"].is_string());
        let named = run["name"].as_str().unwrap();
        assert!(named.ends_with(name), "{named}");
    }
    // A bad path fails before anything runs.
    let words = ["--html", "/no/such/folder/x.html", "--", "touch"];
    let touched = folder.path().join("touched");
    let output = exec(&[&words[..], &[touched.to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(125));
    assert!(!touched.exists());
}

#[test]
fn an_expectation_file_has_no_programs() {
    let folder = Folder::new();
    let good = folder.file(
        "good.toml",
        "[expect]\n\"refused\" = 'in order { command > nobody:12000 SYN }'\n",
    );
    let refused = ["--", "python3", "-c", REFUSED];
    let output = exec(&[&["--expect", good.to_str().unwrap()], &refused[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let plain = folder.file(
        "plain.expect",
        "in order { command > nobody:12000 SYN }\nno udp\n",
    );
    let capture = folder.path().join("plain.pcapng");
    let words = [
        "--expect",
        plain.to_str().unwrap(),
        "--pcap",
        capture.to_str().unwrap(),
    ];
    let output = exec(&[&words[..], &refused[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("2 expectations passed"),
        "{}",
        stderr(&output)
    );
    let check = netlab(&["check"]).arg(&capture).output().unwrap();
    assert_eq!(check.status.code(), Some(0), "{}", stderr(&check));
    let bad = folder.file(
        "bad.toml",
        "[program.client]\nrun = 'x'\n[expect]\n\"a\" = 'no RST'\n",
    );
    let output = exec(&[&["--expect", bad.to_str().unwrap()], &refused[..]].concat());
    assert_eq!(output.status.code(), Some(125), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("only program of `exec`"),
        "{}",
        stderr(&output)
    );
}

/// "Nothing had to be sent twice" failed once where the machine had stood still for
/// longer than TCP's timer, and nothing was lost.
#[test]
fn tcp_waits_a_second_before_it_sends_again() {
    let script = "
import socket, struct
for family, address in (socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1'):
    server = socket.create_server((address, 0), family=family)
    client = socket.create_connection(server.getsockname()[:2])
    connection, _ = server.accept()
    client.send(b'hello')
    connection.recv(5)
    # tcpi_rto: the ninth byte on, in microseconds.
    information = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 12)
    print(struct.unpack_from('I', information, 8)[0])
print(open('/proc/sys/net/ipv4/tcp_early_retrans').read())
";
    let output = exec(&["--", "python3", "-c", script]);
    let text = stdout(&output);
    let mut numbers = text.split_whitespace().map(|n| n.parse::<u32>().unwrap());
    let (v4, v6) = (numbers.next().unwrap(), numbers.next().unwrap());
    // What pins it is new in Linux 6.11.
    let at_least = match std::fs::exists("/proc/sys/net/ipv4/tcp_rto_min_us") {
        Ok(true) => 1_000_000,
        _ => 200_000,
    };
    assert!(v4 >= at_least && v6 >= at_least, "{text}");
    assert_eq!(numbers.next(), Some(0), "{text}");
}

#[test]
fn who_needs_the_outside_world_is_told() {
    let script = "import socket; socket.create_connection(('192.0.2.1', 80))";
    let output = exec(&["--", "python3", "-c", script]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("1 attempt to reach an address outside failed (ENETUNREACH)"));
    assert!(
        stderr(&output).contains("build and download first"),
        "{}",
        stderr(&output)
    );
    // One that gets along without is left in peace.
    let script = format!(
        "try: {}\nexcept OSError: pass",
        script.replace("; ", "\n").lines().last().unwrap()
    );
    let output = exec(&["--", "python3", "-c", &format!("import socket\n{script}")]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        !stderr(&output).contains("ENETUNREACH"),
        "{}",
        stderr(&output)
    );
}

/// Waits until a file is there: the command has come so far.
fn wait_for(path: &std::path::Path) {
    let until = Instant::now() + Duration::from_secs(20);
    while !path.exists() {
        assert!(Instant::now() < until, "{} never came", path.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn signals_are_handed_on_and_the_command_decides() {
    for (name, code) in [("TERM", 7), ("INT", 7), ("HUP", 7), ("USR1", 7)] {
        let folder = Folder::new();
        let ready = folder.path().join("ready");
        let script = format!(
            "trap 'echo got {name}; exit 7' {name}; touch {}; while :; do sleep 0.02; done",
            ready.display()
        );
        // A shell cannot trap what was ignored when it began, as INT is in what a
        // script runs in its background: this test may be.
        let child = Command::new("env")
            .args(["--default-signal", env!("CARGO_BIN_EXE_netlab-capture")])
            .args(["exec", "--", "sh", "-c", &script])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for(&ready);
        let kill = Command::new("kill")
            .args([&format!("-{name}"), &child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{name}");
        assert_eq!(stdout(&output), format!("got {name}\n"));
    }
}

/// Types into a terminal in which an interactive shell runs, waiting for each
/// answer before the next line.
const TERMINAL: &str = r#"
import os, pty, select, sys, time
tool, rest = sys.argv[1], b""
pid, fd = pty.fork()
if pid == 0:
    os.environ["PS1"] = "$ "
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
# What comes behind the words may have come with them, and be waited for next.
def until(words):
    global rest
    end = time.time() + 20
    while words.encode() not in rest:
        if time.time() > end:
            sys.exit("waited for %r, got %r" % (words, rest))
        if select.select([fd], [], [], 0.1)[0]:
            rest += os.read(fd, 4096)
    rest = rest.split(words.encode(), 1)[1]
def types(keys):
    global rest
    rest = b""
    os.write(fd, keys.encode())
until("$ ")
types("stty -echo\n"); until("$ ")
# Ctrl-C reaches the command, once, and the tool stays to tell.
types(tool + " exec -- sh -c 'trap \"echo IN''T; exit 9\" INT; echo rea''dy; while :; do sleep 0.02; done'\n")
until("ready"); types("\x03"); until("INT"); until("packets"); types("echo co''de $?\n"); until("code 9")
# Ctrl-Z stops it as a job of the shell, fg goes on.
types(tool + " exec -- sh -c 'echo rea''dy; sleep 0.5; echo aw''ake'\n")
until("ready"); types("\x1a"); until("Stopped"); types("fg\n"); until("awake"); until("packets")
# A shell as the command has job control of its own, and gives the terminal back.
# (It may not have noticed yet that its job was killed: it is to forget it.)
types(tool + " exec -- bash --norc --noprofile -i\n"); until("$ ")
types("sleep 60\n"); time.sleep(0.3); types("\x1a"); until("Stopped")
types("jobs\n"); until("sleep 60"); types("kill -9 %1; disown -a; exit 5\n"); until("packets")
types("echo co''de $?\n"); until("code 5")
types("read line; echo go''t $line\n"); types("words\n"); until("got words")
print("all seen")
"#;

#[test]
fn the_terminal_is_the_commands() {
    let output = Command::new("timeout")
        .args([
            "60",
            "python3",
            "-c",
            TERMINAL,
            env!("CARGO_BIN_EXE_netlab-capture"),
        ])
        .output()
        .unwrap();
    assert_eq!(stdout(&output), "all seen\n", "{}", stderr(&output));
}

#[test]
fn nothing_survives_the_command() {
    let marker = format!("61{}", std::process::id());
    let script = format!("setsid sleep {marker} & nohup sleep {marker} >&2 2>/dev/null & exit 0");
    let output = exec(&["--", "sh", "-c", &script]);
    assert_eq!(output.status.code(), Some(0));
    let found = Command::new("pgrep")
        .args(["-f", &format!("sleep {marker}")])
        .output()
        .unwrap();
    assert!(found.stdout.is_empty(), "{}", stdout(&found));
}

#[test]
fn a_test_suite_runs_under_it() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("src")).unwrap();
    folder.file(
        "Cargo.toml",
        "[package]\nname = \"small\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    folder.file(
        "src/lib.rs",
        r#"
#[test]
fn talks() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    std::io::copy(&mut &server, &mut std::io::sink()).unwrap();
    server.shutdown(std::net::Shutdown::Write).unwrap();
    std::io::copy(&mut &client, &mut std::io::sink()).unwrap();
}
"#,
    );
    let output = netlab(&[
        "exec",
        "-e",
        "no RST",
        "-e",
        "each tcp[] has close == \"fin\"",
    ])
    .args(["--", "cargo", "test", "--offline"])
    .env_remove("CARGO_TARGET_DIR")
    .current_dir(folder.path())
    .output()
    .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("1 passed"), "{}", stdout(&output));
    assert!(
        stderr(&output).contains("2 expectations passed"),
        "{}",
        stderr(&output)
    );
}
