//! `appctl-NAME.slice`: one control group for all instances of an app, systemd.slice(5), below the shipped `appctl.slice`.

use super::{Host, Section, UnitFile, quote, slice_name};
use crate::spec::AppSpec;

pub(super) fn render(spec: &AppSpec, host: &Host) -> UnitFile {
    let mut unit = Section::new("Unit");
    unit.set("Description", format_args!("All instances of {} (appctl)", spec.name));
    unit.set("SourcePath", quote::rest_of_line_file(&host.source));
    UnitFile::new(slice_name(&spec.name), &host.source, [unit])
}
