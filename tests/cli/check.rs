//! `netlab-capture check`: captures from everywhere, and who is who in them.

use std::io::Write;
use std::path::Path;

use assert_cmd::Command;
use flate2::Compression;
use flate2::write::GzEncoder;
use netlab_capture::savefile::{InterfaceDescription, Timestamp, pcap};

use super::diagnostics::without_recording;

/// Exit code, standard output, standard error.
fn check(folder: &Path, words: &[&str], stdin: &[u8]) -> (i32, String, String) {
    let output = Command::cargo_bin("netlab-capture")
        .unwrap()
        .current_dir(folder)
        .env("COLUMNS", "100")
        .arg("check")
        .args(words)
        .write_stdin(stdin)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn reference(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/reference");
    std::fs::read(folder.join(format!("{name}.pcapng"))).unwrap()
}

/// A folder with these files.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

#[test]
fn standard_input_and_compressed_files_are_captures_too() {
    let bytes = reference("tcp-upper");
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(&bytes).unwrap();
    let folder = folder(&[("a.pcapng.gz", &gz.finish().unwrap())]);
    let (code, out, err) = check(folder.path(), &["-"], &bytes);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("standard input"), "{out}");
    let (code, out, err) = check(folder.path(), &["a.pcapng.gz", "-"], &bytes);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("2 passed"), "{out}");
}

#[test]
fn a_damaged_capture_is_6_even_beside_one_that_fails() {
    let bytes = reference("tcp-upper");
    let folder = folder(&[("cut.pcapng", &bytes[..1500]), ("whole.pcapng", &bytes)]);
    let words = ["cut.pcapng", "whole.pcapng", "-e", "no FIN"];
    let (code, out, _) = check(folder.path(), &words, b"");
    assert_eq!(code, 6, "{out}");
    assert!(out.contains("[F013]"), "{out}");
}

#[test]
fn who_sent_the_syn_is_the_client() {
    let folder = folder(&[("up.pcap", &without_recording(&["tcp-upper"]))]);
    let statement = "stream(client > server) == \"hello, world!\\n\"";
    let (code, out, err) = check(folder.path(), &["up.pcap", "-e", statement], b"");
    assert_eq!(code, 0, "{out}{err}");
    let words = [
        "up.pcap",
        "-e",
        "no client > nobody SYN",
        "-e",
        "client.exit == 0",
    ];
    let (code, out, _) = check(folder.path(), &words, b"");
    assert_eq!(code, 5, "{out}");
    assert!(out.contains("[I006]"), "{out}");
}

#[test]
fn a_given_role_is_at_its_address_and_nowhere_else() {
    let both = without_recording(&["tcp-upper", "http-ok"]);
    let folder = folder(&[("both.pcap", &both)]);
    let judged = |roles: &[&str], statement: &str| {
        let mut words = vec!["both.pcap", "-e", statement];
        for role in roles {
            words.extend(["--role", role]);
        }
        check(folder.path(), &words, b"").0
    };
    let upper = "stream(client > server) == \"hello, world!\\n\"";
    assert_eq!(judged(&[], upper), 2);
    assert_eq!(judged(&[], "no RST"), 0);
    assert_eq!(judged(&[], "no any > any RST"), 0);
    assert_eq!(judged(&["server=:12000"], upper), 0);
    assert_eq!(judged(&["server=127.0.0.1:8080"], upper), 1);
    let web = "in order { alice > web:8080 GET /HelloWorld.html; web > alice HTTP 200 }";
    assert_eq!(judged(&["web=:8080", "alice=127.0.0.1"], web), 0);
    assert_eq!(judged(&["web=:12000", "alice=127.0.0.1"], web), 1);
    // Nobody is there: mistyped, perhaps.
    assert_eq!(judged(&["web=:8080", "alice=127.0.0.2"], web), 2);
}

