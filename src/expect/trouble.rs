//! What programs say on standard error when the network of a run is not the one
//! they were written for, and what to write in the scenario then.

/// What a program says, and the advice.
const TROUBLES: [(&[&str], &str); 12] = [
    (
        &[
            "name resolution",
            "Name or service not known",
            "getaddrinfo",
            "gaierror",
            "UnknownHostException",
        ],
        "No host of that name is known in the private network of a run. For a program that is to stay as it is, give it one: --host-name NAME=127.0.0.1 on the command line, or hosts = { NAME = \"127.0.0.1\" } at the top of the scenario.",
    ),
    (
        &["Network is unreachable", "No route to host"],
        "Only loopback is reachable in the private network of a run: 127.0.0.1 and ::1. For a program with an address of its own: --address ADDRESS on the command line, or addresses = [\"ADDRESS\"] at the top of the scenario.",
    ),
    (
        &["Address already in use", "EADDRINUSE"],
        "Another socket of this run has the port: do two programs bind the same one, or one program twice? Programs outside the run cannot be in the way.",
    ),
    (
        &["Cannot assign requested address", "EADDRNOTAVAIL"],
        "The private network of a run does not have that address. Give it to it: --address ADDRESS on the command line, or addresses = [\"ADDRESS\"] at the top of the scenario; or use 127.0.0.1.",
    ),
    (
        &["EOFError", "NoSuchElementException"],
        "It reads a line that nobody types. Type it: --stdin 'TEXT' on the command line (--stdin server='TEXT' for the server), or stdin = \"TEXT\\n\" in the scenario, with a line for each that it reads.",
    ),
    (
        &[
            "name 'raw_input' is not defined",
            "Missing parentheses in call to 'print'",
        ],
        "This is Python 2, and was run by Python 3: write input() for raw_input(), print(...) for print, and encode() what is sent.",
    ),
    (
        &["a bytes-like object is required, not 'str'"],
        "What is sent are bytes: send(sentence.encode()), and recv(1024).decode() to get text back.",
    ),
    (
        &[
            "UnicodeDecodeError",
            "UnicodeEncodeError",
            "UnmappableCharacterException",
            "MalformedInputException",
        ],
        "Text and bytes were taken in different encodings: use the same on both sides, encode('utf-8') and decode('utf-8').",
    ),
    (
        &[
            "can't open file",
            "Could not find or load main class",
            "Unable to access jarfile",
        ],
        "The program's file was not found where the command looks for it. Paths are relative to the folder in which netlab-capture was started, or to --cwd.",
    ),
    (
        &["Connection reset by peer", "ECONNRESET"],
        "The other side had closed the connection without reading everything, or had ended: look at what it did before.",
    ),
    (
        &["Broken pipe", "EPIPE"],
        "It sent on a connection that the other side had closed: look at what that side did before.",
    ),
    (
        &["Address family not supported", "ENOTSUP"],
        "Both sides must use the same kind of address: IPv4 (AF_INET, 127.0.0.1), or IPv6 (AF_INET6, ::1) and --ipv6.",
    ),
];

/// The advice on what a program wrote, if it is known.
pub fn advise(stderr: &str) -> Option<String> {
    let says = |words: &&[&str]| words.iter().any(|word| stderr.contains(word));
    TROUBLES
        .iter()
        .find(|(words, _)| says(words))
        .map(|(_, advice)| (*advice).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_trouble_gets_its_advice() {
        let python = "socket.gaierror: [Errno -3] Temporary failure in name resolution\n";
        assert!(advise(python).unwrap().contains("hosts = {"));
        let bind = "OSError: [Errno 98] Address already in use\n";
        assert!(advise(bind).unwrap().contains("has the port"));
        assert_eq!(advise("SyntaxError: invalid syntax\n"), None);
    }
}
