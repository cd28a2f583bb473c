//! Asks systemd, the control groups and the files, each once for all apps.

use std::collections::BTreeMap;

use appctl::host::bus::Systemd;
use appctl::host::cgroupfs;
use appctl::host::record::Last;
use appctl::observe::{Glance, UnitState};
use appctl::spec::{AppName, Instance};

use super::model::{AppState, AppStatus, InstanceStatus, State, is_up};
use super::rollout;
use crate::apps::App;
use crate::between;
use crate::context::Context;
use crate::ui::quantity;
use crate::units;

/// The status of each app named.
pub(crate) async fn apps(context: &Context, names: &[AppName]) -> anyhow::Result<Vec<AppStatus>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let apps = names
        .iter()
        .map(|name| App::load(context.layout.of(name)))
        .collect::<Result<Vec<App>, _>>()?;
    let systemd = context.systemd().await?;
    let loaded = loaded(&systemd, names).await?;
    let states = states(&systemd, &loaded, context.json).await?;
    let known = Known { loaded, states };
    Ok(apps.iter().map(|app| status(context, app, &known)).collect())
}

/// What systemd knows of all of them.
struct Known {
    loaded: Vec<UnitState>,
    /// Instances by unit.
    states: BTreeMap<String, Glance>,
}

async fn loaded(systemd: &Systemd, names: &[AppName]) -> anyhow::Result<Vec<UnitState>> {
    let patterns: Vec<String> = names
        .iter()
        .flat_map(|name| [units::service(name), units::socket(name), format!("{name}@*.service")])
        .collect();
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    Ok(systemd.units(&patterns).await?)
}

/// Instances the app should have, and others that are still there.
fn instances(app: &App, loaded: &[UnitState]) -> Vec<Instance> {
    let mut instances: Vec<Instance> = (1..=wanted(app)).map(Instance::Number).collect();
    let there = loaded.iter().filter(|unit| !unit.activity.is_down());
    instances.extend(there.filter_map(|unit| units::instance_of(&app.name, &unit.name)));
    instances.sort();
    instances.dedup();
    instances
}

fn wanted(app: &App) -> u16 {
    app.in_force().map_or(0, units::count)
}

/// Instances by unit. Those that systemd has not loaded are missing.
async fn states(systemd: &Systemd, loaded: &[UnitState], main_pids: bool) -> anyhow::Result<BTreeMap<String, Glance>> {
    let instances: Vec<UnitState> = loaded.iter().filter(|unit| unit.name.contains('@')).cloned().collect();
    let states = systemd.glance(&instances, main_pids).await?;
    Ok(states.into_iter().map(|state| (state.unit.clone(), state)).collect())
}

fn status(context: &Context, app: &App, Known { loaded, states }: &Known) -> AppStatus {
    let slice = units::slice_path(&app.name);
    let one = |instance: &Instance| {
        let unit = units::instance(&app.name, *instance);
        let state = states
            .get(&unit)
            .cloned()
            .unwrap_or_else(|| Glance::absent(unit.clone()));
        InstanceStatus::of(*instance, &state, cgroupfs::usage(&slice, &unit))
    };
    let instances: Vec<InstanceStatus> = instances(app, loaded).iter().map(one).collect();
    let rollout = rollout::open(context, &app.name);
    let rolling = rollout.as_ref().is_some_and(rollout::runs);
    let started = is_up(loaded, &units::service(&app.name));
    let state = AppState::of(&instances, wanted(app), started, rolling);
    let mut notes = notes(app, &instances, rollout.as_ref());
    if matches!(state, AppState::Down | AppState::Stopped) && between::is_abandoned(context.layout.of(&app.name)) {
        notes.push(abandoned(&app.name));
    }
    AppStatus {
        name: app.name.clone(),
        state,
        listen: app
            .in_force()
            .map(|spec| spec.listen.iter().map(ToString::to_string).collect())
            .unwrap_or_default(),
        wanted: wanted(app),
        notes,
        instances,
        rollout: rollout.as_ref().map(rollout::json),
    }
}

fn abandoned(name: &AppName) -> String {
    format!("{name}: an interrupted change of its addresses left it down; to start it: sudo appctl apply {name}")
}

fn notes(app: &App, instances: &[InstanceStatus], last: Option<&Last>) -> Vec<String> {
    let name = &app.name;
    let mut notes: Vec<String> = last.map(rollout::note).into_iter().collect();
    match &app.wanted {
        Some(file) if file.spec.is_err() => {
            notes.push(format!(
                "{name}: its file has problems, so the last good one stays in force; to see them: appctl check {}",
                file.path.display()
            ));
        }
        Some(_) if app.is_file_pending() => notes.push(format!(
            "{name}: its file has changes that are not in force; \
            type: sudo appctl apply {name}"
        )),
        Some(_) if app.is_pending() => {
            notes.push(format!(
                "{name}: its variables have changes that are not in force; type: sudo appctl apply \
                {name}"
            ));
        }
        Some(_) => {}
        None => notes.push(format!(
            "{name}: its file is gone, but the app is still installed; to remove it: sudo appctl uninstall {name}"
        )),
    }
    let troubled = instances
        .iter()
        .filter(|instance| matches!(instance.state, State::BackingOff | State::Failed));
    notes.extend(troubled.map(|instance| trouble(name, instance)));
    notes
}

fn trouble(name: &AppName, instance: &InstanceStatus) -> String {
    let restarts = quantity::count(instance.restarts.into(), "restart");
    let why = instance
        .remark
        .as_deref()
        .map(|remark| format!(": {remark}"))
        .unwrap_or_default();
    let number = instance.instance;
    format!(
        "{name}@{number} is {} after {restarts}{why}; its log: appctl logs {name} --instance {number}",
        instance.state.word()
    )
}