#[test]
fn an_unclear_capture_is_asked_about_with_the_flags_to_type() {
    let both = without_recording(&["tcp-upper", "http-ok"]);
    // Without the handshake nobody can tell who opened the connection.
    let upper = without_recording(&["tcp-upper"]);
    let mut late = upper[..24].to_vec();
    late.extend(skip_packets(&upper[24..], 3));
    let folder = folder(&[("both.pcap", &both), ("late.pcap", &late)]);
    let statement = "no client > server RST";
    let (code, out, err) = check(folder.path(), &["both.pcap", "-e", statement], b"");
    assert_eq!(code, 2, "{out}");
    for flag in [
        "--role server=127.0.0.1:12000",
        "--role server=127.0.0.1:8080",
    ] {
        assert!(err.contains(flag), "{err}");
    }
    let (code, out, err) = check(folder.path(), &["late.pcap", "-e", statement], b"");
    assert_eq!(code, 2, "{out}");
    assert!(err.contains("--role client=127.0.0.1:"), "{err}");
    // On one conversation it is clear.
    let scoped = "in order on tcp[0] { client > server SYN }";
    let (code, out, err) = check(folder.path(), &["both.pcap", "-e", scoped], b"");
    assert_eq!(code, 0, "{out}{err}");
}

fn skip_packets(mut records: &[u8], count: usize) -> &[u8] {
    for _ in 0..count {
        let len = u32::from_le_bytes(records[8..12].try_into().unwrap()) as usize;
        records = &records[16 + len..];
    }
    records
}

