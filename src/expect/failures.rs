//! The stable codes of the ways in which an expectation does not pass: `F…`
//! where it failed, `I…` where the evidence does not allow a verdict.

use crate::diagnostic::Code;

pub(super) const UNNAMED: &str = "F001";
pub(super) const SKIPPED: &str = "F002";
pub(super) const OTHER: &str = "F003";
pub(super) const MISPLACED: &str = "F004";
pub(super) const LATE: &str = "F005";
pub(super) const NEAR: &str = "F006";
pub(super) const NOT_FOUND: &str = "F007";
pub(super) const FALSE: &str = "F010";
pub(super) const NO_VALUE: &str = "F011";
pub(super) const NEGATED: &str = "F012";
pub(super) const PRESENT: &str = "F013";
pub(super) const NOT_EACH: &str = "F014";
pub(super) const EACH_OF_NONE: &str = "F015";
pub(super) const PROVES_NOTHING: &str = "F016";
pub(super) const NO_WINDOW: &str = "F017";
pub(super) const NOT_STARTED: &str = "F020";
pub(super) const NEVER_STARTED: &str = "F021";
pub(super) const KEPT_WAITING: &str = "F022";
pub(super) const NEVER_ENDED: &str = "F023";
pub(super) const ENDED_EARLY: &str = "F024";
pub(super) const EXIT_CODE: &str = "F025";
pub(super) const CRASHED: &str = "F026";
pub(super) const HUNG: &str = "F027";
pub(super) const OUTPUT: &str = "F028";
pub(super) const INCOMPLETE: &str = "I001";
pub(super) const OWNERS: &str = "I002";
pub(super) const CUT: &str = "I003";
pub(super) const MISSING_BYTES: &str = "I004";
pub(super) const EMPTY: &str = "I005";
pub(super) const UNDECIDED: &str = "I006";
pub(super) const NO_RESULT: &str = "I007";

