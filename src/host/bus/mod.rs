//! systemd's D-Bus API, `org.freedesktop.systemd1(5)`: units, jobs and their changes. Everything else of the project
//! sees units and results only, never a bus message.
//!
//! Always over the system bus. On `/run/systemd/private`, which root could use without a bus daemon, systemd signs its
//! messages with its well-known name, and the D-Bus library takes nothing but unique names there.

mod error;
mod glance;
mod jobs;
mod proof;
mod proxy;
#[cfg(test)]
mod tests;
mod transient;
mod units;
mod watch;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use zbus::Connection;

pub use error::BusError;
use proxy::ManagerProxy;
pub use watch::Watch;

/// `sd_booted(3)` looks at the same directory.
const BOOTED: &str = "/run/systemd/system";
/// PID 1 answers nothing while it reloads, which takes tens of seconds on large machines.
const ANSWER: Duration = Duration::from_secs(90);
const RELOAD: Duration = Duration::from_mins(5);
/// The bus may be restarted, and after `daemon-reexec` systemd is off it for a moment.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_millis(1500),
    Duration::from_secs(3),
];

/// A handle on PID 1. Clones share one connection.
#[derive(Debug, Clone)]
pub struct Systemd {
    link: Arc<Link>,
}

#[derive(Debug)]
struct Link {
    current: Mutex<Connection>,
    /// Whether a broken connection may be replaced: not when the caller brought it.
    redial: bool,
    /// Units that the generator made, as far as was asked since units were last read: each question about a unit that is
    /// not loaded has systemd load it, and all the mounts it names, and forget them again.
    generated: Mutex<BTreeSet<String>>,
}

impl Systemd {
    /// Connects and subscribes to systemd's signals.
    pub async fn connect() -> Result<Self, BusError> {
        if !Path::new(BOOTED).is_dir() {
            return Err(BusError::NoSystemd);
        }
        let connection = dial().await?;
        let this = Self::with(connection, true);
        this.subscribe().await?;
        Ok(this)
    }

    /// Talks over a connection that is already there, and never replaces it.
    pub async fn over(connection: Connection) -> Result<Self, BusError> {
        let this = Self::with(connection, false);
        this.subscribe().await?;
        Ok(this)
    }

    fn with(connection: Connection, redial: bool) -> Self {
        let current = Mutex::new(connection);
        let generated = Mutex::default();
        let link = Arc::new(Link {
            current,
            redial,
            generated,
        });
        Self { link }
    }

    /// Makes systemd read all unit files again and run the generators: `systemctl daemon-reload`.
    pub async fn reload(&self) -> Result<(), BusError> {
        self.forget_proofs();
        self.patiently(async || within(RELOAD, "", self.manager().await?.reload()).await)
            .await
    }

    /// Forgets that a unit failed, and its restart count. A unit that is not loaded has nothing to forget.
    pub async fn reset_failed(&self, unit: &str) -> Result<(), BusError> {
        let reset = async || {
            let unit = self.prove(unit).await?.name();
            within(ANSWER, unit, self.manager().await?.reset_failed_unit(unit)).await
        };
        match self.patiently(reset).await {
            Err(BusError::NoSuchUnit(_)) => Ok(()),
            other => other,
        }
    }

    /// `enabled`, `generated`, `masked` …, as `systemctl is-enabled`; `None` when there is no such file.
    pub async fn unit_file_state(&self, unit: &str) -> Result<Option<String>, BusError> {
        let manager = self.manager().await?;
        match within(ANSWER, unit, manager.get_unit_file_state(unit)).await {
            Ok(state) => Ok(Some(state).filter(|state| !state.is_empty())),
            Err(BusError::NoSuchUnit(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The running systemd's major version; 0 when it names none.
    pub async fn version(&self) -> u16 {
        let Ok(manager) = self.manager().await else {
            return 0;
        };
        let text = within(ANSWER, "", manager.version()).await.unwrap_or_default();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text[..digits].parse().unwrap_or(0)
    }

    async fn subscribe(&self) -> Result<(), BusError> {
        let connection = self.current();
        subscribe(&connection).await
    }

    /// Asks again when the answer was lost: only for what may be asked twice. While it executes itself anew, systemd
    /// drops what it was asked, and the connection to the bus stays.
    async fn patiently<T>(&self, ask: impl AsyncFn() -> Result<T, BusError>) -> Result<T, BusError> {
        for pause in PAUSES {
            match ask().await {
                Err(error) if error.is_lost() && self.link.redial => tokio::time::sleep(pause).await,
                answer => return answer,
            }
        }
        ask().await
    }

    /// A proxy of the manager on a live connection.
    async fn manager(&self) -> Result<ManagerProxy<'static>, BusError> {
        manager_on(&self.live().await?).await
    }

    fn current(&self) -> Connection {
        let current = self.link.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }

    /// The connection, set up again when it broke.
    async fn live(&self) -> Result<Connection, BusError> {
        let connection = self.current();
        if !connection.is_closed() || !self.link.redial {
            return Ok(connection);
        }
        let fresh = dial_patiently().await?;
        let mut current = self.link.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = fresh.clone();
        Ok(fresh)
    }
}

async fn dial() -> Result<Connection, BusError> {
    Connection::system().await.map_err(BusError::NoBus)
}

async fn dial_patiently() -> Result<Connection, BusError> {
    let mut last = None;
    for pause in PAUSES {
        match dial().await {
            Ok(connection) => return subscribe(&connection).await.map(|()| connection),
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(pause).await;
    }
    Err(last.unwrap_or(BusError::NoSystemd))
}

/// Without this systemd sends no changes of units.
async fn subscribe(connection: &Connection) -> Result<(), BusError> {
    let manager = manager_on(connection).await?;
    within(ANSWER, "", manager.subscribe()).await
}

async fn manager_on(connection: &Connection) -> Result<ManagerProxy<'static>, BusError> {
    let proxy = ManagerProxy::builder(connection).cache_properties(zbus::proxy::CacheProperties::No);
    proxy.build().await.map_err(|error| BusError::sort(error, ""))
}

/// dbus-daemon(1) lets nobody wait for more than 128 answers at a time.
static CALLS: Semaphore = Semaphore::const_new(96);

/// Waits for an answer, not for ever.
async fn within<T>(
    limit: Duration,
    unit: &str,
    call: impl Future<Output = Result<T, zbus::Error>>,
) -> Result<T, BusError> {
    let call = async {
        let _permit = CALLS.acquire().await;
        call.await
    };
    match tokio::time::timeout(limit, call).await {
        Ok(answer) => answer.map_err(|error| BusError::sort(error, unit)),
        Err(_) => Err(BusError::Silent(limit)),
    }
}
