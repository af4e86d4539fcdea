//! Captures of one HTTP transaction, among them one whose every text is an
//! attack.

use netlab_capture::savefile::{InterfaceDescription, Timestamp, pcap};

const REQUEST: &[u8] = b"GET /../..\xc2\x9b2J/../etc/passwd HTTP/1.1\r\n\
    Host: =cmd|calc\r\n\
    X-Name: \xe2\x80\xae gpj\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 200 \xc2\x9d0;owned\xc2\x9c\r\n\
    Content-Type: text/\x9bhtml\r\n\
    Content-Length: 9\r\n\r\n\x1b[31m\r\xff\xfe!";

/// Everything in it is an attack.
pub fn capture() -> Vec<u8> {
    transaction(REQUEST, RESPONSE)
}

pub fn transaction(request: &[u8], response: &[u8]) -> Vec<u8> {
    written(&connection(40_000, request, response))
}

/// A file of raw IP packets, a millisecond apart.
pub fn written(frames: &[Vec<u8>]) -> Vec<u8> {
    let interface = InterfaceDescription {
        name: String::new(),
        link_type: 101,
        snaplen: 0,
    };
    let mut writer = pcap::Writer::new(Vec::new(), &interface).unwrap();
    for (number, frame) in frames.iter().enumerate() {
        let time = Timestamp(number as i64 * 1_000_000);
        writer.write_frame(time, frame.len() as u32, frame).unwrap();
    }
    writer.into_inner()
}

/// The packets of one connection, the request the fourth of them.
pub fn connection(port: u16, request: &[u8], response: &[u8]) -> Vec<Vec<u8>> {
    let (asked, told) = (1 + request.len() as u32, 1 + response.len() as u32);
    let segment = |to_server, seq, ack, flags, data| {
        let ports = if to_server { (port, 80) } else { (80, port) };
        segment(ports, seq, ack, flags, data)
    };
    vec![
        segment(true, 0, 0, 0x02, b""),
        segment(false, 0, 1, 0x12, b""),
        segment(true, 1, 1, 0x10, b""),
        segment(true, 1, 1, 0x18, request),
        segment(false, 1, asked, 0x18, response),
        segment(false, told, asked, 0x11, b""),
        segment(true, asked, told + 1, 0x11, b""),
        segment(false, told + 1, asked + 1, 0x10, b""),
    ]
}

fn segment((src, dst): (u16, u16), seq: u32, ack: u32, flags: u8, data: &[u8]) -> Vec<u8> {
    let len = 40 + data.len() as u16;
    let mut frame = vec![0x45, 0];
    frame.extend(len.to_be_bytes());
    frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    frame.extend([127, 0, 0, 1, 127, 0, 0, 1]);
    frame.extend(src.to_be_bytes());
    frame.extend(dst.to_be_bytes());
    frame.extend(seq.to_be_bytes());
    frame.extend(ack.to_be_bytes());
    frame.extend([0x50, flags, 4, 0, 0, 0, 0, 0]);
    frame.extend(data);
    frame
}
