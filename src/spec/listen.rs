//! Addresses an app listens on: their text, and which of them cannot be held at once.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use super::Listen;
use super::path::{self, InvalidPath};

/// Why a text is no address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidListen {
    /// An empty string.
    #[error("the address is empty")]
    Empty,
    /// Not 1 to 65535.
    #[error("a port is a number from 1 to 65535, not {0}")]
    Port(String),
    /// `localhost:80`: which addresses a name has is known only when the network is up.
    #[error("{0:?} is a host name, and host names are not looked up at boot; write the IP address")]
    HostName(String),
    /// `::1:80`: where the address ends is not known.
    #[error("an IPv6 address needs brackets before a port: [::1]:3000")]
    Brackets,
    /// `127.0.0.1` alone.
    #[error("the port is missing; for example: {0}:3000")]
    NoPort(String),
    /// `http://…`.
    #[error("expected an address, not a URL")]
    Url,
    /// `@name`: without permissions, so every account of the machine could connect.
    #[error("abstract sockets are not supported, since they have no permissions; use a path")]
    Abstract,
    /// A path that is none.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// `sun_path` of unix(7).
    #[error("the path of a unix socket can have at most 107 bytes; this one has {0}")]
    LongPath(usize),
    /// Where the shim keeps its own.
    #[error("/run/appctl belongs to appctl; use /run/NAME.sock, for example")]
    OwnPath,
}

impl Listen {
    /// `sun_path` of unix(7), less its end.
    const LONGEST_PATH: usize = 107;

    /// Whether the kernel refuses to hold both at once. A port without a host is a port on every address, both families.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unix(one), Self::Unix(two)) => one == two,
            (Self::Tcp { host: one, port: a }, Self::Tcp { host: two, port: b }) => a == b && hosts_overlap(*one, *two),
            _ => false,
        }
    }
}

fn hosts_overlap(one: Option<IpAddr>, two: Option<IpAddr>) -> bool {
    let every = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    let (one, two) = (one.unwrap_or(every).to_canonical(), two.unwrap_or(every).to_canonical());
    let covers =
        |wide: IpAddr, host: IpAddr| wide == every || wide == IpAddr::V4(Ipv4Addr::UNSPECIFIED) && host.is_ipv4();
    one == two || covers(one, two) || covers(two, one)
}

impl FromStr for Listen {
    type Err = InvalidListen;

    fn from_str(text: &str) -> Result<Self, InvalidListen> {
        match text.chars().next() {
            None => Err(InvalidListen::Empty),
            Some('/') => unix(text),
            Some('@') => Err(InvalidListen::Abstract),
            _ if text.contains("://") => Err(InvalidListen::Url),
            _ if text.contains('/') => Err(InvalidPath::Relative(text.to_owned()).into()),
            _ if text.bytes().all(|b| b.is_ascii_digit()) => Ok(Self::Tcp {
                host: None,
                port: port(text)?,
            }),
            _ => tcp(text),
        }
    }
}

fn unix(text: &str) -> Result<Listen, InvalidListen> {
    path::check(text)?;
    match text.len() {
        long if long > Listen::LONGEST_PATH => Err(InvalidListen::LongPath(long)),
        _ if text == "/run/appctl" || text.starts_with("/run/appctl/") => Err(InvalidListen::OwnPath),
        1 => Err(InvalidPath::Roundabout(text.to_owned()).into()),
        _ => Ok(Listen::Unix(PathBuf::from(text))),
    }
}

fn tcp(text: &str) -> Result<Listen, InvalidListen> {
    if text.parse::<IpAddr>().is_ok() || text.starts_with('[') && text.ends_with(']') {
        let v6 = text.contains(':') && !text.starts_with('[');
        return Err(if v6 {
            InvalidListen::Brackets
        } else {
            InvalidListen::NoPort(text.to_owned())
        });
    }
    let Some((host, digits)) = text.rsplit_once(':') else {
        return Err(InvalidListen::HostName(text.to_owned()));
    };
    let port = port(digits)?;
    match text.parse::<SocketAddr>() {
        Ok(SocketAddr::V6(address)) if address.scope_id() != 0 => Err(InvalidListen::HostName(host.to_owned())),
        Ok(address) => Ok(Listen::Tcp {
            host: Some(address.ip()),
            port,
        }),
        Err(_) if matches!(host, "" | "*") => Ok(Listen::Tcp { host: None, port }),
        Err(_) if host.contains(':') && !host.starts_with('[') => Err(InvalidListen::Brackets),
        Err(_) => Err(InvalidListen::HostName(host.to_owned())),
    }
}

