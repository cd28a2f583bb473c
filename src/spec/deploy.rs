//! The `[deploy]` table: what becomes of a source before it serves. See `appctl deploy` in appctl(1).

use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;

use super::fields::Fields;
use super::key::Key;
use super::keys;
use super::kind::Commands;
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
    /// How many releases are kept.
    pub keep: usize,
    /// How long all instances are watched once they run a new release.
    pub bake: Duration,
    /// Most percent of its responses that may be errors of the server while it is watched; `None`: any.
    pub errors: Option<u32>,
    /// Commands of root around a rollout and around each of its steps.
    pub hooks: Hooks,
}

/// Commands of root, each program and arguments: for what stands beside the app, as a load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks {
    /// Before a rollout touches anything; a failure keeps it from beginning.
    pub before: Vec<Vec<String>>,
    /// After a rollout, with its outcome in `APPCTL_OUTCOME`.
    pub after: Vec<Vec<String>>,
    /// Before an instance is touched.
    pub before_instance: Vec<Vec<String>>,
    /// Once it is up again, or gone.
    pub after_instance: Vec<Vec<String>>,
    /// Longest time for each command.
    pub timeout: Duration,
}

impl Hooks {
    /// Every command with the key it stands under.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        let lists = [
            ("before", &self.before),
            ("after", &self.after),
            ("before_instance", &self.before_instance),
            ("after_instance", &self.after_instance),
        ];
        lists
            .into_iter()
            .flat_map(|(key, list)| list.iter().map(move |command| (key, command.as_slice())))
    }
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
        keep: usize::try_from(fields.take_or_default(&keys::DEPLOY_KEEP, findings)).unwrap_or(usize::MAX),
        bake: fields.take_or_default(&keys::DEPLOY_BAKE, findings),
        errors: fields.take_or_default(&keys::DEPLOY_ERRORS, findings),
        hooks: Hooks {
            before: hook(fields, &keys::DEPLOY_BEFORE, findings),
            after: hook(fields, &keys::DEPLOY_AFTER, findings),
            before_instance: hook(fields, &keys::DEPLOY_BEFORE_INSTANCE, findings),
            after_instance: hook(fields, &keys::DEPLOY_AFTER_INSTANCE, findings),
            timeout: fields.take_or_default(&keys::DEPLOY_HOOK_TIMEOUT, findings),
        },
    }
}

/// What root runs needs an absolute path: root searches no directory of another account for it.
fn hook(fields: &Fields<'_>, key: &'static Key<Commands>, findings: &mut Findings<'_>) -> Vec<Vec<String>> {
    let commands = fields.take_or_default(key, findings);
    let relative = commands.iter().find(|command| !command[0].starts_with('/'));
    if let (Some(command), Some(span)) = (relative, fields.span(key)) {
        let message = format!("`{}` runs as root, so {} needs an absolute path", key.name, command[0]);
        findings.rule(span, message, "for example: [\"/usr/local/bin/balancer\", \"out\"]");
    }
    commands
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
            findings.advise(entry.span(), message, "list only the outer one");
        }
    }
    list.into_iter().map(Spanned::into_inner).collect()
}
