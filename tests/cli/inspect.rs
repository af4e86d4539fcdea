//! `netlab-capture inspect`: each way of showing a capture, and each error.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use netlab_capture::report::schema;
use serde_json::Value;

use crate::hostile;

/// Runs `inspect` where the repository is, so that names are as written here.
fn inspect(words: &[&str]) -> Output {
    command(words).output().unwrap()
}

fn command(words: &[&str]) -> Command {
    program(&[&["inspect"], words].concat())
}

fn program(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netlab-capture"));
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("COLUMNS", "80")
        .env("LC_ALL", "C.UTF-8")
        .env_remove("NO_COLOR")
        .stdin(Stdio::null())
        .args(words);
    command
}

/// What it says on standard output, where it succeeds and says nothing else.
fn told(words: &[&str]) -> String {
    let output = inspect(words);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {errors}");
    assert_eq!(errors, "", "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error and the exit code, where standard output stays empty.
fn refused(words: &[&str]) -> String {
    let output = inspect(words);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{words:?}");
    let errors = String::from_utf8(output.stderr).unwrap();
    format!("{errors}exit code {}", output.status.code().unwrap())
}

fn reference(name: &str) -> String {
    format!("captures/reference/{name}.pcapng")
}

fn references() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/reference");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".pcapng"))
        .map(|name| format!("captures/reference/{name}"))
        .collect();
    names.sort();
    names
}

fn lines(text: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).unwrap();
    text.lines().map(parse).collect()
}

