//! What a scenario asks of its private network: `addresses`, `hosts`, `sysctl`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use toml::de::DeValue;

use super::codes;
use super::reader::{Entry, Reader, entries};

/// Further addresses on `lo`.
pub(super) fn addresses<'t>(reader: &mut Reader<'t>, field: &Entry<'t>) -> Vec<IpAddr> {
    let mut out = Vec::new();
    let elements = reader.array(field, "addresses = [\"10.0.4.26\"]");
    for element in elements.unwrap_or_default() {
        let Some(address) = reader.address(&element) else {
            continue;
        };
        if out.contains(&address) {
            reader.error(
                codes::DUPLICATE,
                element.place.clone(),
                format!("the address {address} is written twice"),
                "again here",
                Some("drop one of the two".to_owned()),
            );
        }
        out.push(address);
    }
    out
}

/// Can the word be a host's name?
pub fn is_host_name(name: &str) -> bool {
    let character = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.len() <= 253 && name.chars().all(character)
}

/// Names for the private hosts file.
pub(super) fn hosts<'t>(reader: &mut Reader<'t>, field: &Entry<'t>) -> BTreeMap<String, IpAddr> {
    let mut out = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let items = reader.table(field, "hosts = { servername = \"127.0.0.1\" }");
    for item in items.unwrap_or_default() {
        if !is_host_name(item.name) {
            reader.error(
                codes::VALUE,
                item.key.clone(),
                "this cannot be a host's name",
                "letters, digits, `-`, `_` and `.` only",
                Some("as in hosts = { servername = \"127.0.0.1\" }".to_owned()),
            );
        } else if !seen.insert(item.name.to_ascii_lowercase()) {
            reader.error(
                codes::DUPLICATE,
                item.key.clone(),
                format!("the host `{}` is written twice", item.name),
                "again here; upper and lower case are the same",
                Some("drop one of the two".to_owned()),
            );
        }
        if let Some(address) = reader.address(&item) {
            out.insert(item.name.to_owned(), address);
        }
    }
    out
}

/// `sysctl = { "net.ipv4.tcp_syn_retries" = 1 }`, or with bare dotted keys,
/// which TOML reads as tables within tables.
pub(super) fn sysctl<'t>(reader: &mut Reader<'t>, field: &Entry<'t>) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let example = "sysctl = { \"net.ipv4.tcp_syn_retries\" = 1 }";
    let Some(items) = reader.table(field, example) else {
        return out;
    };
    let mut open: Vec<(String, Entry<'t>)> = items
        .into_iter()
        .map(|item| (item.name.to_owned(), item))
        .collect();
    while let Some((key, item)) = open.pop() {
        if let DeValue::Table(inner) = item.value {
            let inner = entries(inner);
            open.extend(inner.into_iter().map(|e| (format!("{key}.{}", e.name), e)));
            continue;
        }
        check_sysctl_key(reader, &key, &item);
        let value = match item.value {
            DeValue::Integer(number) => Some(number.to_string()),
            DeValue::String(text) => Some(text.to_string()),
            _ => {
                let help = format!("as in \"{}\" = 1", item.name);
                reader.wrong_type(&item, "a whole number or a string", Some(help));
                None
            }
        };
        let Some(value) = value else { continue };
        if out.insert(key.clone(), value).is_some() {
            reader.error(
                codes::DUPLICATE,
                item.key.clone(),
                format!("`{key}` is written twice"),
                "again here",
                Some("drop one of the two".to_owned()),
            );
        }
    }
    out
}

/// Only what belongs to the private network can be set, and nothing that is a
/// path elsewhere.
fn check_sysctl_key(reader: &mut Reader<'_>, key: &str, item: &Entry<'_>) {
    let character = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let sound = key
        .split('.')
        .all(|part| !part.is_empty() && part.chars().all(character));
    if key.starts_with("net.") && sound {
        return;
    }
    reader.error(
        codes::SYSCTL,
        item.key.clone(),
        format!("`{key}` is no setting of the private network"),
        "only names that begin with `net.`",
        Some("write it as sysctl does: \"net.ipv4.tcp_syn_retries\" = 1".to_owned()),
    );
}
