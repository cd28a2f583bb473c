//! The `[deploy]` table: what becomes of a source before it serves. See `appctl deploy` in appctl(1).

use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;

use super::fields::Fields;
use super::keys;
use super::problem::Findings;

/// How a release is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deploy {
    /// Commands that make a release out of its source, each program and arguments, in this order.
    pub build: Vec<Vec<String>>,
    /// All of [`Deploy::build`], and all of [`Deploy::release`], may take this long.
    pub build_timeout: Duration,
    /// Commands that run once before a release serves, such as a migration.
    pub release: Vec<Vec<String>>,
    /// What all releases have in common; no entry lies below another.
    pub shared: Vec<Shared>,
    /// Most bytes of a release.
    pub max_size: u64,
    /// Most files, directories and links of a release.
    pub max_files: u64,
}

/// A file or directory that outlives releases, `/var/lib/appctl/NAME/shared/PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// Relative to the release, names only.
    pub path: PathBuf,
    /// Written with a slash at the end: certainly a directory.
    pub directory: bool,
}

impl Default for Deploy {
    fn default() -> Self {
        let mut findings = Findings::new("", Vec::new());
        deploy(&Fields::none(), &mut findings)
    }
}

pub(super) fn deploy(fields: &Fields<'_>, findings: &mut Findings<'_>) -> Deploy {
    Deploy {
        build: fields.take_or_default(&keys::DEPLOY_BUILD, findings),
        build_timeout: fields.take_or_default(&keys::DEPLOY_BUILD_TIMEOUT, findings),
        release: fields.take_or_default(&keys::DEPLOY_RELEASE, findings),
        shared: shared(fields.take_or_default(&keys::DEPLOY_SHARED, findings), findings),
        max_size: fields.take_or_default(&keys::DEPLOY_MAX_SIZE, findings),
        max_files: fields.take_or_default(&keys::DEPLOY_MAX_FILES, findings),
    }
}

/// A link cannot lie below another link.
fn shared(list: Vec<Spanned<Shared>>, findings: &mut Findings<'_>) -> Vec<Shared> {
    for (nth, entry) in list.iter().enumerate() {
        let path = &entry.get_ref().path;
        let overlaps = |earlier: &&Spanned<Shared>| {
            let earlier = &earlier.get_ref().path;
            path.starts_with(earlier) || earlier.starts_with(path)
        };
        if let Some(earlier) = list[..nth].iter().find(overlaps) {
            let message = format!(
                "`shared`: {} and {} overlap",
                path.display(),
                earlier.get_ref().path.display()
            );
            findings.advise(entry.span(), message, "name the outer one only");
        }
    }
    list.into_iter().map(Spanned::into_inner).collect()
}
