//! The lab: real systems for the tests. A `Box_` is a container with systemd as PID 1, a `Machine` a whole machine
//! under QEMU; both are a `Host`. Needs root on Debian. See systemd-nspawn(1), qemu-system(1). `load` is the strict
//! client that serves as the judge, `apps` the apps under test.

pub mod apps;
pub mod box_;
pub mod contract;
pub mod debian;
pub mod host;
pub mod load;
pub mod machine;
pub mod patience;
pub mod running;
pub mod stage;
pub mod unit;

mod cgroup;
mod image;
mod keeper;
mod mirror;
mod network;
mod package;
mod place;
mod port;
mod qemu;
mod ssh;

pub use box_::Box_;
pub use debian::Debian;
pub use host::{Host, Output};
pub use image::{Kind, image};
pub use machine::Machine;
pub use package::built_deb;
pub use stage::Stage;
