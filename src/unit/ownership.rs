//! Whose a unit is: by its name, and by what systemd has loaded under that name. What proves it is the file that the
//! generator wrote and the configuration file which that was made of; systemd.unit(5), org.freedesktop.systemd1(5).

use std::path::Path;

use super::slice_name;
use crate::contract::paths;
use crate::spec::AppName;

/// Where the generator's units lie, systemd.generator(7).
const GENERATED: &str = "/run/systemd/generator";
/// The control group of all apps.
const ALL_APPS: &str = "/appctl.slice/";

/// What a unit is to the app whose name it bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// One of those that the generator writes, or an instance of its templates.
    Generated,
    /// A build, or what runs before a release serves: a transient unit.
    Task,
}

/// The app whose unit has this name; `None` for names that no unit of an app can have.
pub fn app_of(unit: &str) -> Option<(AppName, Part)> {
    if let Some(escaped) = unit
        .strip_prefix("appctl-")
        .and_then(|rest| rest.strip_suffix(".slice"))
    {
        let app: AppName = escaped.replace("\\x2d", "-").parse().ok()?;
        return (slice_name(&app) == unit).then_some((app, Part::Generated));
    }
    if let Some(app) = unit.strip_suffix(".socket") {
        return Some((app.parse().ok()?, Part::Generated));
    }
    let name = unit.strip_suffix(".service")?;
    if let Some((app, _)) = name.split_once(".task.") {
        return Some((app.parse().ok()?, Part::Task));
    }
    let app = match name.split_once('@') {
        Some((template, _)) => template.strip_suffix(".retry").unwrap_or(template),
        None => name.strip_suffix(".hold").unwrap_or(name),
    };
    Some((app.parse().ok()?, Part::Generated))
}

/// Whether a text is a unit that the generator made for this app, or an edited copy of one.
pub fn is_made_for(app: &AppName, unit_text: &str) -> bool {
    let mut sources = unit_text.lines().filter_map(|line| line.strip_prefix("SourcePath="));
    sources.any(|source| is_file_of(app, source))
}

/// What systemd has loaded under a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// `FragmentPath`; empty without a file.
    pub fragment: String,
    /// `SourcePath`: the app's file it was generated from, or empty.
    pub source: String,
    /// `LoadState`: `loaded`, `masked`, `not-found` and so on.
    pub load: String,
    /// `Transient`: made over D-Bus, without a file of its own on disk.
    pub transient: bool,
    /// `Slice` that the unit is in.
    pub slice: String,
    /// `ControlGroup`; empty when no process of it can run.
    pub control_group: String,
}

/// A unit that appctl has not made and does not touch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{unit} is not a unit of appctl: {why}")]
pub struct Foreign {
    /// The unit's name.
    pub unit: String,
    why: String,
}

impl Foreign {
    fn new(unit: &str, why: impl Into<String>) -> Self {
        Self {
            unit: unit.to_owned(),
            why: why.into(),
        }
    }
}

/// Whether a unit is the app's whose name it bears.
pub fn prove(unit: &str, loaded: &Loaded) -> Result<(), Foreign> {
    let Some((app, part)) = app_of(unit) else {
        return Err(Foreign::new(unit, "no unit of an app has this name"));
    };
    if loaded.fragment.is_empty() || loaded.load == "masked" {
        return without_a_file(unit, loaded);
    }
    let elsewhere = || Foreign::new(unit, format!("its file is {}", loaded.fragment));
    if part == Part::Task {
        let ours = loaded.transient && loaded.slice == slice_name(&app);
        return ours.then_some(()).ok_or_else(elsewhere);
    }
    let fragment = Path::new(&loaded.fragment);
    if fragment.parent() != Some(Path::new(GENERATED)) || fragment.file_name() != Some(file_name(unit).as_ref()) {
        return Err(elsewhere());
    }
    if !is_file_of(&app, &loaded.source) {
        let source = if loaded.source.is_empty() {
            "no file"
        } else {
            &loaded.source
        };
        return Err(Foreign::new(unit, format!("it was made from {source}")));
    }
    Ok(())
}

/// What is left of an app whose files are gone can be ended: nothing of it runs, or what runs is in the group of all apps.
/// A socket without a file has no descriptor any more.
fn without_a_file(unit: &str, loaded: &Loaded) -> Result<(), Foreign> {
    let group = loaded.control_group.as_str();
    if group.is_empty() || group.starts_with(ALL_APPS) || unit.ends_with(".socket") {
        return Ok(());
    }
    Err(Foreign::new(unit, format!("it has no file, and runs in {group}")))
}

fn is_file_of(app: &AppName, source: &str) -> bool {
    let name = |directory: &str| {
        let file = source.strip_prefix('/')?.strip_prefix(directory)?.strip_prefix('/')?;
        file.strip_suffix(".toml")
    };
    let name = name(paths::APPLIED).or_else(|| name(paths::WANTED));
    name == Some(app.as_str())
}

