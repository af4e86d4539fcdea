//! A class graded, for real: submissions as students hand them in, contained, with
//! every report that comes of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::programs::{netlab, stderr};
use crate::record::Folder;

const SERVER: &str = "from socket import *
s = socket(AF_INET, SOCK_STREAM)
s.bind(('', 12000))
s.listen(1)
print('The server is ready to receive')
while True:
    c, a = s.accept()
    c.send(c.recv(1024).decode().upper().encode())
    c.close()
";
const CLIENT: &str = "from socket import *
import sys
c = socket(AF_INET, SOCK_STREAM)
c.connect((sys.argv[1], int(sys.argv[2])))
c.send(input('Input lowercase sentence:').encode())
print('From Server:', c.recv(1024).decode())
c.close()
";
const SUITE: &str = "title = 'Lab 5'
[[case]]
scenario = 'tcp-upper'
run.server = ['python3 TCP*[Ss]erver*.py', 'python3 *[Ss]erver*.py']
points = 4
hint = 'Upper case?'
[[case]]
scenario = 'tcp-upper'
run.client = 'python3 *[Cc]lient*.py {address} 12000'
points = 4
[[case]]
name = 'hidden one'
scenario = 'tcp-refused'
run.client = 'python3 *[Cc]lient*.py {address} 12000'
visibility = 'hidden'
";

struct Class {
    folder: Folder,
    suite: PathBuf,
}

impl Class {
    fn new(suite: &str) -> Class {
        let folder = Folder::new();
        let suite = folder.file("lab5.toml", suite);
        fs::create_dir(folder.path().join("subs")).unwrap();
        Class { folder, suite }
    }

    fn submit(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let path = self.folder.path().join("subs").join(name);
        fs::create_dir(&path).unwrap();
        for (file, text) in files {
            fs::write(path.join(file), text).unwrap();
        }
        path
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("grades")
    }

    fn grade(&self, options: &[&str]) -> Output {
        let mut submissions: Vec<PathBuf> = fs::read_dir(self.folder.path().join("subs"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        submissions.sort();
        let mut command = netlab(&["grade"]);
        command.arg(&self.suite).args(submissions).args(options);
        if !options.contains(&"--out") {
            command.arg("--out").arg(self.out());
        }
        command.output().unwrap()
    }

    fn read(&self, path: &str) -> String {
        let path = self.out().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.read(path)).unwrap()
    }
}

/// The scores of a report, `-` where there is none.
fn scores(report: &Value) -> Vec<String> {
    let cases = report["cases"].as_array().unwrap();
    cases
        .iter()
        .map(|case| case["score"].as_f64().map_or("-".into(), |s| s.to_string()))
        .collect()
}

#[test]
fn a_wrong_half_does_not_fail_the_other_and_every_report_is_there() {
    let class = Class::new(SUITE);
    class.submit(
        "anna",
        &[("TCPServer.py", SERVER), ("TCPClient.py", CLIENT)],
    );
    let wrong = SERVER.replace(".upper()", "");
    class.submit("=<b>x", &[("server.py", &wrong), ("client.py", CLIENT)]);
    class.submit("nothing", &[("README", "sorry")]);
    let output = class.grade(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));

    assert_eq!(
        scores(&class.json("students/anna/report.json")),
        ["4", "4", "1"]
    );
    assert_eq!(
        scores(&class.json("students/__b_x/report.json")),
        ["0", "4", "1"]
    );
    let nothing = class.json("students/nothing/report.json");
    assert_eq!(scores(&nothing), ["0", "0", "0"]);
    let message = nothing["cases"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("TCP*[Ss]erver*.py") && message.contains("README"),
        "{message}"
    );