/// Every code, in order. An example is a statement about one of the reference
/// captures.
pub const ALL: &[Code] = &[
    code(
        UNNAMED,
        "an event that no step names",
        "`exactly` accounts for every event in its scope, and here is one more. Is it the program that sends too much, then correct the program. Is it allowed, then name it in a step, with `maybe` in front where it may be absent; or use `in order`, which lets other events lie between.",
    ),
    code(
        SKIPPED,
        "a step whose event was left out",
        "The wire goes on with what a later step names: the program left this one out. If that is allowed, write `maybe` before the step.",
    ),
    code(
        OTHER,
        "another event where the step's should be",
        "Steps are compared with events in their order, and at this one they part. \"difference\" names the field in which they do, and the caret stands below the step.",
    ),
    code(
        MISPLACED,
        "an event that came, but elsewhere in the order",
        "What the step names is on the wire, before or after its turn. If the programs leave the order open, as with who closes first, use `any order`, or `<>` with `x2`.",
    ),
    code(
        LATE,
        "an event that came too late",
        "`within` counts from the event of the step before, or from that of the named step. Packet time is the only clock. A bound that must hold on a busy machine should be ten times what is usual.",
    ),
    code(
        NEAR,
        "no event fits the step, but one comes near",
        "Nothing on the wire is what the step names. Of what there is, the packet shown differs least; \"difference\" names the first field in which it does.",
    ),
    code(
        NOT_FOUND,
        "nothing of the kind was on the wire",
        "No event fits the step, nor comes near. The program that should have sent it may have ended early, or waits for something itself: look at its output and its exit code.",
    ),
    code(
        FALSE,
        "a comparison that does not hold",
        "The left side was read from the packets or programs and is shown as it is. A difference in text is marked at the first byte.",
    ),
    code(
        NO_VALUE,
        "a value that does not exist",
        "The statement asks for a conversation, message, header or exit code that is not there, so that nothing can be said of it, not even behind `not`. Conversations and messages are counted from 0.",
    ),
    code(
        NEGATED,
        "what stands behind `not` holds",
        "The statement demands that something is not so, and it is so.",
    ),
    code(
        PRESENT,
        "something that must not be there",
        "`no` found packets. The first one is shown, and the filter shows all of them in Wireshark.",
    ),
    code(
        NOT_EACH,
        "not each of them has it",
        "`each … has` holds only if all packets, conversations or messages fit. The first that does not is shown.",
    ),
    code(
        EACH_OF_NONE,
        "there is none of which it could be true",
        "A statement about each of none would prove nothing, so that it fails. Where there may be none, write `maybe each`.",
    ),
    code(
        PROVES_NOTHING,
        "an absence that proves nothing",
        "Nothing forbidden was seen, but a program did not do its work, and a program that crashed sends nothing, wanted or not. Put the program right first.",
    ),
    code(
        NO_WINDOW,
        "a part of the capture that is not there",
        "The statement is about what came before, after or between certain events, and those never came: it would prove nothing. Look for the missing event first. `until A` allows that A never comes.",
    ),
    code(
        NOT_STARTED,
        "a program that could not be started",
        "The system's reason is in the message, the command below it. Is the program there, is it executable, is its name spelled right? No shell runs: `run` names a program, not a shell command.",
    ),
    code(
        NEVER_STARTED,
        "a program whose turn never came",
        "What its `after` waits for did not happen: the other program never listened, or never ended. Look at that one first.",
    ),
    code(
        KEPT_WAITING,
        "a program that waits for data that cannot come",
        "It is blocked in a receive, all other programs are over, and the wire is quiet. A datagram that was lost is never sent again by UDP. If waiting is right, write `ends = \"waiting\"`.",
    ),
    code(
        NEVER_ENDED,
        "a program that did not end by itself",
        "It had to be stopped when all else was over. A server that never ends needs `stop = \"TERM\"` in the scenario; a client that hangs has usually missed the end of the stream.",
    ),
    code(
        ENDED_EARLY,
        "a program that ended too early",
        "With `stop` or `ends = \"waiting\"` a program must run until it is ended. A server that serves one client and exits needs no `stop`.",
    ),
    code(
        EXIT_CODE,
        "another exit code",
        "A program should end with `exit`, or with 0 where that is not written. What it wrote to standard error is shown below.",
    ),
    code(
        CRASHED,
        "a program that crashed",
        "A signal ended it, and not ours. What it wrote to standard error is shown below.",
    ),
    code(
        HUNG,
        "a program that had not ended when its time was up",
        "It usually waits for something that never comes: data that was never sent, a connection that was never closed, a line on its standard input. `timeout` gives it more time.",
    ),
    code(
        OUTPUT,
        "other output than the scenario asks for",
        "`stdout` and `stderr` in the scenario are compared with what the program wrote: as a whole, or by `contains` or `matches`. A missing newline at the end counts.",
    ),
    code(
        INCOMPLETE,
        "packets may be missing from the capture",
        "The capture is not proven complete: the kernel or the disk lost packets, the file is damaged or the run was interrupted. A missing packet could change this verdict, so that there is none. Run it again; on a busy machine with fewer jobs.",
    ),
    code(
        OWNERS,
        "nobody knows which program owned an end",
        "The expectation names a role, and the capture does not tell which program owned a socket. `check --role client=127.0.0.1:40000` tells it.",
    ),
    code(
        CUT,
        "a packet that was cut when it was captured",
        "The expectation reads bytes that are not in the file. Capture whole packets: `tcpdump -s 0`.",
    ),
    code(
        MISSING_BYTES,
        "what was sent and is not in the capture",
        "The expectation reads a stream of which a part was never captured, or could be changed by a segment, a SYN or a datagram of which packets that were captured tell. The capture was started late, or lost packets.",
    ),
    code(
        EMPTY,
        "an empty capture that does not tell whether anything ran",
        "That nothing was seen where perhaps nothing ran proves nothing.",
    ),
    code(
        UNDECIDED,
        "what this capture cannot tell",
        "The expectation asks for something that the capture does not hold, such as the exit code of a program in a capture that another tool made; or there are too many ways to match its steps.",
    ),
    code(
        NO_RESULT,
        "a program of which no result is known",
        "The run was interrupted before it had ended, or the capture was made with other programs than the scenario has.",
    ),
];

const fn code(code: &'static str, title: &'static str, explanation: &'static str) -> Code {
    Code {
        code,
        title,
        explanation,
        example: None,
        fix: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_explained() {
        assert!(ALL.windows(2).all(|two| two[0].code < two[1].code));
        assert!(ALL.iter().all(|c| c.explanation.ends_with('.')));
    }
}
