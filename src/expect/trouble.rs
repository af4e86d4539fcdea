//! What programs say when something went wrong that beginners often meet, or
//! when the network of a run is not the one they were written for; and what to
//! do then.

use std::net::IpAddr;
use std::sync::LazyLock;

use regex::Regex;

use super::notation::quoted;
use crate::savefile::Program;

/// What a program says, as a regular expression, and the advice. `{address}` in
/// the advice is the address that the program names. The first that fits is
/// meant.
const TROUBLES: [(&str, &str); 24] = [
    (
        r#"File "<string>", line 1"#,
        "In Python 2 input() takes the line for program text: there it is raw_input(). Or run the program with python3.",
    ),
    (
        r"name 'raw_input' is not defined|Missing parentheses in call to '(print|exec)'|multiple exception types must be parenthesized|unsupported operand type\(s\) for >>: 'builtin_function|No module named '(urllib2|httplib|SocketServer|BaseHTTPServer|SimpleHTTPServer|thread|Queue|StringIO|commands)'|name '(unicode|xrange|unichr)' is not defined",
        "This is Python 2, and was run by Python 3: run it with python2 where there is one; or write input() for raw_input(), print(...) for print, and encode() what is sent.",
    ),
    (
        r"a bytes-like object is required|can't concat (str to bytes|bytes to str)|must be str, not bytes|can only concatenate str \(not .bytes.\)|first arg must be bytes|does not support the buffer interface|'str' object has no attribute 'decode'|'bytes' object has no attribute 'encode'|argument should be integer or bytes-like object|cannot use a string pattern on a bytes-like",
        "What is sent are bytes: send(sentence.encode()), and recv(1024).decode() to get text back.",
    ),
    (
        r"UnicodeDecodeError|UnicodeEncodeError|codec can't (de|en)code|UnmappableCharacterException|MalformedInputException",
        "Text and bytes were taken in different encodings: use the same on both sides, encode('utf-8') and decode('utf-8').",
    ),
    (
        r"EOFError|EOF when reading a line|NoSuchElementException",
        "It reads a line that nobody types. Type it: --stdin 'TEXT' on the command line (--stdin server='TEXT' for the server), once for each line; or stdin = \"TEXT\\n\" in the scenario, with a line for each that it reads.",
    ),
    (
        r"invalid literal for int\(\)|could not convert string to float|NumberFormatException|InputMismatchException",
        "It took a line that was typed, or a word of its command line, for a number, and it is none. Type what it asks for, in that order, each line by a --stdin: --stdin 12000 --stdin 'TEXT'.",
    ),
    (
        r"(?s)sys\.argv.*IndexError|ArrayIndexOutOfBoundsException|(?im)^\W*usage\b",
        "It takes something from its command line, often an address or a port: write it behind the program's name, as in --server 'python3 WebServer.py 8080'.",
    ),
    (
        r"name resolution|Name or service not known|getaddrinfo|gaierror|UnknownHost|ENOTFOUND|EAI_AGAIN|no such host|(?i:unknown host)",
        "No host of that name is known in the private network of a run. For a program that is to stay as it is, give it one: --host-name NAME=127.0.0.1 on the command line, or hosts = { NAME = \"127.0.0.1\" } at the top of the scenario.",
    ),
    (
        r"(?i)network is unreachable|no route to host|ENETUNREACH|EHOSTUNREACH",
        "Only loopback is reachable in the private network of a run: 127.0.0.1 and ::1. For a program with an address of its own: --address {address} on the command line, or addresses = [\"{address}\"] at the top of the scenario.",
    ),
    (
        r"(?i)address already in use|EADDRINUSE",
        "Another socket of this run has the port: do two programs bind the same one, or one program twice? Programs outside the run cannot be in the way.",
    ),
    (
        r"(?i)cannot assign requested address|EADDRNOTAVAIL",
        "The private network of a run does not have that address. Give it to it: --address {address} on the command line, or addresses = [\"{address}\"] at the top of the scenario; or use 127.0.0.1.",
    ),
    (
        r"Destination address required|EDESTADDRREQ",
        "A UDP socket that is not connected must say whom it sends to: sendto(data, address). A server answers to the address that recvfrom() gave it.",
    ),
    (
        r"(?i)transport endpoint is not connected|ENOTCONN",
        "That socket has no connection. A TCP server receives and sends on the socket that accept() gave it, not on the one that listens; a UDP socket uses sendto() and recvfrom(), and has nothing to shut down.",
    ),
    (
        r"(?i)operation not supported|EOPNOTSUPP",
        "listen() and accept() are for TCP (SOCK_STREAM). A UDP server (SOCK_DGRAM) binds its port, and receives with recvfrom().",
    ),
    (
        r"(?i)bad file descriptor|EBADF|socket( is)? closed|SocketException: Closed",
        "It used a socket that it had closed already: is close() where the loop, or another thread, still needs the socket?",
    ),
    (
        r"(?i)connection reset by peer|ECONNRESET",
        "The other side had closed the connection without reading everything, or had ended: look at what it did before.",
    ),
    (
        r"(?i)broken pipe|EPIPE",
        "It sent on a connection that the other side had closed: look at what that side did before.",
    ),
    (
        r"(?i)address family (for hostname )?not supported|EAFNOSUPPORT|ENOTSUP",
        "Both sides must use the same kind of address: IPv4 (AF_INET, 127.0.0.1), or IPv6 (AF_INET6, ::1) and --ipv6.",
    ),
    (
        r"Non-UTF-8 code starting with|cannot contain null bytes",
        "The file is not saved as UTF-8: do that in the editor, by \"Save as\" or \"Encoding\".",
    ),
    (
        r"TabError|inconsistent use of tabs",
        "The file mixes tabs and spaces at the beginning of lines: use one of them.",
    ),
    (
        r"ModuleNotFoundError|ImportError|Cannot find module",
        "It needs a module that is not there. One of its own is looked for in the folder of the program: --env PYTHONPATH=FOLDER names another. One from elsewhere must be installed for all users.",
    ),
    (
        r"can't open file|Could not find or load main class|Unable to access jarfile",
        "The program's file was not found where the command looks for it. Paths are relative to the folder in which netlab-capture was started, or to --cwd.",
    ),
    (
        r"FileNotFoundError",
        "It opens a file that is not in the folder in which it runs. That is the one in which netlab-capture was started: --cwd FOLDER names another.",
    ),
    (
        r"UnsupportedClassVersionError",
        "It was compiled by a newer Java than the one that runs it: compile it again here, with javac.",
    ),
];

