//! Changes of units as they happen, so that waiting needs no polling. A change names the unit and nothing else: what
//! counts is read anew, and a change that was missed is made up for by telling of every unit once.

use std::num::NonZeroUsize;

use futures_util::StreamExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use zbus::{MatchRule, MessageStream};

use super::proxy::{SERVICE, UNIT};
use super::units::object_path;
use super::{ANSWER, BusError, Systemd, within};

/// A subscription to changes of some units. Ends when dropped.
#[derive(Debug)]
pub struct Watch {
    changes: UnboundedReceiver<String>,
    pump: JoinHandle<()>,
}

impl Watch {
    /// Units that have changed since the last answer, one at least; `None` when systemd is gone for good.
    pub async fn changed(&mut self) -> Option<Vec<String>> {
        let mut units = Vec::new();
        let any = self.changes.recv_many(&mut units, usize::MAX).await > 0;
        any.then_some(units)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

impl Systemd {
    /// Tells of every change of these units from now on.
    pub async fn watch(&self, units: &[String]) -> Result<Watch, BusError> {
        let stream = self.property_changes().await?;
        let (sender, changes) = unbounded_channel();
        let watched = units.iter().map(|unit| (object_path(unit), unit.clone())).collect();
        let pump = tokio::spawn(pump(self.clone(), stream, watched, sender));
        Ok(Watch { changes, pump })
    }

    async fn property_changes(&self) -> Result<MessageStream, BusError> {
        let rule = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .sender(SERVICE)
            .path_namespace(UNIT)
            .interface("org.freedesktop.DBus.Properties")
            .member("PropertiesChanged")
            .build()
            .map_err(BusError::Garbled)?;
        let connection = self.live().await?;
        let stream = MessageStream::for_match_rule(rule, &connection, NonZeroUsize::new(1024));
        within(ANSWER, "", stream).await
    }
}

/// Empties the stream at once, whoever waits: a full one would hold up every answer on the connection.
async fn pump(
    systemd: Systemd,
    mut stream: MessageStream,
    watched: Vec<(String, String)>,
    sender: UnboundedSender<String>,
) {
    loop {
        while let Some(Ok(message)) = stream.next().await {
            let header = message.header();
            let path = header.path().map(zbus::ObjectPath::as_str);
            let unit = watched.iter().find(|(object, _)| Some(object.as_str()) == path);
            if unit.is_some_and(|(_, unit)| sender.send(unit.clone()).is_err()) {
                return;
            }
        }
        match systemd.property_changes().await {
            Ok(anew) if systemd.link.redial => stream = anew,
            _ => return,
        }
        if watched.iter().any(|(_, unit)| sender.send(unit.clone()).is_err()) {
            return;
        }
    }
}