/// The file that makes this unit: its template's, for an instance.
fn file_name(unit: &str) -> String {
    match (unit.split_once('@'), unit.rsplit_once('.')) {
        (Some((template, _)), Some((_, kind))) => format!("{template}@.{kind}"),
        _ => unit.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Loaded, Part, app_of, is_made_for, prove};
    use crate::unit::samples::{host, spec};
    use crate::unit::{render, task_name};

    fn generated(file: &str, source: &str) -> Loaded {
        Loaded {
            fragment: format!("/run/systemd/generator/{file}"),
            source: source.to_owned(),
            load: "loaded".to_owned(),
            ..Loaded::default()
        }
    }

    #[test]
    fn every_unit_of_an_app_names_it() {
        for name in ["web", "my-app_2", "0-"] {
            let units = render(&spec(name), &host());
            assert_eq!(units.len(), 6);
            for unit in units {
                let (app, part) = app_of(&unit.name).expect("an app's");
                assert_eq!((app.as_str(), part), (name, Part::Generated), "{}", unit.name);
            }
            let task = task_name(&spec(name).name, "123");
            assert_eq!(app_of(&task), Some((spec(name).name, Part::Task)));
        }
    }

    #[test]
    fn other_names_are_no_apps() {
        for unit in [
            "dbus-org.freedesktop.login1.service",
            "appctl.slice",
            "appctl-a-b.slice",
            "web.timer",
            "web",
            "-.slice",
            "web.task.service.socket",
        ] {
            assert_eq!(app_of(unit), None, "{unit}");
        }
    }

    #[test]
    fn what_the_generator_made_of_the_apps_file_is_ours() {
        let applied = "/etc/appctl/applied/web.toml";
        for (unit, file, source) in [
            ("web.service", "web.service", "/etc/appctl/apps/web.toml"),
            ("web@3.service", "web@.service", applied),
            ("web.retry@surge.service", "web.retry@.service", applied),
            ("appctl-web.slice", "appctl-web.slice", applied),
        ] {
            assert_eq!(prove(unit, &generated(file, source)), Ok(()), "{unit}");
        }
    }

    #[test]
    fn no_other_file_and_no_other_source_will_do() {
        let source = "/etc/appctl/applied/web.toml";
        let ours = generated("web.service", source);
        let with = |fragment: &str, source: &str| Loaded {
            fragment: fragment.to_owned(),
            source: source.to_owned(),
            ..ours.clone()
        };
        for loaded in [
            with("/usr/lib/systemd/system/web.service", ""),
            with("/etc/systemd/system/web.service", source),
            with("/run/systemd/generator.late/web.service", source),
            with("/run/systemd/generator/../web.service", source),
            with("/run/systemd/generator/other.service", "/etc/appctl/applied/other.toml"),
            with("/run/systemd/generator/web.service", "/etc/appctl/applied/other.toml"),
            with("/run/systemd/generator/web.service", "/etc/fstab"),
            with("/run/systemd/generator/web.service", ""),
        ] {
            assert!(prove("web.service", &loaded).is_err(), "{loaded:?}");
        }
        assert!(prove("multi-user.target", &ours).is_err());
    }

    #[test]
    fn a_task_is_ours_in_its_apps_slice_only() {
        let mut loaded = Loaded {
            fragment: "/run/systemd/transient/web.task.1.service".to_owned(),
            transient: true,
            slice: "appctl-web.slice".to_owned(),
            ..Loaded::default()
        };
        assert_eq!(prove("web.task.1.service", &loaded), Ok(()));
        assert!(prove("web.service", &loaded).is_err());
        loaded.slice = "system.slice".to_owned();
        assert!(prove("web.task.1.service", &loaded).is_err());
    }

    #[test]
    fn what_lost_its_file_can_be_ended_unless_it_runs_elsewhere() {
        let orphan = |control_group: &str| Loaded {
            load: "not-found".to_owned(),
            control_group: control_group.to_owned(),
            ..Loaded::default()
        };
        assert_eq!(prove("web.hold.service", &orphan("")), Ok(()));
        assert_eq!(
            prove("web@1.service", &orphan("/appctl.slice/appctl-web.slice/web@1.service")),
            Ok(())
        );
        assert!(prove("web.service", &orphan("/system.slice/web.service")).is_err());
    }

    #[test]
    fn an_edited_copy_still_names_its_file() {
        let app = spec("web").name;
        assert!(is_made_for(&app, "[Unit]\nSourcePath=/etc/appctl/applied/web.toml\n"));
        assert!(!is_made_for(
            &app,
            "[Unit]\nSourcePath=/etc/appctl/applied/other.toml\n"
        ));
        assert!(!is_made_for(&app, "[Service]\nExecStart=/bin/true\n"));
    }
}
