//! What an archive is compressed with, told by its first bytes and not by its name.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

use super::ArchiveError;
use super::error::reading;

/// Where a header of tar(5) has its magic.
const USTAR: usize = 257;

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Not compressed.
    Tar,
    /// gzip(1).
    Gzip,
    /// zstd(1).
    Zstd,
    /// Something else, with its article.
    Other(&'static str),
}

impl Format {
    /// Looks at the first block.
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // The second is a frame of no content, which comes first in what some tools write.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [b'P', b'K', ..] => Self::Other("a zip file"),
            [0xfd, b'7', b'z', b'X', b'Z', ..] => Self::Other("an xz file"),
            [b'B', b'Z', b'h', ..] => Self::Other("a bzip2 file"),
            [b'7', b'z', ..] => Self::Other("a 7z file"),
            [] => Self::Other("an empty file"),
            // Old archives have no magic, but always a whole block, and the first byte of a name.
            head if head.get(USTAR..USTAR + 5) == Some(b"ustar") => Self::Tar,
            _ => Self::Other("something else"),
        }
    }
}

/// The archive without its compression.
pub(super) fn decode<'r>(archive: impl Read + 'r) -> Result<Box<dyn Read + 'r>, ArchiveError> {
    let mut archive = archive;
    let mut head = Vec::new();
    (&mut archive).take(512).read_to_end(&mut head).map_err(reading)?;
    let format = Format::of(&head);
    let whole = BufReader::with_capacity(1 << 17, io::Cursor::new(head).chain(archive));
    match format {
        Format::Tar => Ok(Box::new(whole)),
        Format::Gzip => Ok(Box::new(MultiGzDecoder::new(whole))),
        Format::Zstd => Ok(Box::new(Frames {
            source: Some(whole),
            frame: None,
        })),
        Format::Other(what) => Err(ArchiveError::Format(what)),
    }
}

/// All frames of zstd(1) one after the other.
struct Frames<R: BufRead> {
    source: Option<R>,
    frame: Option<Box<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>>,
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                match frame.read(buffer)? {
                    0 if !buffer.is_empty() => self.source = self.frame.take().map(|frame| frame.into_inner()),
                    read => return Ok(read),
                }
            }
            let Some(mut source) = self.source.take() else {
                return Ok(0);
            };
            if source.fill_buf()?.is_empty() {
                return Ok(0);
            }
            if skip_empty(&mut source)? {
                self.source = Some(source);
                continue;
            }
            let frame = StreamingDecoder::new(source).map_err(io::Error::other)?;
            self.frame = Some(Box::new(frame));
        }
    }
}

/// Skips a frame of no content; says whether there was one.
fn skip_empty(source: &mut impl BufRead) -> io::Result<bool> {
    let head = source.fill_buf()?;
    if !matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]) {
        return Ok(false);
    }
    let mut header = [0; 8];
    source.read_exact(&mut header)?;
    let length = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
    let skipped = io::copy(&mut source.take(length.into()), &mut io::sink())?;
    if skipped == u64::from(length) {
        Ok(true)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}