/// [`TROUBLES`], made ready once: that takes longer than to look for them.
static KNOWN: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let known = TROUBLES.into_iter();
    let ready = known.filter_map(|(says, advice)| Some((Regex::new(says).ok()?, advice)));
    ready.collect()
});

/// How a line begins or ends that a language's runtime writes about a fault which
/// nobody caught.
static UNCAUGHT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^\s*(Exception in thread .*|(\w+\.)*\w*(Error|Exception|error)\b.*|socket\.timeout.*|timeout: .*|panic: .*)$").ok()
});

/// What is said of a name that no host has.
static MISREAD: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"Name or service not known|UnknownHostException: \S+ ").ok());

static ADDRESS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\d{1,3}(\.\d{1,3}){3}").ok());

/// What a program said of its trouble, and the advice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The line, as written.
    pub line: String,
    pub advice: Option<String>,
}

/// The advice on what a program wrote, if it is known. Many catch what went wrong
/// and write it to standard output.
pub fn advise(program: &Program) -> Vec<String> {
    let outputs = [&program.stderr, &program.stdout];
    let advice = outputs.iter().find_map(|output| known(&output.lossy()));
    advice.into_iter().chain(misread(program)).collect()
}

/// A line that the program took for something else than it was: it had asked for
/// that.
fn misread(program: &Program) -> Option<String> {
    let stderr = program.stderr.lossy();
    // Of a name that could be one the system says "temporary failure".
    let is_so = MISREAD.as_ref().is_some_and(|says| says.is_match(&stderr));
    let stdout = program.stdout.lossy();
    let asked = stdout.rsplit('\n').next().unwrap_or_default().trim();
    (is_so && !asked.is_empty()).then(|| {
        format!(
            "It had asked {}: where it wants an address there, type that first: --stdin 127.0.0.1 --stdin 'TEXT'.",
            quoted(asked.as_bytes())
        )
    })
}

/// What a program that goes on said of a fault: a thread of it may have ended.
pub fn complaint(program: &Program) -> Option<Trouble> {
    let stderr = program.stderr.lossy();
    let uncaught = UNCAUGHT.as_ref()?;
    if let Some(line) = stderr.lines().rfind(|line| uncaught.is_match(line)) {
        return Some(Trouble {
            line: line.trim().to_owned(),
            advice: known(&stderr),
        });
    }
    let stdout = program.stdout.lossy();
    stdout.lines().rev().take(LINES).find_map(|line| {
        Some(Trouble {
            line: line.trim().to_owned(),
            advice: Some(known(line)?),
        })
    })
}