    let table = class.read("class.csv");
    assert_eq!(
        table,
        "submission,key,grade,score,points,pending,tcp-upper: server,tcp-upper: client,hidden one\n\
         '=<b>x,__b_x,fail,5,9,0,0,4,1\nanna,anna,pass,9,9,0,4,4,1\nnothing,nothing,fail,0,9,0,0,0,0\n"
    );
    for page in ["class.html", "students/__b_x/report.html"] {
        let page = class.read(page);
        assert!(
            page.contains("=&lt;b&gt;x") && !page.contains("<b>x"),
            "{page}"
        );
    }
    let text = class.read("students/__b_x/report.txt");
    assert!(text.contains("Hint: Upper case?"), "{text}");
    assert!(text.contains("expected server > client data"), "{text}");
    assert!(
        !text.contains("hidden one") && text.contains("1 more is not shown"),
        "{text}"
    );
    assert!(
        class
            .read("class.tap")
            .contains("\nok 4 - anna: tcp-upper: server\n")
    );
    assert!(
        class
            .read("junit.xml")
            .contains("tests=\"9\" skipped=\"0\" failures=\"4\" errors=\"0\"")
    );
    // Each capture is there and says the same again.
    let capture = class
        .out()
        .join("students/__b_x/1-tcp-upper__server.pcapng");
    let checked = netlab(&["check", "--json"]).arg(&capture).output().unwrap();
    assert_eq!(checked.status.code(), Some(1), "{}", stderr(&checked));
}