/// A checker for one of the schema's definitions.
fn validator(definition: Option<&str>) -> jsonschema::Validator {
    let mut schema = schema();
    if let Some(definition) = definition {
        schema["$ref"] = format!("#/$defs/{definition}").into();
        for key in ["properties", "required", "type"] {
            schema.as_object_mut().unwrap().remove(key);
        }
    }
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn a_capture_at_a_glance() {
    for name in ["http-ok", "tcp-refused", "udp-no-server", "tcp-upper-ipv6"] {
        insta::assert_snapshot!(format!("summary_{name}"), told(&[&reference(name)]));
    }
}

#[test]
fn tables_of_conversations_transactions_and_packets() {
    let capture = reference("http-not-found");
    for what in ["conversations", "http", "packets"] {
        let option = format!("--{what}");
        let text = told(&[&capture, &option]);
        insta::assert_snapshot!(format!("table_{what}"), text);
        let csv = told(&[&capture, &option, "--csv"]);
        insta::assert_snapshot!(format!("csv_{what}"), csv);
    }
}

#[test]
fn no_line_is_wider_than_the_terminal_says() {
    for name in references() {
        for line in told(&[&name]).lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
}

#[test]
fn where_the_terminal_knows_only_ascii_so_does_the_text() {
    for name in references() {
        for option in ["--rows=3", "--packets", "--conversations", "--http"] {
            let output = command(&[&name, option]).env("LC_ALL", "C").output();
            assert!(output.unwrap().stdout.is_ascii(), "{name} {option}");
        }
    }
    // Mistakes were drawn with lines, fields described with an ellipsis.
    let capture = reference("http-ok");
    for words in [&["inspect", &capture, "-Y", "foo.bar"][..], &["fields"]] {
        let output = program(words).env("LC_ALL", "C").output().unwrap();
        assert!(
            output.stdout.is_ascii() && output.stderr.is_ascii(),
            "{words:?}"
        );
    }
}

#[test]
fn documents_fulfil_the_schema() {
    let validator = validator(None);
    for name in references() {
        for words in [
            vec![name.as_str(), "--json"],
            vec![&name, "--json", "--packets", "--digest"],
            vec![&name, "--json", "-Y", "tcp or icmp"],
        ] {
            let documents = lines(&told(&words));
            assert_eq!(documents.len(), 1);
            let errors: Vec<String> = validator
                .iter_errors(&documents[0])
                .map(|e| format!("{e} at {}", e.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{words:?}: {errors:#?}");
        }
    }
}

#[test]
fn each_line_is_a_part_of_the_document() {
    for name in references() {
        let document = lines(&told(&[&name, "--json", "--packets"])).remove(0);
        for (option, list, definition) in [
            ("--packets", "packets", "Packet"),
            ("--conversations", "conversations", "Conversation"),
            ("--http", "messages", "Message"),
        ] {
            let parts = lines(&told(&[&name, "--ndjson", option]));
            assert_eq!(&Value::from(parts.clone()), &document[list], "{name}");
            let validator = validator(Some(definition));
            assert!(parts.iter().all(|part| validator.is_valid(part)));
            let rows = told(&[&name, "--csv", option]);
            assert_eq!(rows.lines().count(), parts.len() + 1, "{name} {option}");
        }
        assert_eq!(
            told(&[&name, "--ndjson"]),
            told(&[&name, "--ndjson", "--packets"])
        );
    }
}

/// A thread that never had a stretch of the file told conversations with times
/// since 1970.
#[test]
fn a_thread_without_a_stretch_knows_when_the_capture_began() {
    let name = reference("tcp-upper");
    for _ in 0..50 {
        let document = lines(&told(&[&name, "--json", "--threads", "6"])).remove(0);
        assert_eq!(document["conversations"][0]["start_ms"], 0.0);
    }
}

#[test]
fn every_frame_is_accounted_for() {
    for name in references() {
        let document = lines(&told(&[&name, "--json"])).remove(0);
        let protocols = document["summary"]["protocols"].as_array().unwrap();
        let frames: u64 = protocols
            .iter()
            .map(|kind| kind["packets"].as_u64().unwrap())
            .sum();
        assert_eq!(document["capture"]["packets"], frames, "{name}");
    }
}

#[test]
fn a_filter_leaves_what_it_shows_and_what_that_belongs_to() {
    let capture = reference("http-ok");
    let shown = |filter, option| lines(&told(&[&capture, "-Y", filter, "--ndjson", option]));
    let syn = shown("tcp.flags.syn == 1", "--packets");
    assert_eq!(syn.len(), 2);
    assert!(
        syn.iter()
            .all(|packet| packet["tcp"]["flags"]["syn"] == true)
    );
    assert_eq!(shown("tcp.flags.syn == 1", "--conversations").len(), 1);
    assert_eq!(shown("tcp.flags.syn == 1", "--http").len(), 0);
    assert_eq!(shown("http.response.code == 200", "--http").len(), 1);
    assert_eq!(shown("udp", "--conversations").len(), 0);
    let document = lines(&told(&[&capture, "-Y", "tcp.flags.syn == 1", "--json"])).remove(0);
    assert_eq!(document["capture"]["displayed"], 2);
}

#[test]
fn data_is_what_nothing_else_reads() {
    for (name, count) in [("tcp-upper", 2), ("udp-upper", 2), ("http-ok", 0)] {
        let capture = reference(name);
        let shown = told(&[&capture, "-Y", "data", "--ndjson", "--packets"]);
        assert_eq!(lines(&shown).len(), count, "{name}");
        let statement = format!("packets(data.len) == {count}");
        let output = program(&["check", &capture, "-e", &statement])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{name}");
    }
}

#[test]
fn a_conversation_is_followed() {
    let capture = reference("http-ok");
    for form in ["text", "hex"] {
        let text = told(&[&capture, "--follow", "tcp:0", "--as", form]);
        insta::assert_snapshot!(format!("follow_{form}"), text);
    }
    let raw = |side| {
        let words = [
            &capture, "--follow", "tcp[0]", "--as", "raw", "--from", side,
        ];
        told(&words)
    };
    assert!(raw("client").starts_with("GET /HelloWorld.html HTTP/1.1\r\n"));
    let answer = raw("server");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    let page = include_str!("../../www/HelloWorld.html");
    assert!(answer.ends_with(page));
    let datagrams = told(&[&reference("udp-upper"), "--follow", "udp:0"]);
    assert!(
        datagrams.contains("\n> ") && datagrams.contains("\n< "),
        "{datagrams}"
    );
}

#[test]
fn bodies_go_to_files() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("new/bodies");
    let words = [&reference("http-ok"), "--extract", target.to_str().unwrap()];
    let listed = inspect(&words);
    assert!(listed.status.success());
    let path = target.join("tcp0-0-HelloWorld.html");
    let list = String::from_utf8(listed.stdout).unwrap();
    assert!(list.starts_with(path.to_str().unwrap()), "{list}");
    let page = std::fs::read_to_string(&path).unwrap();
    assert_eq!(page, include_str!("../../www/HelloWorld.html"));
    assert!(String::from_utf8_lossy(&listed.stderr).contains("1 file with"));

    // Again: nothing is overwritten.
    let again = inspect(&[words[0], words[1], words[2], "--json"]);
    let line = lines(&String::from_utf8(again.stdout).unwrap()).remove(0);
    assert_eq!(
        line["file"],
        target.join("tcp0-0-HelloWorld~2.html").to_str().unwrap()
    );
    assert_eq!(line["bytes"], page.len());

    let bound = inspect(&[words[0], words[1], words[2], "--extract-limit", "10"]);
    let errors = String::from_utf8(bound.stderr).unwrap();
    assert!(errors.contains("1 more with") && errors.contains("--extract-limit is 10 B"));
    assert_eq!(std::fs::read_dir(&target).unwrap().count(), 2);
}

#[test]
fn content_codings_are_removed_on_request() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(&[b'x'; 5000]).unwrap();
    let packed = packed.finish().unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        packed.len()
    );
    let response = [head.as_bytes(), &packed].concat();
    let capture = hostile::transaction(b"GET /a.txt HTTP/1.1\r\n\r\n", &response);
    let (folder, path) = file("x.pcap", &capture);
    let extracted = |name: &str, more: &[&str]| {
        let target = folder.path().join(name);
        let mut words = vec![
            path.to_str().unwrap(),
            "--extract",
            target.to_str().unwrap(),
        ];
        words.extend(more);
        let output = inspect(&words);
        let errors = String::from_utf8(output.stderr).unwrap();
        (std::fs::read(target.join("tcp0-0-a.txt")).ok(), errors)
    };
    assert_eq!(extracted("packed", &[]).0, Some(packed));
    assert_eq!(extracted("plain", &["--decode"]).0, Some(vec![b'x'; 5000]));
    let (file, errors) = extracted("bomb", &["--decode", "--extract-limit", "1k"]);
    assert_eq!(file, None);
    assert!(errors.contains("1 more with more than 1.0 kB"), "{errors}");
}

/// It was left out without a word.
#[test]
fn a_body_that_cannot_be_decoded_is_written_as_it_was_sent() {
    let response = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello";
    let capture = hostile::transaction(b"GET /a.txt HTTP/1.1\r\n\r\n", response);
    let (folder, path) = file("x.pcap", &capture);
    let target = folder.path().join("bodies");
    let (path, into) = (path.to_str().unwrap(), target.to_str().unwrap());
    let output = inspect(&[path, "--extract", into, "--decode"]);
    let list = String::from_utf8(output.stdout).unwrap();
    assert!(
        list.contains("(gzip: the content is damaged behind byte 0"),
        "{list}"
    );
    assert_eq!(
        std::fs::read(target.join("tcp0-0-a.txt")).unwrap(),
        b"hello"
    );
}

/// It was left out without a word, too.
#[test]
fn a_body_of_no_known_length_is_told_as_left_out() {
    let response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc";
    let capture = hostile::transaction(b"GET /a.txt HTTP/1.1\r\n\r\n", response);
    let (folder, path) = file("x.pcap", &capture);
    let target = folder.path().join("bodies");
    let (path, into) = (path.to_str().unwrap(), target.to_str().unwrap());
    let output = inspect(&[path, "--extract", into]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.contains("1 body that cannot be read left out"),
        "{errors}"
    );
}

/// `-Y http` hid the packet with its name, and showed one without.
#[test]
fn a_message_is_named_on_the_packet_that_completes_it() {
    let response = b"HTTP/1.1 200 OK\r\n\r\nuntil the end";
    let capture = hostile::transaction(b"GET /a HTTP/1.1\r\n\r\n", response);
    let (_folder, path) = file("x.pcap", &capture);
    let path = path.to_str().unwrap();
    let rows = |more: &[&str]| {
        let text = told(&[&[path, "--packets"], more].concat());
        let says = |line: &str| line.split_at(64).1.trim().to_owned();
        text.lines().skip(1).map(says).collect::<Vec<_>>()
    };
    let all = rows(&["--wide"]);
    assert!(all[4].contains("HTTP 200 OK  "), "{all:?}");
    let shown = rows(&["--wide", "-Y", "http"]);
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(shown[0].contains("GET /a"), "{shown:?}");
    assert!(shown[1].contains("FIN,ACK HTTP 200 OK, whole"), "{shown:?}");
    assert_eq!(shown[1], all[5]);
}

/// They came in the order in which they were complete.
#[test]
fn transactions_are_in_the_order_of_their_requests() {
    let response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    let [slow, quick] = [(40_000, "slow"), (40_001, "quick")].map(|(port, name)| {
        let request = format!("GET /{name} HTTP/1.1\r\n\r\n");
        hostile::connection(port, request.as_bytes(), response)
    });
    let frames = [&slow[..4], &quick[..], &slow[4..]].concat();
    let (_folder, path) = file("x.pcap", &hostile::written(&frames));
    for words in [&["--http"][..], &[]] {
        let text = told(&[&[path.to_str().unwrap()], words].concat());
        let place = |name| text.rfind(name).unwrap();
        assert!(place("/slow") < place("/quick"), "{text}");
    }
}

/// IPv6 was told by the number of its first header, ICMPv6 by its numbers.
#[test]
fn packets_of_ipv6_are_named_as_those_of_ipv4_are() {
    let ipv6 = |next: u8, payload: &[u8]| {
        let mut frame = vec![0x60, 0, 0, 0, 0, payload.len() as u8, next, 255];
        frame.extend([[0xfe; 16], [0xfd; 16]].concat());
        frame.extend(payload);
        frame
    };
    let fragment = [17, 0, 0x05, 0xc9, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8];
    let solicitation = [&[135, 0, 0, 0, 0, 0, 0, 0][..], &[0xfd; 16]].concat();
    let frames = [ipv6(44, &fragment), ipv6(58, &solicitation)];
    let (_folder, path) = file("x.pcap", &hostile::written(&frames));
    let text = told(&[path.to_str().unwrap(), "--packets", "--wide"]);
    assert!(
        text.contains("fragment of IP protocol 17 at byte 1480"),
        "{text}"
    );
    assert!(text.contains("icmpv6 neighbor-solicitation"), "{text}");
}

/// `--html *.pcap` gives it the first of them for its name.
#[test]
fn a_page_replaces_no_capture() {
    let bytes = std::fs::read(reference("tcp-refused")).unwrap();
    let (_folder, path) = file("x.pcapng", &bytes);
    let path = path.to_str().unwrap();
    let other = reference("tcp-refused");
    let cases: [&[&str]; 5] = [
        &["inspect", "--html", path, &other],
        &["inspect", path, "--html", path],
        &["view", "-o", path, path],
        &["check", &other, "--html", path],
        &["check", &other, "--junit", path],
    ];
    for words in cases {
        let output = program(words).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(
            errors.contains("it is a capture, which would be lost"),
            "{errors}"
        );
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert_eq!(std::fs::read(path).unwrap(), bytes, "{words:?}");
    }
}

/// They reached the terminal as they are.
#[test]
fn file_names_do_nothing_to_the_terminal() {
    let name = "no\u{1b}[31m\nsuch.pcap";
    for command in [
        "inspect", "view", "check", "run", "fmt", "lint", "explain", "show",
    ] {
        let output = program(&[command, name]).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_ne!(output.status.code(), Some(0), "{command}");
        assert!(!errors.contains("\u{1b}[31m"), "{command}: {errors}");
    }
    let refused = refused(&[name]);
    assert!(
        refused.starts_with(r"netlab-capture: no\x1b[31m\nsuch.pcap: "),
        "{refused}"
    );
}

/// Nothing lies before it that was not captured: the rest was never sent.
#[test]
fn a_message_that_never_ends_is_not_told_as_missing() {
    let request = b"POST /p HTTP/1.1\r\nContent-Length: 100\r\n\r\nhello";
    let (_folder, path) = file("x.pcap", &hostile::transaction(request, b""));
    told(&[path.to_str().unwrap(), "-Y", "http", "--packets"]);
}

#[test]
fn a_blank_filter_shows_all() {
    let name = reference("tcp-refused");
    for blank in ["", " \t"] {
        assert_eq!(
            told(&[&name, "--packets", "-Y", blank]),
            told(&[&name, "--packets"])
        );
    }
}

#[test]
fn digests_are_asked_for_where_they_are_shown() {
    let name = reference("http-ok");
    for words in [
        &["--json"][..],
        &["--http", "--csv"],
        &["--http", "--ndjson"],
    ] {
        let words = [&[name.as_str(), "--digest"], words].concat();
        assert_ne!(
            told(&words),
            told(&[&[name.as_str()], &words[2..]].concat())
        );
    }
    for words in [&[][..], &["--http"], &["--ndjson"], &["--html", "x.html"]] {
        let words = [&[name.as_str(), "--digest"], words].concat();
        assert!(
            refused(&words).contains("--digest is shown by --json"),
            "{words:?}"
        );
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_told_first() {
    let words = [&reference("http-ok"), "--extract", "Cargo.toml/x"];
    let refused = refused(&words);
    assert!(
        refused.contains("cannot make the folder Cargo.toml/x"),
        "{refused}"
    );
    assert!(refused.ends_with("exit code 3"), "{refused}");
}

#[test]
fn what_is_wrong_with_the_words_or_the_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "hello\n").unwrap();
    let text = text.to_str().unwrap();
    let capture = reference("tcp-refused");
    let cases: &[(&str, &[&str])] = &[
        ("no_capture", &[text]),
        ("missing", &["missing.pcap"]),
        ("folder", &["captures"]),
        ("unknown_field", &[&capture, "-Y", "tcp.flgs.syn == 1"]),
        ("broken_filter", &[&capture, "-Y", "tcp and (udp"]),
        ("no_such_conversation", &[&capture, "--follow", "tcp:5"]),
        ("no_conversation", &[&capture, "--follow", "udp:0"]),
        ("no_target", &[&capture, "--follow", "http"]),
        ("follow_two", &[&capture, &capture, "--follow", "tcp:0"]),
        ("csv_of_nothing", &[&capture, "--csv"]),
        ("two_tables", &[&capture, "--http", "--conversations"]),
        ("two_forms", &[&capture, "--json", "--ndjson"]),
        ("no_threads", &[&capture, "--threads", "0"]),
    ];
    let told: Vec<String> = cases
        .iter()
        .map(|(name, words)| format!("{name}:\n{}\n", refused(words).replace(text, "notes.txt")))
        .collect();
    insta::assert_snapshot!("mistakes", told.join("\n"));
}

#[test]
fn without_a_file_it_explains_itself() {
    let output = inspect(&[]);
    assert_eq!(output.status.code(), Some(2));
    let help = String::from_utf8(output.stderr).unwrap();
    assert!(help.contains("Usage: netlab-capture inspect"), "{help}");
    assert!(help.contains("Examples:"), "{help}");
}

#[test]
fn readers_of_json_get_a_document_about_an_error() {
    let output = inspect(&["missing.pcap", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let document = lines(&String::from_utf8(output.stdout).unwrap()).remove(0);
    assert_eq!(document["error"]["code"], "usage");
    assert!(validator(None).is_valid(&document));
    let wrong = inspect(&[&reference("http-ok"), "--json", "-Y", "tcp.flgs"]);
    let document = lines(&String::from_utf8(wrong.stdout).unwrap()).remove(0);
    assert_eq!(document["verdict"], "error");
}

/// A file in a folder of its own.
fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

#[test]
fn a_damaged_capture_is_shown_up_to_the_damage() {
    let whole = std::fs::read(reference("http-ok")).unwrap();
    let (_folder, path) = file("cut.pcapng", &whole[..whole.len() / 2]);
    let path = path.to_str().unwrap();
    let output = inspect(&[path, "--ndjson"]);
    assert_eq!(output.status.code(), Some(6));
    assert!(!lines(&String::from_utf8(output.stdout).unwrap()).is_empty());
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("is damaged at byte "), "{errors}");
    let summary = inspect(&[path]);
    assert_eq!(summary.status.code(), Some(6));
    let text = String::from_utf8(summary.stdout).unwrap();
    assert!(text.contains("Damaged at byte "), "{text}");
    let document = inspect(&[path, "--json"]);
    assert_eq!(document.status.code(), Some(6));
    let document = lines(&String::from_utf8(document.stdout).unwrap()).remove(0);
    assert_eq!(document["error"]["code"], "damaged_capture");
}

#[test]
fn what_is_cut_before_its_first_packet_is_damaged_too() {
    let whole = std::fs::read(reference("http-ok")).unwrap();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&whole).unwrap();
    let packed = packer.finish().unwrap();
    let zstd = [0x28, 0xB5, 0x2F, 0xFD, 4, 0x58];
    let classic = [0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0];
    for bytes in [&whole[..20], &packed[..15], &zstd, &classic] {
        let (_folder, path) = file("cut", bytes);
        let path = path.to_str().unwrap();
        for words in [&[path][..], &[path, "--follow", "tcp:0"]] {
            let output = inspect(words);
            assert_eq!(output.status.code(), Some(6), "{bytes:x?}");
            let errors = String::from_utf8(output.stderr).unwrap();
            assert!(errors.contains("cannot be read: "), "{errors}");
        }
        let document = inspect(&[path, "--json"]);
        let document = lines(&String::from_utf8(document.stdout).unwrap()).remove(0);
        assert_eq!(document["error"]["code"], "damaged_capture");
    }
    let mut pcapng = std::fs::read(reference("tcp-refused")).unwrap();
    pcapng[12] = 2;
    let pcap = [0xD4, 0xC3, 0xB2, 0xA1, 9, 0, 4, 0].repeat(3);
    for bytes in [pcap, pcapng] {
        let (_folder, path) = file("old", &bytes);
        let output = inspect(&[path.to_str().unwrap()]);
        assert_eq!(
            output.status.code(),
            Some(2),
            "of a version that is not known"
        );
    }
}

#[test]
fn several_files_are_shown_each_by_itself() {
    let good = reference("tcp-refused");
    let output = inspect(&[&good, "missing.pcap", &good, "--json"]);
    assert_eq!(output.status.code(), Some(2), "the worst counts");
    let documents = lines(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(documents.len(), 3);
    assert_eq!(documents[0], documents[2]);
    let tables = told(&[&good, &good, "--conversations"]);
    assert_eq!(tables.matches(&format!("{good}:\n")).count(), 2, "{tables}");
    let csv = told(&[&good, &good, "--conversations", "--csv"]);
    assert_eq!(csv.lines().count(), 3, "one line of headings");
    assert!(csv.starts_with("file,protocol,"), "{csv}");
    assert_eq!(csv.matches(&format!("\n{good},tcp,0,")).count(), 2, "{csv}");
    for option in ["--packets", "--conversations"] {
        let alone = lines(&told(&[&good, "--ndjson", option]));
        let mut both = lines(&told(&[&good, &good, "--ndjson", option]));
        for line in &mut both {
            let file = line.as_object_mut().unwrap().remove("file");
            assert_eq!(file, Some(good.as_str().into()));
        }
        assert_eq!(both, [alone.clone(), alone].concat());
    }
}

#[test]
fn standard_input_is_a_capture_too() {
    let bytes = std::fs::read(reference("http-ok")).unwrap();
    let mut child = command(&["-", "--ndjson"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, told(&[&reference("http-ok"), "--ndjson"]));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    for option in ["--ndjson", "--packets", "--json"] {
        let mut child = command(&[&reference("http-ok"), option])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{option}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{option}");
    }
}

#[test]
fn hostile_bytes_do_nothing_to_the_terminal() {
    let (folder, path) = file("hostile\u{1b}[31m.pcap", &hostile::capture());
    let path = path.to_str().unwrap();
    let extracted = folder.path().join("bodies");
    let extracted = extracted.to_str().unwrap();
    for words in [
        vec![path],
        vec![path, "--packets"],
        vec![path, "--conversations"],
        vec![path, "--http"],
        vec![path, "--packets", "--csv"],
        vec![path, "--http", "--csv"],
        vec![path, "--json", "--packets"],
        vec![path, "--ndjson"],
        vec![path, "--follow", "tcp:0"],
        vec![path, "--follow", "tcp:0", "--as", "hex"],
        vec![path, "--extract", extracted],
    ] {
        let output = inspect(&words);
        assert!(output.status.success(), "{words:?}");
        for bytes in [output.stdout, output.stderr] {
            let text = String::from_utf8(bytes).unwrap();
            // JSON escapes what is ASCII; other programs read it, not terminals.
            let json = words.contains(&"--json") || words.contains(&"--ndjson");
            let acts = |c: &char| match json {
                true => c.is_ascii_control(),
                false => c.is_control() || *c == '\u{202e}',
            };
            let bad = text.chars().filter(|c| *c != '\n').find(acts);
            assert_eq!(bad, None, "{words:?}");
        }
    }
    let names: Vec<String> = std::fs::read_dir(extracted)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, ["tcp0-0-passwd"]);
    let csv = told(&[path, "--http", "--csv"]);
    let row = csv.lines().nth(1).unwrap();
    assert!(row.contains("'=cmd|calc"), "{row}");
}

/// As `tcpdump -w - | netlab-capture inspect -` is ended by Ctrl-C.
#[cfg(target_os = "linux")]
#[test]
fn what_came_before_ctrl_c_is_shown() {
    let bytes = std::fs::read(reference("http-ok")).unwrap();
    let mut child = command(&["-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(&bytes).unwrap();
    // It waits for more by now.
    std::thread::sleep(std::time::Duration::from_millis(700));
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    let output = child.wait_with_output().unwrap();
    drop(input);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("10 packets"), "{text}");
}

/// A raw IPv4 packet: `at` is where it stands in its datagram, in units of 8 bytes, and
/// the flag of those that are not the last.
fn ip(protocol: u8, id: u16, at: u16, to_server: bool, payload: &[u8]) -> Vec<u8> {
    let ends = [[10, 0, 0, 1], [10, 0, 0, 2]];
    let (src, dst) = if to_server { (0, 1) } else { (1, 0) };
    let words = [
        0x4500,
        20 + payload.len() as u16,
        id,
        at,
        0x4000 | u16::from(protocol),
        0,
    ];
    let header = words.into_iter().flat_map(u16::to_be_bytes);
    let header = header.chain(ends[src]).chain(ends[dst]);
    header.chain(payload.iter().copied()).collect()
}

/// Nothing said of them, and what had been given up was told as unanswered.
#[test]
fn each_bound_that_was_reached_is_told() {
    let ports = |to_server: bool, server: u16| {
        let (src, dst) = if to_server {
            (5000, server)
        } else {
            (server, 5000)
        };
        [u16::to_be_bytes(src), u16::to_be_bytes(dst)].concat()
    };
    let datagram = |to_server: bool, payload: &[u8]| {
        let length = (8 + payload.len() as u16).to_be_bytes();
        let bytes = [&ports(to_server, 53), &length[..], &[0, 0], payload].concat();
        ip(17, 0, 0, to_server, &bytes)
    };
    let dns = |id: u16, flags: u16| {
        let header = [id, flags, 1, 0, 0, 0].map(u16::to_be_bytes).concat();
        [&header[..], b"\x04host\0\0\x01\0\x01"].concat()
    };
    let mut seq = [1u32, 1];
    let mut segment = |to_server: bool, payload: &[u8]| {
        let (own, other) = if to_server { (0, 1) } else { (1, 0) };
        let numbers = [seq[own], seq[other]].map(u32::to_be_bytes).concat();
        seq[own] += payload.len() as u32;
        let rest = [0x50, 0x18, 4, 0, 0, 0, 0, 0];
        let bytes = [&ports(to_server, 80), &numbers, &rest[..], payload].concat();
        ip(6, 0, 0, to_server, &bytes)
    };
    let (queries, requests, datagrams) = (4200, 1100, 16_400);
    let mut frames: Vec<Vec<u8>> = Vec::new();
    frames.extend((0..queries).map(|id| datagram(true, &dns(id, 0x0100))));
    frames.extend((0..queries).map(|id| datagram(false, &dns(id, 0x8180))));
    let get = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    frames.extend((0..requests).map(|_| segment(true, get)));
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    frames.extend((0..requests).map(|_| segment(false, answer)));
    let more_follow = 0x2000;
    frames.extend((0..datagrams).map(|id| ip(17, id, more_follow, true, &[0; 8])));
    let capture = hostile::written(&frames);
    let (_folder, path) = file("bounds.pcap", &capture);
    let path = path.to_str().unwrap();

    let document: Value = serde_json::from_str(&told(&[path, "--json"])).unwrap();
    let summary = &document["summary"];
    let reached: Vec<_> = summary["limits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|limit| {
            (
                limit["name"].as_str().unwrap(),
                limit["reached"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        reached,
        [
            ("fragmented-datagrams", 16),
            ("http-requests-waiting", 100),
            ("dns-queries-waiting", 104)
        ]
    );
    let findings = summary["findings"].to_string();
    assert!(!findings.contains("unanswered"), "{findings}");
    let text = told(&[path, "--wide"]);
    assert!(
        text.contains("\ndns-queries-waiting 4,096 was reached 104 times"),
        "{text}"
    );
    assert!(!text.contains("not seen"), "{text}");
}

/// It counted as one of 1970: a conversation of 53 years.
#[test]
fn a_packet_without_a_time_has_none() {
    let block = |kind: u32, body: &[u8]| {
        let len = (12 + body.len() as u32).to_le_bytes();
        [&kind.to_le_bytes(), &len[..], body, &len].concat()
    };
    let words =
        |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|word| word.to_le_bytes()).collect() };
    let frame = ip(17, 0, 0, true, b"\x10\0\x20\0\0\x0c\0\0four");
    let len = frame.len() as u32;
    assert_eq!(len % 4, 0);
    let timed = |microseconds: u64| {
        let (high, low) = ((microseconds >> 32) as u32, microseconds as u32);
        block(
            6,
            &[words(&[0, high, low, len, len]), frame.clone()].concat(),
        )
    };
    let simple = block(3, &[words(&[len]), frame.clone()].concat());
    let section = block(0x0A0D_0D0A, &words(&[0x1A2B_3C4D, 1, u32::MAX, u32::MAX]));
    let interface = block(1, &words(&[101, 0]));
    let begins = 1_700_000_000_000_000;
    let file_of = |packets: &[&[u8]]| [&[&section[..], &interface], packets].concat().concat();

    let bytes = file_of(&[&timed(begins), &simple, &timed(begins + 250_000)]);
    let (_folder, path) = file("simple.pcapng", &bytes);
    let path = path.to_str().unwrap();
    let document: Value = serde_json::from_str(&told(&[path, "--json", "--packets"])).unwrap();
    assert_eq!(document["summary"]["time_epoch"], 1_700_000_000.0);
    assert_eq!(document["summary"]["duration_ms"], 250.0);
    let conversation = &document["conversations"][0];
    assert_eq!(conversation["start_ms"], 0.0);
    assert_eq!(conversation["duration_ms"], 250.0);
    let frame_of = |n: usize| &document["packets"][n]["frame"];
    assert_eq!(frame_of(2)["time_relative"], 0.25);
    assert!(frame_of(1).get("time_relative").is_none());
    assert!(frame_of(1).get("time_epoch").is_none());
    for filter in ["frame.time_epoch", "frame.time_delta", "udp.time_delta"] {
        let shown = lines(&told(&[path, "--ndjson", "-Y", filter]));
        assert!(
            shown.iter().all(|packet| packet["frame"]["number"] != 2),
            "{filter}"
        );
        assert!(!shown.is_empty(), "{filter}");
    }

    let (_folder, path) = file("simple.pcapng", &file_of(&[&simple, &simple]));
    let path = path.to_str().unwrap();
    let document: Value = serde_json::from_str(&told(&[path, "--json"])).unwrap();
    assert!(document["summary"].get("time_epoch").is_none());
    assert!(document["conversations"][0].get("duration_ms").is_none());
    assert!(!told(&[path, "--wide"]).contains("1970"));
}
