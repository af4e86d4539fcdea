//! zstd (RFC 8878): one frame after the other, skippable ones skipped.

use std::error::Error;
use std::io::{self, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::raw::Raw;
use super::{Fault, Progress};

const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// Skippable frames: the lower half of their first byte is free.
const SKIPPABLE: [u8; 3] = [0x2A, 0x4D, 0x18];

/// An empty last block, and room for the check sum behind it.
const END_OF_FRAME: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

pub fn is_zstd(head: &[u8]) -> bool {
    head.starts_with(&MAGIC)
        || head
            .split_first()
            .is_some_and(|(first, rest)| first & 0xF0 == 0x50 && rest.starts_with(&SKIPPABLE))
}

pub struct Zstd {
    decoder: FrameDecoder,
    max_window: u64,
    /// Some of a frame is unpacked or still to be handed out.
    in_frame: bool,
    fault: Option<Fault>,
}

impl Zstd {
    pub fn new(max_window: u64) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(max_window);
        Zstd {
            decoder,
            max_window,
            in_frame: false,
            fault: None,
        }
    }

    pub fn read<R: Read>(&mut self, raw: &mut Raw<R>, room: &mut [u8]) -> io::Result<Progress> {
        loop {
            if self.decoder.can_collect() > 0 {
                let count = self.decoder.read(room)?;
                return Ok(Progress::Bytes(count));
            }
            if let Some(fault) = self.fault.take() {
                return Ok(Progress::Fault(fault));
            }
            if !self.in_frame {
                if raw.peek(1)?.is_empty() {
                    return Ok(Progress::End);
                }
                self.begin(raw)?;
            } else if self.decoder.is_finished() {
                self.in_frame = false;
                let stated = self.decoder.get_checksum_from_data();
                if stated.is_some() && stated != self.decoder.get_calculated_checksum() {
                    self.fault = Some(Fault::Corrupt("its check sum differs".to_owned()));
                }
            } else if let Err(error) = self
                .decoder
                .decode_blocks(&mut *raw, BlockDecodingStrategy::UptoBlocks(1))
            {
                self.fault = Some(self.fault(raw, &error)?);
                self.release();
            }
        }
    }

    /// Reads a frame's header.
    fn begin<R: Read>(&mut self, raw: &mut Raw<R>) -> io::Result<()> {
        let head = raw.peek(MAGIC.len())?;
        if !is_zstd(head) && !MAGIC.starts_with(head) {
            self.fault = Some(Fault::Followed);
            return Ok(());
        }
        match self.decoder.reset(&mut *raw) {
            Ok(()) => self.in_frame = true,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                if !raw.skip(u64::from(length))? {
                    self.fault = Some(Fault::Cut);
                }
            }
            Err(error) => self.fault = Some(self.fault(raw, &error)?),
        }
        Ok(())
    }

    /// What an error of the decoder means: a file that could not be read, one that
    /// ends too early, or wrong bytes.
    fn fault<R: Read>(&self, raw: &mut Raw<R>, error: &FrameDecoderError) -> io::Result<Fault> {
        if let Some(error) = raw.take_error() {
            return Err(error);
        }
        Ok(match error {
            _ if raw.ended() => Fault::Cut,
            FrameDecoderError::WindowSizeTooBig { requested, .. } => Fault::Corrupt(format!(
                "it needs a window of {requested} bytes; at most {} are given",
                self.max_window
            )),
            FrameDecoderError::DictNotProvided { .. } => {
                Fault::Corrupt("it needs a dictionary, which is not in it".to_owned())
            }
            // Others in the chain are written for programmers.
            error => {
                let mut cause: &dyn Error = error;
                while let Some(source) = cause.source() {
                    cause = source;
                }
                Fault::Corrupt(cause.to_string())
            }
        })
    }

    /// Makes the decoder give out what it keeps for blocks to come: behind a
    /// fault none do. It keeps up to a window until the frame's last block, so
    /// one is given to it.
    fn release(&mut self) {
        self.in_frame = false;
        let _ = self
            .decoder
            .decode_blocks(&END_OF_FRAME[..], BlockDecodingStrategy::UptoBlocks(1));
    }
}
