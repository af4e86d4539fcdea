//! Our reference captures open in tshark as we mean them.

use std::fs::File;

use netlab_capture::trace;

use crate::inputs::references;
use crate::tshark::{self, tshark};

/// No warning, as many packets as we list, and on each the comment that says
/// whose it is.
#[test]
fn tshark_opens_each_without_a_warning_and_shows_its_comments() {
    if !tshark::available() {
        return;
    }
    for input in references() {
        let name = &input.name;
        let file = File::open(&input.path).unwrap();
        let trace = trace::read(file, name, None).unwrap();
        let path = input.path.to_str().unwrap();
        let arguments = ["-r", path, "-n", "-T", "fields", "-e", "frame.comment"];
        let output = tshark(arguments);
        assert_eq!(
            (output.code, output.stderr.as_str()),
            (Some(0), ""),
            "{name}"
        );
        let comments: Vec<&str> = output.stdout.lines().collect();
        assert_eq!(comments.len(), trace.packets.len(), "{name}");
        for (index, comment) in comments.iter().enumerate() {
            let from = trace.owner_name(trace.ends[index].from);
            let role = format!("role: {from} (");
            assert!(
                comment.starts_with(&role),
                "{name} {}: {comment}",
                index + 1
            );
            assert!(comment.contains("[netlab-capture]"), "{name}: {comment}");
        }
        let asserts = comments.iter().any(|comment| comment.contains("Assert: "));
        assert!(asserts, "{name}: no evidence");
    }
}
