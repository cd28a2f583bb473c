//! Apps that are called like something else of this machine: no verb acts on these, and none is made or put in force.

use std::path::Path;

use appctl::host::foreign::{Place, Taken, UnitFiles};
use appctl::release::Layout;
use appctl::spec::{AppName, quote_words};

use crate::exit::{Exit, ExpectedError};
use crate::ui::warn;

/// Unit files of this machine, listed once.
pub(crate) struct Names<'l> {
    layout: &'l Layout,
    files: UnitFiles,
}

impl<'l> Names<'l> {
    /// Lists them.
    pub(crate) fn look(layout: &'l Layout) -> Self {
        let files = UnitFiles::look(layout.root(), |_| true);
        Self { layout, files }
    }

    /// Refuses a new app, or a new configuration of one: `file` is to get another name, or `None` where none is written yet.
    pub(crate) fn refuse_new(&self, app: &AppName, file: Option<&Path>) -> Result<(), ExpectedError> {
        let Some(taken) = self.files.foreign(app) else {
            return Ok(());
        };
        let help = match file {
            Some(file) => format!("give the app another name: mv {}", new_name(app, file)),
            None => format!("install the app under another name, such as {app}-app"),
        };
        Err(refusal(app, taken).help(help))
    }

    /// Refuses to act on an app.
    pub(crate) fn refuse(&self, app: &AppName) -> Result<(), ExpectedError> {
        let Some(taken) = self.files.foreign(app) else {
            return Ok(());
        };
        let (wanted, applied) = (self.layout.of(app).wanted_file(), self.layout.of(app).applied_file());
        let help = if applied.exists() && taken.place != Place::Packaged {
            let path = taken.path.display();
            format!(
                "if that file is a mistake: sudo rm {path} && sudo systemctl daemon-reload; otherwise {}",
                uninstall(app)
            )
        } else if wanted.exists() {
            format!(
                "give the app another name: sudo mv {}; or {}",
                new_name(app, &wanted),
                uninstall(app)
            )
        } else {
            uninstall(app)
        };
        Err(refusal(app, taken).help(help))
    }

    /// The apps that can be acted on; the others are named on standard error.
    pub(crate) fn leave_out_taken(&self, mut apps: Vec<AppName>) -> Vec<AppName> {
        apps.retain(|app| {
            let Some(taken) = self.files.foreign(app) else {
                return true;
            };
            warn(&format!("{app} is skipped: {}", refusal(app, taken)));
            false
        });
        apps
    }
}

fn refusal(app: &AppName, Taken { unit, path, .. }: &Taken) -> ExpectedError {
    let message = format!(
        "{unit} does not belong to appctl ({}), so no app can be called {app}",
        path.display()
    );
    ExpectedError::new(Exit::INVALID_CONFIG, message)
}

/// From and to, as mv(1) takes them.
fn new_name(app: &AppName, file: &Path) -> String {
    let new = file.with_file_name(format!("{app}-app.toml"));
    quote_words(&[file, &new].map(|path| path.display().to_string()))
}

/// What takes the app's files away and leaves the other's units alone.
fn uninstall(app: &AppName) -> String {
    format!("sudo appctl uninstall {app} removes the app's own file and leaves that unit alone")
}
