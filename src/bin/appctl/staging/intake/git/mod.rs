//! A commit, by git(1): its ssh, its agent, its submodules. A clone is kept for each account that fetches, and is that
//! account's own, so that the next deploy fetches and writes only what is new.

mod lines;
mod owner;
mod remote;
mod run;

use std::path::Path;
use std::sync::Arc;

use appctl::host::files::FileError;
use appctl::release::Sort;

use self::remote::Remote;
use self::run::Git;
use super::super::site::Site;
use super::super::{Progress, explain};
use super::Intake;
use crate::reading::Reader;
use crate::step_down::Account;

/// Where the remote's own branch of no name is kept.
const HEAD: &str = "refs/appctl/head";

pub(super) async fn take(
    site: &Site<'_>,
    url: &str,
    reference: &str,
    tell: &mut dyn FnMut(Progress),
) -> anyhow::Result<Intake> {
    let remote = Remote::parse(url)?;
    if !remote::is_reference(reference) {
        let help = "name a branch, a tag or a commit: --ref main";
        return Err(explain::source(format!("{reference:?} does not name a commit"), help));
    }
    let account = owner::account(site.context, &remote)?;
    let clones = site.paths().clones();
    let clone = clones.join(
        account
            .uid
            .unwrap_or_else(|| nix::unistd::geteuid().as_raw())
            .to_string(),
    );
    make(&clone, account)?;
    let mut git = Git::new(account, &clone, &remote);
    tell(Progress::Step(format!("fetch {} from {}", reference, remote.shown())));
    fetch(&mut git, &remote, reference, tell).await?;
    let commit = resolve(&mut git, &remote, reference, tell).await?;
    tell(Progress::Step(format!("check out {}", &commit[..12.min(commit.len())])));
    check_out(&mut git, &commit, &clone, tell).await?;
    let reader = Reader::given(site.context, &clone, None, site.bounds().bytes)?;
    Ok(Intake {
        source: remote.shown().to_owned(),
        reference: Some(reference.to_owned()),
        commit: Some(commit),
        ..Intake::of(Sort::Git, Arc::new(reader))
    })
}

/// A directory of the account's own, in one of root's.
fn make(clone: &Path, account: Account) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    if let Some(clones) = clone.parent() {
        std::fs::create_dir_all(clones).map_err(FileError::io("create", clones))?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(clone) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        made => made.map_err(FileError::io("create", clone))?,
    }
    std::os::unix::fs::lchown(clone, account.uid, account.gid).map_err(FileError::io("change the owner of", clone))?;
    Ok(())
}

async fn fetch(git: &mut Git, remote: &Remote, reference: &str, tell: &mut dyn FnMut(Progress)) -> anyhow::Result<()> {
    git.run(&["init", "--quiet"], tell).await?;
    git.run(&["config", "remote.origin.url", remote.url()], tell).await?;
    let mut arguments = vec![
        "fetch",
        "--force",
        "--prune",
        "--no-tags",
        "--no-recurse-submodules",
        "origin",
    ];
    arguments.extend(["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]);
    let head = format!("+HEAD:{HEAD}");
    if reference == "HEAD" {
        arguments.push(&head);
    }
    git.run(&arguments, tell).await.map(drop)
}

/// The commit that a name means at the remote: a branch before a tag, as in git-clone(1), then the commit itself.
async fn resolve(
    git: &mut Git,
    remote: &Remote,
    reference: &str,
    tell: &mut dyn FnMut(Progress),
) -> anyhow::Result<String> {
    let mut names = match reference {
        "HEAD" => vec![HEAD.to_owned()],
        name => vec![format!("refs/remotes/origin/{name}"), format!("refs/tags/{name}")],
    };
    if remote::is_commit(reference) {
        names.push(reference.to_owned());
    }
    if let Some(commit) = git.first_commit(&names).await? {
        return Ok(commit);
    }
    // A commit of no branch, as of a pull request: some servers give it when it is named in full.
    let whole = matches!(reference.len(), 40 | 64) && remote::is_commit(reference);
    if whole
        && git
            .run(&["fetch", "--no-tags", "origin", reference], tell)
            .await
            .is_ok()
    {
        return Ok(reference.to_owned());
    }
    let message = format!("there is no branch, tag or commit {reference:?} in {}", remote.shown());
    let help = format!("git ls-remote {} lists branches and tags", remote.shown());
    Err(explain::source(message, help))
}

async fn check_out(git: &mut Git, commit: &str, clone: &Path, tell: &mut dyn FnMut(Progress)) -> anyhow::Result<()> {
    git.run(&["checkout", "--quiet", "--force", "--detach", commit], tell)
        .await?;
    // Twice: also what was a submodule before.
    git.run(&["clean", "--quiet", "-ffdx"], tell).await?;
    if clone.join(".gitmodules").symlink_metadata().is_ok() {
        git.run(&["submodule", "--quiet", "sync", "--recursive"], tell).await?;
        git.run(
            &[
                "submodule",
                "--quiet",
                "update",
                "--init",
                "--recursive",
                "--force",
                "--checkout",
            ],
            tell,
        )
        .await?;
    }
    Ok(())
}