#[test]
fn an_expectation_file_has_names_hints_and_places() {
    let text = "# the reply is in capitals\n# hint: Each letter changes.\nstream(server > client) == upper(stream(client > server))\n\nno RST\nno FIN\n";
    let folder = folder(&[
        ("up.pcap", &without_recording(&["tcp-upper"])),
        ("a.expect", text.as_bytes()),
        ("wrong.expect", b"no RST\nno clint > any FIN\n"),
        ("bytes.expect", b"no \xff"),
    ]);
    let (code, out, _) = check(folder.path(), &["up.pcap", "--expect", "a.expect"], b"");
    assert_eq!(code, 1, "{out}");
    for words in [
        "✓ the reply is in capitals",
        "✓ no RST",
        "✗ no FIN",
        "a.expect:6:1",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    let (code, _, err) = check(folder.path(), &["up.pcap", "--expect", "wrong.expect"], b"");
    assert_eq!(code, 2);
    assert!(err.contains("wrong.expect:2:4"), "{err}");
    for file in ["bytes.expect", "gone.expect"] {
        let (code, _, err) = check(folder.path(), &["up.pcap", "--expect", file], b"");
        assert_eq!(code, 2);
        assert!(err.contains("[S021]"), "{err}");
    }
}

/// What `record` drafts of a capture, `check` finds to be so.
#[cfg(target_os = "linux")]
#[test]
fn a_draft_of_each_reference_capture_passes() {
    let references = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/reference");
    let folder = tempfile::tempdir().unwrap();
    for name in netlab_capture::scenario::catalogue() {
        let capture = references.join(format!("{name}.pcapng"));
        let output = Command::cargo_bin("netlab-capture")
            .unwrap()
            .arg("record")
            .arg(&capture)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{name}");
        let draft = String::from_utf8(output.stdout).unwrap();
        assert!(draft.contains("exactly {"), "{name}: {draft}");
        std::fs::write(folder.path().join("draft.expect"), &draft).unwrap();
        let words = [capture.to_str().unwrap(), "--expect", "draft.expect"];
        let (code, out, err) = check(folder.path(), &words, b"");
        assert_eq!(code, 0, "{name}: {draft}\n{out}{err}");
    }
}

/// What a page was made with.
fn page_data(path: &Path) -> serde_json::Value {
    let html = std::fs::read_to_string(path).unwrap();
    let (_, rest) = html.split_once("id=\"data\">").unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
}

#[test]
fn a_page_of_standard_input_has_its_packets() {
    use base64::Engine as _;
    use std::io::Read as _;

    let bytes = reference("tcp-refused");
    let folder = folder(&[]);
    // Beside standard input lies no recording, whatever is called like it.
    std::fs::write(folder.path().join("-.json"), "{}").unwrap();
    let (code, out, err) = check(folder.path(), &["-", "--html", "a.html"], &bytes);
    assert_eq!((code, &err[..]), (0, ""), "{out}");
    let data = page_data(&folder.path().join("a.html"));
    let run = &data["runs"][0];
    assert_eq!(run["name"], "standard input");
    assert!(
        run["report"].get("packets").is_none(),
        "they are read from it"
    );
    let packed = base64::prelude::BASE64_STANDARD.decode(run["capture"].as_str().unwrap());
    let mut held = Vec::new();
    flate2::read::GzDecoder::new(&packed.unwrap()[..])
        .read_to_end(&mut held)
        .unwrap();
    assert_eq!(held, bytes);
}

/// A program that is not ours has written over the packets, and the recording
/// still lies beside them.
#[test]
fn a_recording_beside_other_packets_proves_nothing_of_them() {
    let bytes = reference("tcp-refused");
    let (mut own, mut other) = (Vec::new(), Vec::new());
    let recording = netlab_capture::savefile::packets_only(&bytes[..], &mut own).unwrap();
    let recording = serde_json::to_vec(&recording.unwrap()).unwrap();
    netlab_capture::savefile::packets_only(&reference("http-ok")[..], &mut other).unwrap();
    let folder = folder(&[
        ("own.pcap", &own),
        ("own.pcap.json", &recording),
        ("other.pcap", &other),
        ("other.pcap.json", &recording),
    ]);
    for (file, exit, complete) in [("own.pcap", 0, true), ("other.pcap", 5, false)] {
        let (code, out, err) = check(folder.path(), &[file, "--json"], b"");
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(report["capture"]["proof"]["complete"], complete, "{file}");
        assert_eq!(code, exit, "{file}: {err}");
    }
}

/// Of a long capture only what is shown is made ready: the counts beside the
/// gaps are those of the capture all the same.
#[test]
fn the_gaps_of_a_long_ladder_are_counted_in_the_capture() {
    let raw_ip = InterfaceDescription {
        name: String::new(),
        link_type: 101,
        snaplen: 0,
    };
    let mut writer = pcap::Writer::new(Vec::new(), &raw_ip).unwrap();
    for number in 1..=2000_i64 {
        let payload: &[u8] = if number == 1500 { b"odd one" } else { b"like" };
        let len = 28 + payload.len() as u8;
        let mut frame = vec![0x45, 0, 0, len, 0, 0, 0, 0, 64, 17, 0, 0];
        frame.extend([127, 0, 0, 1, 127, 0, 0, 1]);
        frame.extend([0x9c, 0x40, 0x2e, 0xe0, 0, len - 20, 0, 0]);
        frame.extend(payload);
        let time = Timestamp(number * 1_000_000);
        writer
            .write_frame(time, frame.len() as u32, &frame)
            .unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.pcap");
    std::fs::write(&path, writer.into_inner()).unwrap();
    let output = Command::cargo_bin("netlab-capture")
        .unwrap()
        .arg("check")
        .arg(&path)
        .args(["-e", "no udp.length == 15"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8(output.stdout).unwrap();
    for part in [
        "1,455 packets not shown here",
        "477 packets not shown here",
        "There is one: packet 1500.",
        "· 2,000 packets",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn statements_read_files_of_the_current_folder_and_those_of_the_capture() {
    let folder = folder(&[
        ("http.pcapng", &reference("http-ok")),
        ("up.pcapng", &reference("tcp-upper")),
        ("line.txt", b"HELLO, WORLD!\n"),
    ]);
    let statement = "stream(server > client) == file(\"line.txt\")";
    let (code, out, err) = check(folder.path(), &["up.pcapng", "-e", statement], b"");
    assert_eq!(code, 0, "{out}{err}");
    let statement = "trim(http[0].response.body) == trim(file(\"../www/HelloWorld.html\"))";
    let (code, out, err) = check(folder.path(), &["http.pcapng", "-e", statement], b"");
    assert_eq!(code, 0, "{out}{err}");
    let statement = "stream(server > client) == file(\"lines.txt\")";
    let (code, _, err) = check(folder.path(), &["up.pcapng", "-e", statement], b"");
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("[S021]") && err.contains("-e:1:34"), "{err}");
    assert!(err.contains("current folder"), "{err}");
}

#[test]
fn what_is_probably_not_meant_is_told_once() {
    let folder = folder(&[("up.pcapng", &reference("tcp-upper"))]);
    let words = ["up.pcapng", "up.pcapng", "-e", "no tcp.flags.reset"];
    let (code, _, err) = check(folder.path(), &words, b"");
    assert_eq!(code, 1, "{err}");
    assert_eq!(err.matches("[W001]").count(), 1, "{err}");
}

#[test]
fn a_byte_order_mark_is_no_mistake() {
    let folder = folder(&[
        ("up.pcapng", &reference("tcp-upper")),
        ("bom.expect", b"\xef\xbb\xbf# nobody resets\r\nno RST\r\n"),
    ]);
    let words = ["up.pcapng", "--expect", "bom.expect"];
    let (code, out, err) = check(folder.path(), &words, b"");
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("nobody resets"), "{out}");
}

#[test]
fn a_role_at_an_address_that_is_in_no_packet_proves_nothing() {
    let folder = folder(&[("up.pcap", &without_recording(&["tcp-upper"]))]);
    let absence = "no server > client RST";
    let words = ["up.pcap", "--role", "server=:12001", "-e", absence];
    let (code, out, err) = check(folder.path(), &words, b"");
    assert_eq!(code, 2, "{out}{err}");
    assert!(
        err.contains("[S024]") && err.contains("--role server=127.0.0.1:12000"),
        "{err}"
    );
    // Who does not speak of it need not mind.
    let words = [
        "up.pcap",
        "--role",
        "server=:12001",
        "-e",
        "no any > any RST",
    ];
    let (code, out, err) = check(folder.path(), &words, b"");
    assert_eq!(code, 0, "{out}{err}");
}

/// Regression: `no server > client RST` passed where `client` had taken both ends.
#[test]
fn a_role_without_an_end_of_its_own_proves_nothing() {
    let (refused, upper) = (["tcp-refused"], ["tcp-upper"]);
    let folder = folder(&[
        ("refused.pcap", &without_recording(&refused)),
        ("upper.pcap", &without_recording(&upper)),
    ]);
    let judged = |roles: &[&str], statement: &str| {
        let file = match statement.contains("RST") {
            true => "refused.pcap",
            false => "upper.pcap",
        };
        let mut words = vec![file, "-e", statement];
        for role in roles {
            words.extend(["--role", role]);
        }
        let (code, out, err) = check(folder.path(), &words, b"");
        (code, format!("{out}{err}"))
    };
    let statement = "no server > client RST";
    // A port tells more than an address, whichever is given first.
    let both = ["client=127.0.0.1", "server=:12000"];
    for roles in [both, [both[1], both[0]]] {
        let (code, told) = judged(&roles, statement);
        assert_eq!(code, 1, "{told}");
    }
    for (roles, statement) in [
        ("server=127.0.0.1", statement),
        ("web=:12000", "no server > client data"),
        ("client=:12000", "no client > server SYN"),
    ] {
        let (code, told) = judged(&[roles], statement);
        assert_eq!(code, 2, "{roles:?}: {told}");
        assert!(told.contains("[S024] Error: no end is left for"), "{told}");
    }
    // Who speaks of no such role need not mind.
    let (code, told) = judged(&["web=:12000"], "no web > client data");
    assert_eq!(code, 1, "{told}");
    // Who is looked for is offered where such are.
    let (_, told) = judged(&["client=10.0.0.9"], statement);
    assert!(!told.contains("--role client=127.0.0.1:12000"), "{told}");
    let (_, told) = judged(&["client=fd00::1:1111"], statement);
    assert!(told.contains("`client=[fd00::1]:1111`"), "{told}");
}

#[test]
fn a_role_cannot_have_a_name_that_means_something_else() {
    for role in [
        "any=:1",
        "tcp=:1",
        "nothing=:1",
        "2c=:1",
        "SYN=:1",
        "GET=:1",
        "x2=:1",
    ] {
        let (code, _, err) = check(Path::new("."), &["x.pcap", "--role", role], b"");
        assert_eq!(code, 2, "{role}: {err}");
        assert!(err.contains("--role"), "{role}: {err}");
    }
}

#[test]
fn a_filter_that_sees_quoted_headers_says_so_of_icmpv6_too() {
    for (name, leaves_out) in [
        ("udp-no-server", "and not icmp`"),
        ("udp-no-server-ipv6", "and not icmpv6`"),
    ] {
        let folder = folder(&[("x.pcapng", &reference(name))]);
        let words = ["x.pcapng", "-e", "packets(udp.port == 12000) == 1"];
        let (code, out, err) = check(folder.path(), &words, b"");
        assert_eq!(code, 1, "{out}{err}");
        let one_line = out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(one_line.contains(leaves_out), "{out}");
    }
}
