//! `netlab-capture record` of captures, and `fields`.

use std::path::Path;

use super::diagnostics::without_recording;
use super::layout::run;

#[cfg(target_os = "linux")]
#[test]
fn a_draft_tells_the_roles_that_it_assumes() {
    let folder = tempfile::tempdir().unwrap();
    let two_servers = without_recording(&["tcp-upper", "http-ok"]);
    std::fs::write(folder.path().join("two.pcap"), two_servers).unwrap();
    let (code, draft, told) = run(folder.path(), &["record", "two.pcap"]);
    assert_eq!(code, 0, "{told}");
    std::fs::write(folder.path().join("two.expect"), &draft).unwrap();
    let command = draft
        .lines()
        .find_map(|line| line.strip_prefix("#   netlab-capture "))
        .unwrap();
    assert!(told.contains(command), "{told}");
    let words: Vec<&str> = command
        .split(' ')
        .map(|word| if word == "FILE" { "two.expect" } else { word })
        .collect();
    let (code, out, err) = run(folder.path(), &words);
    assert_eq!(code, 0, "{command}\n{out}{err}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_draft_of_nothing_says_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("none.pcap"), without_recording(&[])).unwrap();
    let (code, draft, told) = run(folder.path(), &["record", "none.pcap"]);
    assert_eq!(code, 5);
    assert!(told.contains("nothing can be demanded"), "{told}");
    assert!(draft.contains("# Nothing can be demanded"), "{draft}");
}

#[test]
fn a_field_is_found_by_a_part_of_its_name() {
    let (code, out, _) = run(Path::new("."), &["fields", "syn"]);
    assert_eq!(code, 0);
    assert!(out.contains("tcp.flags.syn "), "{out}");
}
