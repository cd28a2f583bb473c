//! `appctl read-source`, which only `appctl` runs: opens what a release is made from as an account that can do less than
//! root, and hands open files to root. The requests come on standard input, a socket.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use appctl::host::source::{Ask, Channel, Located, Message, Opened, Packet, PathError, locate, serve};
use appctl::host::tree::TreeError;
use appctl::spec::quote_words;
use nix::sys::prctl;
use nix::sys::stat::fstat;
use nix::unistd::Uid;

use crate::exit::Exit;
use crate::step_down::Account;

/// What `read-source` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) account: Account,

    /// Follow links of this user, a number, and root's
    #[arg(long)]
    pub(crate) person: Option<u32>,

    /// Read the directory that comes with the request
    #[arg(long)]
    pub(crate) given: bool,

    /// Most bytes
    #[arg(long)]
    pub(crate) max_size: u64,
}

/// Runs the verb.
pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let channel = Channel::inherited(std::io::stdin().as_fd())?;
    std::env::set_current_dir("/")?;
    args.account.become_it()?;
    prctl::set_dumpable(false)?;
    let mut request = channel.receive()?.context("a request")?;
    let Some(Ask::Open(path)) = Ask::of(&request) else {
        anyhow::bail!("a path is asked for first");
    };
    let located = match request.files.pop_front().filter(|_| args.given) {
        Some(place) => given(place.into(), path)?,
        None => match find(args, &path) {
            Ok(located) => located,
            Err(error) => return say(&channel, refusal(error)),
        },
    };
    match Opened::open(&located) {
        Ok(opened) => serve(&channel, opened, located.path, args.max_size)?,
        Err(error) => return say(&channel, Message::Failed(error)),
    }
    Ok(Exit::DONE)
}

fn say(channel: &Channel, message: Message) -> anyhow::Result<Exit> {
    let mut packet = Packet::default();
    packet.put(message);
    channel.send(&packet)?;
    Ok(Exit::DONE)
}

fn given(place: OwnedFd, path: PathBuf) -> nix::Result<Located> {
    let stat = fstat(&place)?;
    Ok(Located {
        place,
        stat,
        path,
        account: None,
        shared: true,
    })
}

/// Root reads what root alone can change; anything else is read as the account in whose hands it is.
fn find(args: &Args, path: &Path) -> Result<Located, PathError> {
    let located = locate(path, args.person.map(Uid::from_raw))?;
    if let (None, Some((uid, gid))) = (args.person, located.account) {
        let account = Account {
            uid: Some(uid),
            gid: Some(gid),
        };
        let became = account.become_it().and_then(|()| prctl::set_dumpable(false));
        became.map_err(|errno| PathError::Io {
            path: path.to_owned(),
            source: errno.into(),
        })?;
    }
    Ok(located)
}

/// What is wrong with the path, and what to type.
fn refusal(error: PathError) -> Message {
    if let PathError::Io { path, source } = error {
        return Message::Failed(TreeError::Io {
            verb: "open",
            path,
            source,
        });
    }
    let quoted = |path: &Path| quote_words(&[path.display().to_string()]);
    let help = match &error {
        PathError::Io { .. } => String::new(),
        PathError::Link(_) => "name the path it points to".to_owned(),
        PathError::RootsLink(path) => format!("name the path it points to, which realpath {} prints", quoted(path)),
        PathError::Writable(path) => format!("type: chmod go-w {}", quoted(path)),
        PathError::Planted(_) => "copy it to a place where no other account writes, and name the copy".to_owned(),
    };
    Message::Refused(error.to_string(), help)
}
