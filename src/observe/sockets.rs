//! `/proc/net/tcp` and `/proc/net/tcp6`, proc(5): who listens where.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A listening TCP socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// The local address; unspecified means all of them.
    pub address: IpAddr,
    /// The local port.
    pub port: u16,
    /// Its inode, as in `/proc/PID/fd`.
    pub inode: u64,
}

const LISTEN: &str = "0A";

/// All listening sockets of one of the two files.
pub fn listeners(text: &str) -> Vec<Listener> {
    text.lines().skip(1).filter_map(listener).collect()
}

fn listener(line: &str) -> Option<Listener> {
    let mut fields = line.split_ascii_whitespace();
    let (address, port) = fields.nth(1)?.split_once(':')?;
    if fields.nth(1)? != LISTEN {
        return None;
    }
    let inode = fields.nth(5)?.parse().ok()?;
    Some(Listener {
        address: ip(address)?,
        port: u16::from_str_radix(port, 16).ok()?,
        inode,
    })
}

/// Words of 32 bits in the machine's byte order.
fn ip(hex: &str) -> Option<IpAddr> {
    let words: Option<Vec<[u8; 4]>> = (0..hex.len() / 8)
        .map(|at| hex.get(at * 8..at * 8 + 8))
        .map(|word| u32::from_str_radix(word?, 16).ok().map(u32::to_ne_bytes))
        .collect();
    match words?.as_slice() {
        [word] => Some(Ipv4Addr::from(*word).into()),
        words => {
            let octets: [u8; 16] = words.concat().try_into().ok()?;
            Some(Ipv6Addr::from(octets).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Listener, listeners};

    #[test]
    #[cfg(target_endian = "little")]
    fn finds_listeners_of_both_families() {
        let v4 = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                  0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 48123 1 0 100 0\n   \
                  1: 0100007F:0BB8 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 48124 1 0 100 0\n";
        let address = "127.0.0.1".parse().expect("an address");
        assert_eq!(
            listeners(v4),
            [Listener {
                address,
                port: 3000,
                inode: 48123
            }]
        );
        let v6 = "header\n 0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 9 1\n";
        let address = "::1".parse().expect("an address");
        assert_eq!(
            listeners(v6),
            [Listener {
                address,
                port: 80,
                inode: 9
            }]
        );
    }
}
