//! `list` and `show`.

use assert_cmd::Command;

fn run(words: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::cargo_bin("netlab-capture")
        .unwrap()
        .args(words)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn list_aligns_names_and_titles() {
    let (code, out, err) = run(&["list"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(out.lines().count(), 9);
    assert!(
        out.contains("tcp-refused            TCP client before server\n"),
        "{out}"
    );
    let column = |line: &str| {
        line.find("  ")
            .map(|at| line[at..].len() - line[at..].trim_start().len() + at)
    };
    let columns: Vec<_> = out.lines().map(column).collect();
    assert!(columns.windows(2).all(|pair| pair[0] == pair[1]), "{out}");
}

#[test]
fn list_json_is_one_document_on_each_line() {
    let (code, out, _) = run(&["list", "--json", "tcp-refused", "udp-upper"]);
    assert_eq!(code, Some(0));
    let lines: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["name"], "tcp-refused");
    assert_eq!(lines[0]["title"], "TCP client before server");
    assert_eq!(lines[0]["source"], "builtin:tcp-refused");
    assert!(lines[1]["question"].is_string());
}

#[test]
fn show_prints_the_file_itself() {
    let (code, out, _) = run(&["show", "tcp-refused"]);
    assert_eq!(code, Some(0));
    assert_eq!(out, include_str!("../../scenarios/tcp-refused.toml"));
}

#[test]
fn show_answer_prints_question_and_answer() {
    let (code, out, _) = run(&["show", "--answer", "tcp-refused"]);
    assert_eq!(code, Some(0));
    assert!(
        out.starts_with("TCP client before server\n\nSuppose you run TCPClient"),
        "{out}"
    );
    assert!(out.contains("ECONNREFUSED"), "{out}");
}

#[test]
fn an_unknown_name_gets_the_nearest() {
    let (code, out, err) = run(&["show", "tcp-refusd"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("did you mean \"tcp-refused\"?"), "{err}");
    let (code, _, err) = run(&["list", "tcp-refusd"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("did you mean `tcp-refused`?"), "{err}");
}
