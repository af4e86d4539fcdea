//! `netlab-capture init`: a scenario file to start from.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::show::unknown;
use super::{Exit, output};
use crate::diagnostic::Source;
use crate::expect;
use crate::render::text::visible;
use crate::scenario;

/// Write a scenario file to start an own one from.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file [default: my-lab.toml, or NAME.toml]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Copy this built-in scenario, and the files that it refers to
    #[arg(long, value_name = "NAME")]
    from: Option<String>,
    /// Overwrite files that are there
    #[arg(long)]
    force: bool,
}

/// What `init` writes where no scenario is named.
const TEMPLATE: &str = include_str!("template.toml");

pub fn main(args: &Args) -> Exit {
    let text = match &args.from {
        None => TEMPLATE.to_owned(),
        Some(name) => match scenario::builtin(name) {
            Some(source) => source.text,
            None => {
                output::tell(&unknown(name));
                return Exit::Usage;
            }
        },
    };
    let file = args.file.clone().unwrap_or_else(|| {
        let name = args.from.as_deref().unwrap_or("my-lab");
        PathBuf::from(format!("{name}.toml"))
    });
    let mut written = String::new();
    for (path, bytes) in files(&file, text) {
        if let Err(error) = write(&path, &bytes, args.force) {
            let words = error.to_string();
            output::complain(&written);
            output::tell(&format!(
                "cannot write {}: {}{}",
                path.display(),
                output::without_number(&words),
                match error.kind() {
                    io::ErrorKind::AlreadyExists => "; --force overwrites it",
                    _ => "",
                }
            ));
            return Exit::Environment;
        }
        written += &format!("wrote {}\n", visible(&path.display().to_string()));
    }
    let run = format!(
        "Edit it, then: netlab-capture list {0} (reads it only), netlab-capture run {0}\n",
        visible(&file.display().to_string())
    );
    output::print(&(written + &run))
}

/// The scenario and the files of its expectations, which lie in `www/` beside it.
fn files(file: &Path, text: String) -> Vec<(PathBuf, Vec<u8>)> {
    let source = Source {
        name: file.display().to_string(),
        text: text.clone(),
    };
    let expectations = scenario::parse(source).and_then(|s| expect::compile(&s));
    let mut text = text;
    let mut files = Vec::new();
    for name in expect::files(&expectations.unwrap_or_default()) {
        let (Some(bytes), Some(page)) =
            (scenario::builtin_file(&name), name.strip_prefix("../www/"))
        else {
            continue;
        };
        let beside = format!("www/{page}");
        text = text.replace(&name, &beside);
        let folder = file.parent().unwrap_or(Path::new(""));
        files.push((folder.join(beside), bytes.to_vec()));
    }
    files.insert(0, (file.to_owned(), text.into_bytes()));
    files
}

fn write(path: &Path, bytes: &[u8], force: bool) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = File::options();
    match force {
        true => options.write(true).create(true).truncate(true),
        false => options.write(true).create_new(true),
    };
    options.open(path)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_a_sound_scenario() {
        let source = Source {
            name: "my-lab.toml".into(),
            text: TEMPLATE.into(),
        };
        let scenario = scenario::parse(source).unwrap();
        assert!(!expect::compile(&scenario).unwrap().is_empty());
    }

    #[test]
    fn what_a_scenario_refers_to_lies_beside_its_copy() {
        for name in scenario::catalogue() {
            let text = scenario::builtin(name).unwrap().text;
            let files = files(Path::new("lab/x.toml"), text);
            let copy = String::from_utf8(files[0].1.clone()).unwrap();
            assert!(!copy.contains("file(\"../"), "{name}");
            for (path, bytes) in &files[1..] {
                assert!(path.starts_with("lab/www"), "{name}");
                assert!(!bytes.is_empty());
            }
            assert_eq!(files.len() > 1, copy.contains("file("), "{name}");
        }
    }
}
