//! Whole conversations, from packets made by hand.

mod exchanges;
mod flags;
mod holes;
mod limits;
mod numbers;
mod properties;
mod states;
mod tunnels;

use super::testing::*;
use super::*;

const C: u32 = 1000;
const S: u32 = 5000;

fn c(letters: &str, seq: u32, ack: u32, payload: &str) -> Made {
    let ack = if letters.contains('A') { S + ack } else { 0 };
    tcp(CLIENT, SERVER, letters, C.wrapping_add(seq), ack, payload)
}

fn s(letters: &str, seq: u32, ack: u32, payload: &str) -> Made {
    let ack = if letters.contains('A') { C + ack } else { 0 };
    tcp(SERVER, CLIENT, letters, S.wrapping_add(seq), ack, payload)
}

fn handshake() -> Vec<Made> {
    vec![c("S", 0, 0, ""), s("SA", 0, 1, ""), c("A", 1, 1, "")]
}

fn after_handshake(rest: Vec<Made>) -> Vec<Made> {
    let mut packets = handshake();
    packets.extend(rest);
    packets
}

fn facts(packets: Vec<Made>) -> TcpFacts {
    let (_, tracked) = track(packets);
    assert_eq!(tracked.conversations.len(), 1);
    tracked.conversations[0].tcp.clone().expect("TCP")
}
