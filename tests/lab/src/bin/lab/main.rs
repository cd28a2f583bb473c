//! `lab`: build the images, get a shell in a box or a machine, or watch the package at work.

mod demo;

use std::io::{Write, stderr};

use anyhow::{Context, Result, bail};
use appctl_lab::{Box_, Debian, Host, Kind, Machine, built_deb, image};
use clap::{Args, Parser, Subcommand};

/// Real systemd for appctl's tests. Needs root.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the root images that are missing or out of date.
    Images {
        /// 12, 13 or all.
        #[arg(long, default_value = "all")]
        debian: String,
        /// Build those of whole machines too.
        #[arg(long)]
        machine: bool,
    },
    /// Boot a system, install the built package where there is one, and open a shell in it.
    Shell(System),
    /// Install the built package and an app in a fresh system, and replace its instances under load.
    Demo(System),
}

#[derive(Args)]
struct System {
    /// 12 or 13.
    #[arg(long, default_value = "12")]
    debian: Debian,
    /// A whole machine under QEMU instead of a container.
    #[arg(long)]
    machine: bool,
}

impl System {
    fn boot(&self) -> Result<Box<dyn Host>> {
        Ok(if self.machine {
            Box::new(Machine::boot(self.debian)?)
        } else {
            Box::new(Box_::boot(self.debian)?)
        })
    }
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Images { debian, machine } => images(&debian, machine),
        Task::Shell(system) => shell(&system),
        Task::Demo(system) => demo::run(system.boot()?.as_ref()),
    }
}

fn images(debian: &str, machine: bool) -> Result<()> {
    let one = |text: &str| text.parse().map_err(anyhow::Error::msg);
    let wanted = if debian == "all" {
        Debian::ALL.to_vec()
    } else {
        vec![one(debian)?]
    };
    let kinds = if machine {
        vec![Kind::Box, Kind::Machine]
    } else {
        vec![Kind::Box]
    };
    for kind in kinds {
        for debian in &wanted {
            println!("{}", image(kind, *debian)?.display());
        }
    }
    Ok(())
}

fn shell(system: &System) -> Result<()> {
    let host = system.boot()?;
    match built_deb() {
        Ok(package) => drop(host.install_deb(&package)?),
        Err(reason) => writeln!(stderr(), "lab: without the package: {reason:#}")?,
    }
    writeln!(stderr(), "lab: {} is up; leave the shell to remove it", host.debian())?;
    let status = host.shell().status().context("cannot start a shell")?;
    // The last command's own status is no failure of the lab; a shell that never came is.
    if status.code() == Some(255) {
        bail!("the shell was cut off");
    }
    Ok(())
}