/// So many lines at the end of standard output are looked at.
const LINES: usize = 50;

fn known(text: &str) -> Option<String> {
    let (_, advice) = KNOWN.iter().find(|(says, _)| says.is_match(text))?;
    Some(advice.replace("{address}", &address(text).unwrap_or("ADDRESS".to_owned())))
}

/// The last address in the text that a run's network does not have by itself.
fn address(text: &str) -> Option<String> {
    let addresses = ADDRESS
        .as_ref()?
        .find_iter(text)
        .filter_map(|found| found.as_str().parse::<IpAddr>().ok())
        .filter(|address| !address.is_loopback() && !address.is_unspecified());
    addresses.last().map(|address| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::savefile::Bytes;

    fn program(stdout: &str, stderr: &str) -> Program {
        Program {
            stdout: Bytes(stdout.as_bytes().to_vec()),
            stderr: Bytes(stderr.as_bytes().to_vec()),
            ..Program::default()
        }
    }

    #[test]
    fn every_trouble_can_be_recognized() {
        assert_eq!(KNOWN.len(), TROUBLES.len());
        assert!(UNCAUGHT.is_some() && MISREAD.is_some() && ADDRESS.is_some());
    }

    #[test]
    fn a_known_trouble_gets_its_advice() {
        for (stderr, advice) in [
            (
                "socket.gaierror: [Errno -3] Temporary failure in name resolution\n",
                Some("hosts = {"),
            ),
            (
                "OSError: [Errno 98] Address already in use\n",
                Some("has the port"),
            ),
            (
                "Error: connect ENETUNREACH 192.168.2.12:12000\n",
                Some("--address 192.168.2.12"),
            ),
            (
                "    s.bind(('10.0.4.26', port))\nOSError: [Errno 99] Cannot assign requested address\n",
                Some("addresses = [\"10.0.4.26\"]"),
            ),
            (
                "    s.connect((name, port))\nOSError: [Errno 101] Network is unreachable\n",
                Some("--address ADDRESS"),
            ),
            (
                "    port = int(sys.argv[1])\nIndexError: list index out of range\n",
                Some("command line"),
            ),
            ("usage: ./client ADDRESS PORT\n", Some("command line")),
            ("IndexError: list index out of range\n", None),
            (
                "ModuleNotFoundError: No module named 'urllib2'\n",
                Some("Python 2"),
            ),
            (
                "ModuleNotFoundError: No module named 'shared'\n",
                Some("PYTHONPATH"),
            ),
            (
                "  File \"<string>\", line 1, in <module>\nNameError: name 'hello' is not defined\n",
                Some("raw_input()"),
            ),
            ("SyntaxError: invalid syntax\n", None),
            ("", None),
        ] {
            let found = advise(&program("", stderr)).join("|");
            match advice {
                None => assert_eq!(found, "", "{stderr}"),
                Some(part) => assert!(found.contains(part), "{stderr}"),
            }
        }
    }

    #[test]
    fn a_line_in_the_place_of_an_address_is_told() {
        let stderr = "socket.gaierror: [Errno -2] Name or service not known\n";
        let asked = advise(&program("Host name: ", stderr));
        assert!(asked[1].contains("had asked \"Host name:\""), "{asked:?}");
        assert_eq!(advise(&program("connecting\n", stderr)).len(), 1);
    }

    #[test]
    fn what_was_caught_and_written_to_standard_output_counts_too() {
        let caught = program("Error: [Errno 101] Network is unreachable\n", "");
        assert!(advise(&caught)[0].contains("--address"));
        assert!(
            complaint(&caught)
                .unwrap()
                .line
                .starts_with("Error: [Errno")
        );
    }

    #[test]
    fn a_thread_that_ended_is_a_complaint_and_a_log_is_none() {
        let threaded = program(
            "",
            "Exception in thread Thread-1 (serve):\nTraceback (most recent call last):\nOSError: [Errno 9] Bad file descriptor\n",
        );
        let found = complaint(&threaded).unwrap();
        assert_eq!(found.line, "OSError: [Errno 9] Bad file descriptor");
        assert!(found.advice.unwrap().contains("closed already"));
        let log = program("ready\n", "127.0.0.1 - - \"GET / HTTP/1.1\" 200 -\n");
        assert_eq!(complaint(&log), None);
    }
}