/// The rules of Gradescope's and GitHub Classroom's published formats.
#[test]
fn results_for_gradescope_and_classroom_keep_to_their_formats() {
    let class = Class::new(SUITE);
    class.submit("anna", &[("TCPServer.py", SERVER), ("x.py", CLIENT)]);
    let gradescope = class.folder.path().join("results.json");
    let classroom = class.folder.path().join("classroom.json");
    let output = class.grade(&[
        "--gradescope",
        gradescope.to_str().unwrap(),
        "--classroom",
        classroom.to_str().unwrap(),
        "--github",
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let results: Value = serde_json::from_slice(&fs::read(gradescope).unwrap()).unwrap();
    check_gradescope(&results);
    assert_eq!(results["score"], 4.0);
    assert_eq!(results["tests"][2]["visibility"], "hidden");
    let results: Value = serde_json::from_slice(&fs::read(classroom).unwrap()).unwrap();
    check_classroom(&results);
    assert_eq!(results["status"], "fail");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("\n::error title=anna%3A tcp-upper%3A client::No file of the submission"),
        "{said}"
    );
    assert!(!said.contains("hidden one"), "{said}");
}

/// <https://gradescope-autograders.readthedocs.io/en/latest/specs/>
fn check_gradescope(results: &Value) {
    let known = |value: &Value, keys: &[&str]| {
        for key in value.as_object().unwrap().keys() {
            assert!(keys.contains(&key.as_str()), "{key}");
        }
    };
    known(
        results,
        &[
            "score",
            "execution_time",
            "output",
            "output_format",
            "visibility",
            "stdout_visibility",
            "extra_data",
            "tests",
            "leaderboard",
        ],
    );
    assert!(results["score"].is_number());
    for test in results["tests"].as_array().unwrap() {
        known(
            test,
            &[
                "score",
                "max_score",
                "status",
                "name",
                "name_format",
                "number",
                "output",
                "output_format",
                "tags",
                "visibility",
                "extra_data",
            ],
        );
        assert!(test["max_score"].is_number() && test["name"].is_string());
        if let Some(status) = test.get("status") {
            assert!(["passed", "failed"].contains(&status.as_str().unwrap()));
        }
        let visibility = test["visibility"].as_str().unwrap();
        assert!(["hidden", "after_due_date", "after_published", "visible"].contains(&visibility));
        for format in ["name_format", "output_format"] {
            let format = test[format].as_str().unwrap();
            assert!(["text", "html", "simple_format", "md", "ansi"].contains(&format));
        }
    }
}

/// What `autograding-grading-reporter` reads (src/main.js, notify-classroom.js,
/// console-results.js).
fn check_classroom(results: &Value) {
    let statuses = ["pass", "fail", "error"];
    assert!(statuses.contains(&results["status"].as_str().unwrap()));
    assert!(results["max_score"].is_number());
    for test in results["tests"].as_array().unwrap() {
        assert!(test["name"].is_string() && test["message"].is_string());
        // It adds them up: what is no number would make the sum none.
        assert!(test["score"].is_number());
        assert!(statuses.contains(&test["status"].as_str().unwrap()));
    }
}

#[test]
fn a_build_runs_once_and_its_failure_is_told() {
    let suite = "build = 'sh build.sh'\n[[case]]\nscenario = 'tcp-refused'\nrun.client = 'python3 made.py {address} 12000'\n";
    let class = Class::new(suite);
    class.submit(
        "good",
        &[
            (
                "build.sh",
                "cp client.py made.py; echo x > /usr/made 2>/dev/null; exit 0",
            ),
            ("client.py", CLIENT),
        ],
    );
    class.submit("bad", &[("build.sh", "echo 'error: \x1b[31mno'; exit 3")]);
    let output = class.grade(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(scores(&class.json("students/good/report.json")), ["1"]);
    let text = class.read("students/bad/report.txt");
    assert!(
        text.contains("The build (sh build.sh) ended with exit code 3."),
        "{text}"
    );
    assert!(text.contains("error: \\x1b[31mno"), "{text}");
    // What was handed in is as it was.
    assert!(!class.folder.path().join("subs/good/made.py").exists());
    assert!(!class.out().join(".work").exists());
}

#[test]
fn archives_are_unpacked_and_hostile_ones_refused() {
    let class = Class::new(SUITE);
    let anna = class.submit(
        "anna-lab5",
        &[("TCPServer.py", SERVER), ("TCPClient.py", CLIENT)],
    );
    let subs = class.folder.path().join("subs");
    let packed = Command::new("tar")
        .args(["-czf", "anna.tar.gz", "anna-lab5"])
        .current_dir(&subs)
        .status()
        .unwrap();
    assert!(packed.success());
    fs::remove_dir_all(anna).unwrap();
    fs::write(subs.join("broken.zip"), "PK\x03\x04 no").unwrap();
    let packed = Command::new("tar")
        .args([
            "-cPf",
            "evil.tar",
            "--transform",
            "s,^,../../../../,",
            "../lab5.toml",
        ])
        .current_dir(&subs)
        .status()
        .unwrap();
    assert!(packed.success());
    let output = class.grade(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(
        scores(&class.json("students/anna/report.json")),
        ["4", "4", "1"]
    );
    for (key, words) in [
        ("broken", "cannot be unpacked"),
        ("evil", "leads out of its folder"),
    ] {
        let report = class.json(&format!("students/{key}/report.json"));
        assert_eq!(scores(&report), ["0", "0", "0"]);
        let message = report["cases"][0]["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn parts_that_are_merged_are_the_whole() {
    let class = Class::new(SUITE);
    for name in ["a", "b", "c", "d", "e"] {
        class.submit(name, &[("TCPServer.py", SERVER)]);
    }
    class.grade(&[]);
    let mut parts = Vec::new();
    for part in 1..=3 {
        let out = class.folder.path().join(format!("part{part}"));
        let shard = format!("{part}/3");
        let output = class.grade(&["--shard", &shard, "--out", out.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        parts.push(out);
    }
    let merged = class.folder.path().join("merged");
    let output = netlab(&["merge"])
        .args(&parts)
        .arg("--out")
        .arg(&merged)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    for file in ["class.csv", "class.html"] {
        let whole = class.read(file);
        assert_eq!(
            fs::read_to_string(merged.join(file)).unwrap(),
            whole,
            "{file}"
        );
    }
    assert!(
        merged
            .join("students/c/1-tcp-upper__server.pcapng")
            .exists()
    );
    // A part that is there twice is a mistake, not a better grade.
    let twice = netlab(&["merge"])
        .args([&parts[0], &parts[0]])
        .arg("--out")
        .arg(&merged)
        .output()
        .unwrap();
    assert_eq!(twice.status.code(), Some(2));
    assert!(
        stderr(&twice).contains("in two of the parts"),
        "{}",
        stderr(&twice)
    );
}

#[test]
fn an_interrupted_run_goes_on_and_what_changed_is_graded_anew() {
    let class = Class::new(SUITE);
    class.submit("a", &[("TCPServer.py", SERVER)]);
    let b = class.submit("b", &[("TCPServer.py", SERVER)]);
    class.grade(&[]);
    let file = class.out().join("results.jsonl");
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    assert_eq!(
        lines.len(),
        7,
        "a line for the class, and one for each case"
    );
    // As a kill in the middle of a line leaves it.
    let torn = format!("{}\n{}", lines[..4].join("\n"), &lines[5][..50]);
    fs::write(&file, torn).unwrap();
    let output = class.grade(&[]);
    assert!(
        stderr(&output).contains("3 of 6 cases were graded before"),
        "{}",
        stderr(&output)
    );
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 7);
    assert_eq!(
        scores(&class.json("students/b/report.json")),
        ["4", "0", "0"]
    );
    // Another server: only that submission is graded again.
    fs::write(b.join("TCPServer.py"), SERVER.replace(".upper()", "")).unwrap();
    let output = class.grade(&[]);
    assert!(
        stderr(&output).contains("3 of 6 cases"),
        "{}",
        stderr(&output)
    );
    assert_eq!(
        scores(&class.json("students/b/report.json")),
        ["0", "0", "0"]
    );
    // Another suite: everything.
    fs::write(&class.suite, SUITE.replace("points = 4", "points = 5")).unwrap();
    let output = class.grade(&[]);
    assert!(
        stderr(&output).contains("the suite has changed"),
        "{}",
        stderr(&output)
    );
    assert_eq!(
        scores(&class.json("students/a/report.json")),
        ["5", "0", "0"]
    );
}

/// Where no run can be made at all, nobody gets a zero.
#[test]
fn an_infrastructure_fault_is_inconclusive_and_never_a_zero() {
    let class = Class::new(&format!("readable = ['/no/such/tools']\n{SUITE}"));
    class.submit(
        "anna",
        &[("TCPServer.py", SERVER), ("TCPClient.py", CLIENT)],
    );
    let output = class.grade(&["--retries", "1"]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let report = class.json("students/anna/report.json");
    assert_eq!(scores(&report), ["-", "-", "-"]);
    assert_eq!(report["pending"], 9.0);
    assert_eq!(report["cases"][0]["attempts"], 2);
    check_gradescope(&class.json("students/anna/results.json"));
    assert!(
        class.json("students/anna/results.json")["tests"][0]
            .get("score")
            .is_none()
    );
    check_classroom(&class.json("students/anna/classroom.json"));
    assert_eq!(
        class.json("students/anna/classroom.json")["status"],
        "error"
    );
    assert!(
        class
            .read("class.csv")
            .ends_with("anna,anna,inconclusive,0,9,9,,,\n")
    );
    assert!(class.read("class.tap").contains("# SKIP"));
}

/// A submission sees itself: no other one, no suite, no result.
#[test]
fn a_submission_sees_no_other() {
    let spy = "import os
for root in ('/', '/scratch', '..', '/proc/1'):
    try:
        names = os.listdir(root)
    except OSError:
        continue
    print(root, names, flush=True)
found = [os.path.join(f, n) for f, _, names in os.walk('/scratch') for n in names]
print('mine', found, flush=True)
";
    let suite = "[[case]]\nscenario = 'spy.toml'\nrun.client = 'python3 spy.py'\n";
    let class = Class::new(suite);
    class.folder.file(
        "spy.toml",
        "answer = 'the answer'\n[program.client]\nrun = 'true'\nstdout = { matches = \"mine \\\\['/scratch/submission/spy.py'\\\\]\" }\n",
    );
    class.submit("spy", &[("spy.py", spy)]);
    class.submit("other", &[("secret.py", "")]);
    class.grade(&[]);
    let report = class.json("students/spy/report.json");
    assert_eq!(scores(&report), ["1"], "{report}");
    let text = class.json("students/spy/report.json")["cases"][0]["text"].to_string();
    for name in ["secret.py", "lab5", "results.jsonl", "the answer"] {
        assert!(!text.contains(name), "{name}: {text}");
    }
}

#[test]
fn mistakes_of_the_command_line_and_the_suite_are_told() {
    let class = Class::new(
        "[[case]]\nscenario = 'tcp-uper'\nrun.server = 'x'\n[[case]]\nscenario = 'tcp-upper'\nrun.sever = 'x'\n",
    );
    class.submit("a", &[]);
    class.submit("b", &[]);
    let output = class.grade(&[]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("tcp-uper"), "{said}");
    assert!(said.contains("did you mean `run.server`?"), "{said}");
    fs::write(&class.suite, SUITE).unwrap();
    let output = class.grade(&["--gradescope", "/dev/null"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("takes one submission, these are 2"),
        "{}",
        stderr(&output)
    );
    let output = netlab(&["grade"])
        .arg(&class.suite)
        .arg(Path::new("/etc/hostname"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("is no submission"),
        "{}",
        stderr(&output)
    );
}
