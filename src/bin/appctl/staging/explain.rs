//! What went wrong while a release was made, in the operator's words, with what to do and the exit code.

use appctl::host::tree::TreeError;
use appctl::spec::{AppName, format_bytes};

use crate::exit::{Exit, ExpectedError};

/// Any error; those of trees in the operator's words.
pub(super) fn any(error: anyhow::Error, app: &AppName) -> anyhow::Error {
    match error.downcast() {
        Ok(error) => tree(error, app),
        Err(error) => error,
    }
}

/// A source that cannot be a release.
pub(super) fn tree(error: TreeError, app: &AppName) -> anyhow::Error {
    if error.is_full() {
        return full(&error, app).into();
    }
    let help = match &error {
        TreeError::Io { source, verb, .. }
            if matches!(*verb, "open" | "read" | "list") && source.kind() == std::io::ErrorKind::PermissionDenied =>
        {
            "a source is read with the rights of the person behind sudo, otherwise of its owner; let that account \
                read it, or exclude it in .appctlignore"
                .to_owned()
        }
        TreeError::Io { .. } | TreeError::MountPoint { .. } | TreeError::Kept { .. } | TreeError::Growing { .. } => {
            return error.into();
        }
        TreeError::Ignore { .. } => "shorten the file, or remove it".to_owned(),
        TreeError::TooDeep { .. } => "check that this is the right source, or exclude what the app does not need in \
            .appctlignore"
            .to_owned(),
        TreeError::Escapes { .. } => {
            "replace the link with what it points to; what outlives releases belongs in `shared` of [deploy]".to_owned()
        }
        TreeError::Planted { .. } => "replace it with a copy: cp FILE COPY && mv COPY FILE".to_owned(),
        TreeError::Special { .. } => "remove it, or exclude it in .appctlignore".to_owned(),
        TreeError::TooMuch {
            what: "bytes", most, ..
        } => {
            format!(
                "check that this is the right source, or raise max_size in [deploy], now {}",
                format_bytes(*most)
            )
        }
        TreeError::TooMuch { .. } => "check that this is the right source, or raise max_files in [deploy]".to_owned(),
    };
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
    let message = format!("{error}{}", cause.unwrap_or_default());
    ExpectedError::new(Exit::INVALID_CONFIG, message).help(help).into()
}

/// No space left.
pub(super) fn full(error: &(dyn std::error::Error + 'static), app: &AppName) -> ExpectedError {
    let cause = error.source().map(|cause| format!(": {cause}"));
    let message = format!("{error}{}", cause.unwrap_or_default());
    let help =
        format!("nothing was changed; appctl prune {app} removes old releases, df -h /var/lib/appctl shows the disk");
    ExpectedError::new(Exit::FAILED, message).help(help)
}

/// A source that is not what it was named as.
pub(super) fn source(message: impl Into<String>, help: impl Into<String>) -> anyhow::Error {
    ExpectedError::new(Exit::INVALID_CONFIG, message).help(help).into()
}
