//! What only all programs together can have wrong: none at all, and an order
//! of starting that never comes to an end.

use super::program::Read;
use super::reader::{Entry, Reader, entries};
use super::{After, codes};
use crate::diagnostic::nearest;

/// What only all programs together can have wrong.
pub(super) fn check_programs(reader: &mut Reader<'_>, fields: &[Entry<'_>], programs: &[Read]) {
    let table = fields.iter().find(|field| field.name == "program");
    let declared: Vec<&str> = table
        .and_then(|field| field.value.as_table())
        .map(entries)
        .unwrap_or_default()
        .iter()
        .map(|entry| entry.name)
        .collect();
    if declared.is_empty() && table.is_none_or(|field| field.value.is_table()) {
        let at = table.map_or(reader.text.len(), |field| field.key.start);
        let end = table.map_or(reader.text.len(), |field| field.key.end);
        reader.absent(
            codes::MISSING,
            at..end,
            "a scenario needs at least one program",
            "no [program.…] in this file",
            Some("write [program.client] and below it run = \"…\"".to_owned()),
        );
    }
    for read in programs {
        check_after(reader, &declared, programs, read);
    }
}

fn check_after(reader: &mut Reader<'_>, declared: &[&str], programs: &[Read], read: &Read) {
    let Some(after) = &read.spec.after else {
        return;
    };
    let (After::Ready(role) | After::Exit(role)) = after;
    if !declared.contains(&role.as_str()) {
        let help = match nearest(role, declared.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the programs of this file are: {}", declared.join(", ")),
        };
        let message = format!("`after` waits for a program `{role}` that is not in this file");
        reader.absent(
            codes::AFTER,
            read.after.clone(),
            message,
            "unknown program",
            Some(help),
        );
        return;
    }
    if let Some(ring) = waits_for_itself(programs, &read.spec.role) {
        reader.error(
            codes::AFTER,
            read.after.clone(),
            format!("these programs wait for each other: {ring}"),
            "none of them would ever start",
            Some("let one of them start without `after`".to_owned()),
        );
        return;
    }
    let stopped = programs
        .iter()
        .any(|other| other.spec.role == *role && other.spec.stop.is_some());
    if stopped && matches!(after, After::Exit(_)) {
        reader.error(
            codes::AFTER,
            read.after.clone(),
            format!("`{role}` has `stop`: it is ended only when every other program is over"),
            "this would never come true",
            Some(format!("wait for \"{role} ready\" instead")),
        );
    }
}

/// The ring of `after`s that leads back to `role`: `a → b → a`.
fn waits_for_itself(programs: &[Read], role: &str) -> Option<String> {
    let mut ring = vec![role];
    let mut at = role;
    for _ in programs {
        let read = programs.iter().find(|read| read.spec.role == at)?;
        let (After::Ready(next) | After::Exit(next)) = read.spec.after.as_ref()?;
        ring.push(next);
        at = next;
        if at == role {
            return Some(ring.join(" → "));
        }
    }
    None
}
