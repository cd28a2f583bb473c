//! Makes an app's first release from a directory as it is: nothing is left out, nothing is built.

use std::path::Path;
use std::sync::Arc;

use appctl::host::tree::TreeError;
use appctl::release::ReleaseId;
use appctl::spec::AppSpec;

use crate::context::Context;
use crate::exit::{Exit, ExpectedError};
use crate::reading::Reader;
use crate::staging;

/// Copies `from` into a new release that the app's group may read, and nobody but root may change.
pub(crate) async fn create(context: &Context, spec: &AppSpec, from: &Arc<Reader>) -> anyhow::Result<ReleaseId> {
    refuse_itself(from.path(), &context.layout.all_state())?;
    staging::install(context, spec, from).await.map_err(explained)
}

/// A copy of what holds the copy has no end.
fn refuse_itself(from: &Path, state: &Path) -> Result<(), ExpectedError> {
    if !state.starts_with(from) {
        return Ok(());
    }
    let message = format!("{} contains the releases of all apps", from.display());
    Err(ExpectedError::new(Exit::INVALID_CONFIG, message).help("name the app's own directory"))
}

fn explained(error: anyhow::Error) -> anyhow::Error {
    let help = match error.downcast_ref() {
        None
        | Some(
            TreeError::Io { .. } | TreeError::MountPoint { .. } | TreeError::Kept { .. } | TreeError::Growing { .. },
        ) => return error,
        Some(TreeError::Escapes { .. }) => {
            "replace the link with what it points to, or run the app in place: --in-place"
        }
        Some(TreeError::Planted { .. }) => "replace it with a copy: cp FILE COPY && mv COPY FILE",
        Some(TreeError::Ignore { .. }) => "shorten the file, or remove it",
        Some(TreeError::Special { .. }) => "remove it, or run the app in place: --in-place",
        Some(TreeError::TooMuch { .. } | TreeError::TooDeep { .. }) => {
            "name the app's own directory, or run the app in place: --in-place"
        }
    };
    ExpectedError::new(Exit::INVALID_CONFIG, error.to_string())
        .help(help)
        .into()
}
