//! Addresses as people use them.

use appctl::spec::Listen;

/// Where a browser on this machine finds it.
pub(crate) fn url(listen: &Listen) -> String {
    match listen {
        Listen::Tcp { host: None, port } => format!("http://localhost:{port}/"),
        Listen::Tcp { .. } => format!("http://{listen}/"),
        Listen::Unix(path) => path.display().to_string(),
    }
}
