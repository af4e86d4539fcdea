//! Every file of the corpus reads without a panic, with tshark's packet count.

use std::fs::File;

use netlab_capture::decode::{checksum_status, decode};
use netlab_capture::savefile::{Reader, SavefileError};

use crate::corpus;

#[test]
fn every_corpus_file_reads_with_tsharks_packet_count() {
    let Some(entries) = corpus::entries() else {
        return;
    };
    let mut wrong = Vec::new();
    for entry in &entries {
        let (packets, note) = match read(entry) {
            Ok(read) => read,
            Err(error) => (0, error.to_string()),
        };
        eprintln!("{:>6} {} {note}", packets, entry.file);
        if packets != entry.packets {
            let expected = entry.packets;
            wrong.push(format!("{}: {packets}, tshark has {expected}", entry.file));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Decodes the whole file: packets, and the damage in words.
fn read(entry: &corpus::Entry) -> Result<(u64, String), SavefileError> {
    let mut reader = Reader::new(File::open(&entry.path).unwrap(), &entry.file)?;
    let mut packets = 0;
    while let Some(frame) = reader.next_frame()? {
        let packet = decode(&frame);
        checksum_status(&packet, frame.data);
        if let Some(tcp) = packet.tcp() {
            tcp.options(frame.data).count();
        }
        packets += 1;
        assert_eq!(packet.number, packets);
    }
    let (info, _) = reader.finish();
    assert_eq!(info.packets, packets);
    let note = info
        .damage
        .map(|damage| format!("damage at byte {}: {}", damage.offset, damage.reason));
    Ok((packets, note.unwrap_or_default()))
}
