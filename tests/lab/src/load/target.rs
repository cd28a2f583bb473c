//! Where the load goes: this machine only. Any other address is refused before a socket exists.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, ensure};

/// A listener on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A loopback address.
    Tcp(SocketAddr),
    /// A unix stream socket, absolute path.
    Unix(PathBuf),
}

impl Target {
    /// Fails unless the target is a loopback address or an absolute path.
    pub fn check(&self) -> anyhow::Result<()> {
        match self {
            Self::Tcp(address) => {
                ensure!(is_loopback(address.ip()), "{address} is not a loopback address");
                ensure!(address.port() != 0, "{address} has no port");
            }
            Self::Unix(path) => ensure!(path.is_absolute(), "{} is not an absolute path", path.display()),
        }
        Ok(())
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// `127.0.0.1:3000`, `[::1]:3000`, or `/run/app.sock`.
impl FromStr for Target {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let target = if text.starts_with('/') {
            Self::Unix(PathBuf::from(text))
        } else {
            Self::Tcp(text.parse().context("neither ADDRESS:PORT nor an absolute path")?)
        };
        target.check()?;
        Ok(target)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_loopback_addresses_and_absolute_paths() {
        for text in [
            "127.0.0.1:3000",
            "127.9.9.9:80",
            "[::1]:3000",
            "[::ffff:127.0.0.1]:3000",
            "/run/app.sock",
        ] {
            assert!(text.parse::<Target>().is_ok(), "{text}");
        }
    }

    #[test]
    fn refuses_every_other_address() {
        for text in [
            "192.0.2.1:80",
            "0.0.0.0:80",
            "[::]:80",
            "[2001:db8::1]:80",
            "127.0.0.1:0",
            "example:80",
            "a.sock",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
