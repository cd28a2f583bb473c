//! An address to listen on.

use toml::de::DeValue;

use crate::spec::Listen;
use crate::spec::json::Json;
use crate::spec::key::{Given, Kind, integer};
use crate::spec::listen::InvalidListen;
use crate::spec::problem::Findings;

/// A port, an address with a port, or the path of a unix socket.
pub(in crate::spec) struct Address;

impl Kind for Address {
    type Value = Listen;

    fn what(&self) -> String {
        "a port, an address with a port, or the path of a unix socket".to_owned()
    }

    fn read(&self, given: &Given<'_>, findings: &mut Findings<'_>) -> Option<Listen> {
        let parsed = match given.value.get_ref() {
            DeValue::Integer(port) => match integer(port).and_then(|port| u16::try_from(port).ok()) {
                Some(port @ 1..) => Ok(Listen::Tcp { host: None, port }),
                _ => Err(InvalidListen::Port(port.to_string())),
            },
            _ => given.text(&self.what(), findings)?.parse(),
        };
        match parsed {
            Ok(listen) => return Some(listen),
            Err(error @ InvalidListen::HostName(_)) => given.advise(
                error,
                "3000 listens on every address, \"127.0.0.1:3000\" on the loopback address only",
                findings,
            ),
            Err(error) => given.refuse(error, findings),
        }
        None
    }

    fn schema(&self) -> Json {
        Json::any_of([
            Json::Object(vec![
                ("type", Json::text("integer")),
                ("minimum", Json::Number(1)),
                ("maximum", Json::Number(65535)),
            ]),
            Json::pattern(r"^(/.+|[1-9][0-9]{0,4}|([0-9.]+|\[[0-9a-fA-F:.]+\]|\*?):[1-9][0-9]{0,4})$"),
        ])
    }
}
