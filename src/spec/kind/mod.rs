//! What a value of the file may be, one kind per file: how it is read, what is wrong with it, its JSON Schema.

mod account;
mod commands;
mod directory;
mod env;
mod env_file;
mod exec;
mod instances;
mod listen;
mod many;
mod measure;
mod mode;
mod off;
mod probe_path;
mod sandbox;
mod shared_path;
mod signal;
mod simple;
mod write_path;

pub(super) use account::AccountName;
pub(super) use commands::Commands;
pub(super) use directory::Directory;
pub(super) use env::{VariableName, Variables};
pub(super) use env_file::EnvFilePath;
pub(super) use exec::Exec;
pub(super) use instances::InstanceCount;
pub(super) use listen::Address;
pub(super) use many::OneOrMany;
pub(super) use measure::{Percent, Size, Span};
pub(super) use mode::Mode;
pub(super) use off::OrOff;
pub(super) use probe_path::ProbePath;
pub(super) use sandbox::SandboxKind;
pub(super) use shared_path::SharedPath;
pub(super) use signal::StopSignal;
pub(super) use simple::{Choice, Flag, Whole};
pub(super) use write_path::WritePath;
