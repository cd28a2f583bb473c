//! What is installed beside us.

use crate::unit::SystemdVersion;

/// Where distributions keep systemd's private library.
const PLACES: [&str; 4] = [
    "/usr/lib/systemd",
    "/usr/lib/x86_64-linux-gnu/systemd",
    "/usr/lib/aarch64-linux-gnu/systemd",
    "/usr/lib64/systemd",
];

/// The systemd that is installed, the oldest supported one when that cannot be told.
pub fn systemd() -> SystemdVersion {
    let listings = PLACES.iter().filter_map(|place| std::fs::read_dir(place).ok());
    let names = listings
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let versions = names.filter_map(|name| SystemdVersion::from_library(&name));
    versions.max().unwrap_or(SystemdVersion::OLDEST)
}
