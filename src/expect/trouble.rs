//! What programs say on standard error when the network of a run is not the one
//! they were written for, and what to write in the scenario then.

/// What a program says, and the advice.
const TROUBLES: [(&[&str], &str); 4] = [
    (
        &[
            "name resolution",
            "Name or service not known",
            "getaddrinfo",
            "gaierror",
            "UnknownHostException",
        ],
        "No host of that name is known in the private network of a run. For a program that is to stay as it is, give it one: hosts = { NAME = \"127.0.0.1\" } at the top of the scenario.",
    ),
    (
        &["Network is unreachable", "No route to host"],
        "Only loopback is reachable in the private network of a run: 127.0.0.1 and ::1. For a program with an address of its own, write addresses = [\"ADDRESS\"] at the top of the scenario.",
    ),
    (
        &["Address already in use", "EADDRINUSE"],
        "Another socket of this run has the port: do two programs bind the same one, or one program twice? Programs outside the run cannot be in the way.",
    ),
    (
        &["Cannot assign requested address", "EADDRNOTAVAIL"],
        "That address is not on this machine's private network. Write addresses = [\"ADDRESS\"] at the top of the scenario, or use 127.0.0.1.",
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
