//! Decodes `aws-chunked` bodies, which the S3 client uses for streams: hexadecimal size, optional extension, bytes, and
//! the trailers with the checksum after the last chunk.

use bytes::Bytes;

/// Name (in lower case) and value of each trailer.
pub(crate) type Trailers = Vec<(String, String)>;

/// The payload and the trailers.
pub(crate) fn decode(body: &[u8]) -> Result<(Bytes, Trailers), String> {
    let mut payload = Vec::with_capacity(body.len());
    let mut rest = body;
    loop {
        let (line, after) = line(rest)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| format!("chunk size `{size}`"))?;
        if size == 0 {
            return Ok((payload.into(), trailers(after)?));
        }
        let chunk = after.get(..size).ok_or("a chunk is cut short")?;
        payload.extend_from_slice(chunk);
        rest = after.get(size..).and_then(|end| end.strip_prefix(b"\r\n")).ok_or("no line end after a chunk")?;
    }
}

fn trailers(mut rest: &[u8]) -> Result<Trailers, String> {
    let mut trailers = Vec::new();
    while !rest.is_empty() {
        let (text, after) = line(rest)?;
        rest = after;
        if text.is_empty() {
            break;
        }
        let (name, value) = text.split_once(':').ok_or_else(|| format!("trailer `{text}`"))?;
        trailers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok(trailers)
}

fn line(bytes: &[u8]) -> Result<(&str, &[u8]), String> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n").ok_or("no line end")?;
    let (line, rest) = bytes.split_at(end);
    let line = std::str::from_utf8(line).map_err(|_| "a line that is not text".to_owned())?;
    Ok((line, rest.get(2..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_and_trailers_are_taken_apart() {
        let (payload, trailers) =
            decode(b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Amz-Checksum-Crc32:DUoRhQ==\r\n\r\n").unwrap();
        assert_eq!(&payload[..], b"hello world");
        assert_eq!(trailers, [("x-amz-checksum-crc32".to_owned(), "DUoRhQ==".to_owned())]);
    }

    #[test]
    fn broken_bodies_are_refused() {
        for bad in [&b""[..], b"5\r\nhel", b"zz\r\n", b"5\r\nhelloX0\r\n\r\n", b"0\r\nno colon\r\n", b"5 hello"] {
            assert!(decode(bad).is_err(), "{:?}", String::from_utf8_lossy(bad));
        }
    }
}
