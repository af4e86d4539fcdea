//! Own programs in a scenario, runs repeated, and scenario files to start from.

use std::fs;

use crate::programs::{netlab, stderr};
use crate::record::{Folder, reports, verdict};

/// A program that fails every other time it is run: it toggles a file.
const FLAKY: &str = "
[program.client]
run = '''sh -c 'if rm toggle 2>/dev/null; then exit 1; else touch toggle; fi' '''
cwd = '.'
";

#[test]
fn repeated_runs_are_counted_and_a_flaky_program_is_shown_as_flaky() {
    let folder = Folder::new();
    let file = folder.file("flaky.toml", FLAKY);
    let out = folder.path().join("out");
    let run = |words: &[&str]| {
        let mut command = netlab(&["run", "--jobs", "1", "--out"]);
        command.arg(&out).arg(&file).args(words).output().unwrap()
    };
    let captures = || {
        let mut names: Vec<String> = fs::read_dir(&out)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let _ = fs::remove_dir_all(&out);
        names
    };
    let output = run(&["--repeat", "4", "--keep", "failed"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let last = text.lines().last().unwrap();
    assert!(
        last.contains("4 runs: 2 passed · 2 failed  flaky: 50.0 % did not pass"),
        "{text}"
    );
    // The first failure in full, the second in a line.
    assert_eq!(
        text.matches("ended with exit code 1, not 0").count(),
        1,
        "{text}"
    );
    assert_eq!(captures(), ["flaky.0002.pcapng", "flaky.0004.pcapng"]);

    let output = run(&["--until-fail", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(reports(&output).len(), 2);
    assert!(
        stderr(&output).contains("2 runs: 1 passed · 1 failed"),
        "{}",
        stderr(&output)
    );
    assert_eq!(captures(), ["flaky.0001.pcapng", "flaky.0002.pcapng"]);

    // One that never fails ends at the bound.
    let steady = folder.file("steady.toml", "[program.client]\nrun = 'true'\n");
    let output = netlab(&[
        "run",
        "--until-fail",
        "--repeat",
        "3",
        "--pcap",
        "--keep",
        "failed",
        "--out",
    ])
    .arg(&out)
    .arg(&steady)
    .output()
    .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("3 runs: 3 passed\n"), "{text}");
    assert_eq!(captures(), [""; 0]);
}

#[test]
fn a_server_on_another_port_does_not_keep_its_client_waiting() {
    let folder = Folder::new();
    let (_, report) = folder.run_text(
        "elsewhere",
        "
timeout = '20s'
[program.server]
run = 'netlab-capture tcp-server {address} 12001'
ready = { tcp = 12000 }
stop = 'TERM'
[program.client]
run = 'netlab-capture tcp-client {address} 12000'
stdin = 'x'
after = 'server ready'
[expect]
\"it is served\" = 'in order { client > server:12000 SYN }'
",
    );
    assert_eq!(report["verdict"], "fail");
    // The wire is judged, long before the time is up.
    assert_eq!(report["capture"]["packets"], 2);
    assert!(
        report["duration_ms"].as_f64().unwrap() < 10_000.0,
        "{report}"
    );
    let text = report.to_string();
    assert!(
        text.contains("server listens on port 12001, but client tried port 12000"),
        "{text}"
    );
}

#[test]
fn what_does_not_fit_the_scenario_is_refused_before_anything_runs() {
    for (words, said) in [
        (&["--server", "x"][..], "has no program called `server`"),
        (&["--program", "clinet=x"], "did you mean `client`?"),
        (&["--client", "a | b"], "no shell runs"),
        (&["--client", "a 'b"], "--client"),
        (
            &["--stdin", "@/no/such/file"],
            "`/no/such/file` cannot be read: No such file",
        ),
        (
            &["--cwd", "/no/such/folder"],
            "there is no folder `/no/such/folder`",
        ),
        (&["--host-name", "a/b=127.0.0.1"], "cannot be a host's name"),
        (&["--host-name", "a=b"], "invalid IP address"),
        (&["--env", "=x"], "NAME=VALUE"),
        (&["--address", "10.0.4"], "invalid"),
    ] {
        let output = netlab(&["run", "tcp-refused", "--out", "/proc/none"])
            .args(words)
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(2),
            "{words:?} {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains(said),
            "{words:?} {}",
            stderr(&output)
        );
    }
}

#[test]
fn environment_folder_input_and_terminal_reach_own_programs() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("inside")).unwrap();
    let inside = folder.path().join("inside");
    let show =
        r#"sh -c 'basename "$PWD"; echo $WHO; cat; test -t 0 && test -t 1 && echo terminal'"#;
    let (output, reports) = folder.run(&[
        "tcp-refused",
        "--client",
        show,
        "--cwd",
        inside.to_str().unwrap(),
        "--env",
        "WHO=me",
        "--stdin",
        "typed",
        "--pty",
    ]);
    let report = &reports[0];
    assert_eq!(
        report["programs"][0]["stdout"],
        "inside\nme\ntyped\nterminal\n",
        "{report} {}",
        stderr(&output)
    );
    // The file tells what stood in for the scenario's program.
    let file = folder.path().join("tcp-refused.pcapng");
    let bytes = fs::read(file).unwrap();
    let overrides = b"\"overrides\":{\"client\":\"sh -c ";
    assert!(
        bytes
            .windows(overrides.len())
            .any(|window| window == overrides)
    );
}

#[test]
fn init_writes_what_runs() {
    let folder = Folder::new();
    let init = |words: &[&str]| {
        netlab(&["init"])
            .args(words)
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    for words in [
        &[][..],
        &["--from", "http-ok"],
        &["labs/x.toml", "--from", "tcp-upper"],
    ] {
        let output = init(words);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let again = init(words);
        assert_eq!(again.status.code(), Some(3));
        assert!(
            stderr(&again).contains("--force overwrites it"),
            "{}",
            stderr(&again)
        );
    }
    assert!(folder.path().join("www/HelloWorld.html").exists());
    for file in ["my-lab.toml", "http-ok.toml", "labs/x.toml"] {
        let path = folder.path().join(file);
        let (_, reports) = folder.run(&[path.to_str().unwrap()]);
        assert_eq!(verdict(&reports[0]), "pass", "{file}");
    }
    let wrong = init(&["--from", "tcp-uper"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr(&wrong).contains("did you mean \"tcp-upper\"?"));
}
