//! What can go wrong between us and PID 1, sorted by what the operator can do about it.

use std::time::Duration;

use crate::unit::Foreign;

/// A call to systemd that did not work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BusError {
    /// PID 1 of this machine or container is something else.
    #[error("systemd does not run this machine (PID 1 is another program)")]
    NoSystemd,
    /// The system bus, dbus-daemon(1), cannot be reached.
    #[error("cannot reach the system bus, over which appctl talks to systemd")]
    NoBus(#[source] zbus::Error),
    /// Neither root nor allowed by polkit(8).
    #[error("systemd does not permit it")]
    Denied(#[source] zbus::Error),
    /// systemd has no such unit, loaded or on disk.
    #[error("systemd has no unit {0}")]
    NoSuchUnit(String),
    /// The connection broke and could not be set up again.
    #[error("lost the connection to systemd")]
    Lost(#[source] zbus::Error),
    /// No answer in time.
    #[error("systemd did not answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// Another program's or the administrator's unit, which is left alone.
    #[error(transparent)]
    Foreign(Foreign),
    /// systemd said no, for example because the unit is masked.
    #[error("systemd refused")]
    Refused(#[source] zbus::Error),
    /// An answer that is not what the interface promises.
    #[error("unexpected answer from systemd")]
    Garbled(#[source] zbus::Error),
}

impl BusError {
    /// Sorts an error of the D-Bus library; `unit` is what was asked about.
    pub(super) fn sort(error: zbus::Error, unit: &str) -> Self {
        use zbus::fdo::Error as Fdo;
        match &error {
            zbus::Error::MethodError(name, ..) => match name.as_str() {
                "org.freedesktop.systemd1.NoSuchUnit" => Self::NoSuchUnit(unit.to_owned()),
                _ => Self::Refused(error),
            },
            zbus::Error::FDO(fdo) => match &**fdo {
                Fdo::AccessDenied(_) | Fdo::AuthFailed(_) | Fdo::InteractiveAuthorizationRequired(_) => {
                    Self::Denied(error)
                }
                Fdo::NoReply(_)
                | Fdo::Disconnected(_)
                | Fdo::NameHasNoOwner(_)
                | Fdo::ServiceUnknown(_)
                | Fdo::NoServer(_)
                // What the bus says of a name that is not there for a moment and that it tries to start.
                | Fdo::SpawnChildExited(_)
                | Fdo::SpawnFailed(_) => Self::Lost(error),
                Fdo::FileNotFound(_) => Self::NoSuchUnit(unit.to_owned()),
                _ => Self::Refused(error),
            },
            zbus::Error::InputOutput(_) | zbus::Error::Connection(..) | zbus::Error::Handshake(_) => Self::Lost(error),
            _ => Self::Garbled(error),
        }
    }

    /// Whether the same call on a new connection may work.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Lost(_))
    }
}
