//! `netlab-capture fmt` and `lint`.

use assert_cmd::Command;

/// Exit code, standard output, standard error, in a folder with these files.
pub fn run(folder: &std::path::Path, words: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("netlab-capture")
        .unwrap()
        .current_dir(folder)
        .args(words)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

const MESSY: &str = "# kept\ntitle = \"a\"  \n\n\n[program.client]\nrun = \"x\"\n\n[expect]\n\"a\" = '''\nexactly {\nclient>nobody:12000 SYN # kept too\n  nobody > client RST\n}\n'''\n";
const TIDY: &str = "# kept\ntitle = \"a\"\n\n[program.client]\nrun = \"x\"\n\n[expect]\n\"a\" = '''\nexactly {\n  client > nobody:12000  SYN # kept too\n  nobody > client        RST\n}\n'''\n";

#[test]
fn a_file_is_formatted_in_place_and_then_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lab.toml");
    std::fs::write(&path, MESSY).unwrap();
    let (code, out, _) = run(folder.path(), &["fmt", "--check", "lab.toml"]);
    assert_eq!((code, out.as_str()), (1, "lab.toml\n"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), MESSY);
    assert_eq!(run(folder.path(), &["fmt", "lab.toml"]).0, 0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), TIDY);
    assert_eq!(run(folder.path(), &["fmt", "--check", "lab.toml"]).0, 0);
}

/// What a program reads is not the layout's to change.
#[test]
fn line_ends_in_other_strings_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lab.toml");
    let stdin = "stdin = \"\"\"\r\nGET / HTTP/1.0\r\n\r\n\"\"\"";
    let text = MESSY.replace('\n', "\r\n");
    let text = text.replace("run = \"x\"", &format!("run = \"x\"\r\n{stdin}"));
    std::fs::write(&path, text).unwrap();
    assert_eq!(run(folder.path(), &["fmt", "lab.toml"]).0, 0);
    let tidy = TIDY.replace("run = \"x\"", &format!("run = \"x\"\n{stdin}"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), tidy);
    assert_eq!(run(folder.path(), &["fmt", "--check", "lab.toml"]).0, 0);
}

/// An editor of Windows ends lines with CR and LF; which of them a file has, a
/// formatted one does not tell.
#[test]
fn line_ends_are_those_of_unix() {
    let folder = tempfile::tempdir().unwrap();
    for (name, messy, tidy) in [
        ("lab.toml", MESSY, TIDY),
        ("lab.expect", "no   RST\n", "no RST\n"),
    ] {
        let path = folder.path().join(name);
        for text in [messy, tidy] {
            std::fs::write(&path, text.replace('\n', "\r\n")).unwrap();
            assert_eq!(run(folder.path(), &["fmt", "--check", name]).0, 1);
            assert_eq!(run(folder.path(), &["fmt", name]).0, 0);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), tidy);
        }
    }
}

#[test]
fn the_catalogue_is_in_order_and_nothing_in_it_will_flake() {
    let scenarios = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files: Vec<String> = std::fs::read_dir(&scenarios)
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    assert!(files.len() >= 9);
    let words = |first: &[&'static str]| {
        let mut words: Vec<&str> = first.to_vec();
        words.extend(files.iter().map(String::as_str));
        run(&scenarios, &words)
    };
    let (code, out, err) = words(&["fmt", "--check"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""));
    let (code, out, err) = words(&["lint"]);
    assert_eq!((code, out.as_str(), err.as_str()), (0, "", ""));
}

#[test]
fn what_will_flake_is_told_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "a.expect",
        "# x\nno alice > server:40000 SYN\nno tcp.flags.reset\n",
    );
    write(
        "b.toml",
        "[program.client]\nrun = \"x\"\n[expect]\n\"a\" = \"tcp[0].duration == 5ms\"\n",
    );
    let (code, _, err) = run(folder.path(), &["lint", "a.expect", "b.toml"]);
    assert_eq!(code, 1);
    for words in ["[L005]", "a.expect:2:19", "[W001]", "[L004]", "b.toml:4:15"] {
        assert!(err.contains(words), "{words}: {err}");
    }
    write("c.expect", "no RTS\n");
    for command in ["lint", "fmt"] {
        let (code, _, err) = run(folder.path(), &[command, "c.expect", "gone.toml"]);
        assert_eq!(code, 2, "{command}");
        assert!(
            err.contains("c.expect:1:4") && err.contains("gone.toml"),
            "{err}"
        );
    }
}
