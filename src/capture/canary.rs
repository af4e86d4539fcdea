//! Canaries: frames of our own whose passing shows that the capture is awake
//! and has nothing left behind.
//!
//! A canary is an Ethernet frame of the type reserved for local experiments
//! (IEEE 802, 0x88B5) with a random token. It reaches no socket and no port, and
//! programs without the right to send raw frames cannot forge it.

use std::io;

const ETHER_TYPE: [u8; 2] = [0x88, 0xb5];
const HEADER: usize = 14;
const TOKEN: usize = 16;
const FRAME: usize = HEADER + TOKEN + 8;

/// The canaries of one run.
pub struct Canary {
    token: [u8; TOKEN],
}

impl Canary {
    pub fn new() -> io::Result<Canary> {
        let mut token = [0; TOKEN];
        getrandom::fill(&mut token).map_err(|e| io::Error::other(e.to_string()))?;
        Ok(Canary { token })
    }

    /// The frame of the canary with this number, for an interface whose
    /// addresses are all zero.
    pub fn frame(&self, number: u64) -> [u8; FRAME] {
        let mut frame = [0; FRAME];
        let number = number.to_be_bytes();
        let parts = ETHER_TYPE.iter().chain(&self.token).chain(&number);
        for (place, byte) in frame.iter_mut().skip(HEADER - 2).zip(parts) {
            *place = *byte;
        }
        frame
    }

    /// The number of the canary, if the frame is one of ours.
    pub fn number(&self, frame: &[u8]) -> Option<u64> {
        if frame.get(HEADER - 2..HEADER)? != ETHER_TYPE {
            return None;
        }
        if frame.get(HEADER..HEADER + TOKEN)? != self.token {
            return None;
        }
        let number = frame.get(HEADER + TOKEN..FRAME)?;
        Some(u64::from_be_bytes(number.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_knows_its_own() {
        let canary = Canary::new().unwrap();
        assert_eq!(canary.number(&canary.frame(7)), Some(7));
        let other = Canary::new().unwrap();
        assert_eq!(other.number(&canary.frame(7)), None);
        for len in 0..FRAME {
            assert_eq!(canary.number(&canary.frame(7)[..len]), None);
        }
    }
}