fn port(digits: &str) -> Result<u16, InvalidListen> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    let port = digits.parse().ok().filter(|_| plain);
    port.ok_or_else(|| {
        InvalidListen::Port(if digits.is_empty() {
            "nothing".into()
        } else {
            digits.into()
        })
    })
}

/// As it is written in the file: `3000`, `127.0.0.1:3000`, `[::1]:3000`, `/run/x.sock`.
impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host: None, port } => write!(f, "{port}"),
            Self::Tcp { host: Some(host), port } => write!(f, "{}", SocketAddr::new(*host, *port)),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidListen, Listen};

    fn listen(text: &str) -> Listen {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn addresses_come_back_as_they_were_written() {
        for text in [
            "3000",
            "127.0.0.1:80",
            "0.0.0.0:80",
            "[::1]:65535",
            "[::]:1",
            "/run/my app.sock",
        ] {
            assert_eq!(listen(text).to_string(), text);
        }
        assert_eq!(listen("*:80"), listen("80"));
        assert_eq!(listen(":80"), listen("80"));
    }

    #[test]
    fn names_and_other_notations_are_refused() {
        let name = |host: &str| InvalidListen::HostName(host.into());
        for (text, error) in [
            ("", InvalidListen::Empty),
            ("0", InvalidListen::Port("0".into())),
            ("65536", InvalidListen::Port("65536".into())),
            ("080", InvalidListen::Port("080".into())),
            ("127.0.0.1:", InvalidListen::Port("nothing".into())),
            ("127.0.0.1:+80", InvalidListen::Port("+80".into())),
            ("localhost:80", name("localhost")),
            ("localhost", name("localhost")),
            ("127.1:80", name("127.1")),
            ("[fe80::1%2]:80", name("[fe80::1%2]")),
            ("::1:80", InvalidListen::Brackets),
            ("::1", InvalidListen::Brackets),
            ("127.0.0.1", InvalidListen::NoPort("127.0.0.1".into())),
            ("http://x:80", InvalidListen::Url),
            ("@x", InvalidListen::Abstract),
            ("/run/appctl/x/y.sock", InvalidListen::OwnPath),
        ] {
            assert_eq!(text.parse::<Listen>(), Err(error), "{text}");
        }
        let long = format!("/run/{}", "x".repeat(103));
        assert_eq!(long.parse::<Listen>(), Err(InvalidListen::LongPath(108)));
        assert!(long[..107].parse::<Listen>().is_ok());
        assert!(matches!("/".parse::<Listen>(), Err(InvalidListen::Path(_))));
    }

    #[test]
    fn overlap_is_what_the_kernel_refuses() {
        for (one, two, both) in [
            ("80", "80", true),
            ("80", "81", false),
            ("80", "127.0.0.1:80", true),
            ("[::]:80", "127.0.0.1:80", true),
            ("0.0.0.0:80", "127.0.0.1:80", true),
            ("0.0.0.0:80", "[::1]:80", false),
            ("0.0.0.0:80", "80", true),
            ("127.0.0.1:80", "127.0.0.2:80", false),
            ("[::ffff:127.0.0.1]:80", "127.0.0.1:80", true),
            ("/run/a", "/run/a", true),
            ("/run/a", "/run/b", false),
            ("/run/a", "80", false),
        ] {
            assert_eq!(listen(one).overlaps(&listen(two)), both, "{one} {two}");
            assert_eq!(listen(two).overlaps(&listen(one)), both, "{two} {one}");
        }
    }
}
