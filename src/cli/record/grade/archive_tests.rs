use std::io::Write;

use super::*;
use proptest::prelude::*;

const BUDGET: Budget = Budget {
    bytes: 10_000,
    entries: 20,
};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A tar file whose headers the crate would refuse to write.
fn tar_of(entries: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, kind, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o4755);
        header.set_entry_type(tar::EntryType::new(*kind));
        if *kind == b'2' || *kind == b'1' {
            header.set_link_name("/etc").unwrap();
        }
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn unpacked(bytes: &[u8], kind: Kind) -> (tempfile::TempDir, Result<(), ArchiveError>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("archive");
    fs::write(&file, bytes).unwrap();
    let to = folder.path().join("out");
    fs::create_dir(&to).unwrap();
    let result = unpack(&file, kind, &to, BUDGET);
    (folder, result)
}

#[test]
fn files_and_folders_of_each_kind() {
    let tar = tar_of(&[("lab/", b'5', b""), ("lab/a.py", b'0', b"print(1)")]);
    for (bytes, kind) in [
        (tar.clone(), Kind::Tar),
        (gzip(&tar), Kind::TarGz),
        (zip_of(&[("lab/a.py", b"print(1)")]), Kind::Zip),
    ] {
        let (folder, result) = unpacked(&bytes, kind);
        result.unwrap();
        let content = fs::read(folder.path().join("out/lab/a.py")).unwrap();
        assert_eq!(content, b"print(1)", "{kind:?}");
    }
}

#[test]
fn folders_of_windows_are_folders() {
    let bytes = zip_of(&[("Lab5\\src\\", b""), ("Lab5\\src\\a.py", b"print(1)")]);
    let (folder, result) = unpacked(&bytes, Kind::Zip);
    result.unwrap();
    assert!(folder.path().join("out/Lab5/src/a.py").is_file());
    let bytes = zip_of(&[("a\\..\\..\\evil", b"x")]);
    let (folder, result) = unpacked(&bytes, Kind::Zip);
    let message = result.unwrap_err().to_string();
    assert!(message.contains("leads out"), "{message}");
    assert!(!folder.path().join("evil").exists());
}

#[test]
fn nothing_leaves_the_folder() {
    for name in ["../evil", "/tmp/evil-of-a-tar", "a/../../evil"] {
        for (bytes, kind) in [
            (tar_of(&[(name, b'0', b"x")]), Kind::Tar),
            (zip_of(&[(name, b"x")]), Kind::Zip),
        ] {
            let (folder, result) = unpacked(&bytes, kind);
            let message = result.unwrap_err().to_string();
            assert!(message.contains("leads out"), "{kind:?} {name}: {message}");
            assert!(!folder.path().join("evil").exists());
            assert!(!Path::new("/tmp/evil-of-a-tar").exists());
        }
    }
}

#[test]
fn links_are_left_out_so_that_nothing_can_be_written_through_them() {
    let bytes = tar_of(&[
        ("link", b'2', b""),
        ("hard", b'1', b""),
        ("pipe", b'6', b""),
        ("link/evil-through-a-link", b'0', b"x"),
    ]);
    let (folder, result) = unpacked(&bytes, Kind::Tar);
    result.unwrap();
    let out = folder.path().join("out");
    assert!(out.join("link").symlink_metadata().unwrap().is_dir());
    assert!(!out.join("hard").exists() && !out.join("pipe").exists());
    assert!(!Path::new("/etc/evil-through-a-link").exists());
}

#[test]
fn a_bomb_ends_at_its_bounds() {
    let zeros = vec![0; 1_000_000];
    let tar = tar_of(&[("bomb", b'0', &zeros)]);
    for (bytes, kind) in [
        (gzip(&tar), Kind::TarGz),
        (zip_of(&[("bomb", &zeros)]), Kind::Zip),
    ] {
        let (folder, result) = unpacked(&bytes, kind);
        let message = result.unwrap_err().to_string();
        assert!(message.contains("larger than"), "{kind:?}: {message}");
        let written = fs::metadata(folder.path().join("out/bomb")).unwrap().len();
        assert!(written <= BUDGET.bytes + 1, "{written}");
    }
    let names: Vec<String> = (0..30).map(|n| format!("{n}")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), &b""[..])).collect();
    let (_, result) = unpacked(&zip_of(&many), Kind::Zip);
    assert!(result.unwrap_err().to_string().contains("more files"));
    let deep = format!("{}x", "d/".repeat(40));
    let (_, result) = unpacked(&zip_of(&[(&deep, b"")]), Kind::Zip);
    assert!(result.unwrap_err().to_string().contains("nested"));
}

#[test]
fn a_setuid_bit_is_not_unpacked() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, result) = unpacked(&tar_of(&[("run", b'0', b"x")]), Kind::Tar);
    result.unwrap();
    let mode = fs::metadata(folder.path().join("out/run"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7111, 0o0111);
}

#[test]
fn kinds_by_name() {
    assert_eq!(Kind::of("Anna Lee.ZIP"), Some((Kind::Zip, "Anna Lee")));
    assert_eq!(Kind::of("a.tar.gz"), Some((Kind::TarGz, "a")));
    assert_eq!(Kind::of("notes.txt"), None);
}

proptest! {
    /// Whatever the bytes are: an answer, and nothing beside the folder.
    #[test]
    fn any_bytes_have_an_answer(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        at in 0usize..300,
        value: u8,
    ) {
        let mut damaged = zip_of(&[("lab/a.py", b"print(1)"), ("b", b"x")]);
        if let Some(byte) = damaged.get_mut(at) {
            *byte = value;
        }
        for (bytes, kind) in [
            (&bytes, Kind::Zip),
            (&bytes, Kind::Tar),
            (&bytes, Kind::TarGz),
            (&damaged, Kind::Zip),
        ] {
            let (folder, _) = unpacked(bytes, kind);
            let names: Vec<_> = fs::read_dir(folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .collect();
            prop_assert_eq!(names.len(), 2, "{:?}", names);
        }
    }
}
