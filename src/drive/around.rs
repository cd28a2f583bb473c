//! The operator's own commands around a rollout and around each of its steps, and what they are told.

use super::{Commands, Swap, Variables};
use crate::rollout::{Record, Task};
use crate::spec::{self, AppName, AppSpec, Instance};

/// The commands of one app.
#[derive(Debug, Clone)]
pub(super) struct Hooks {
    app: AppName,
    commands: spec::Hooks,
}

/// A step that an instance is in for.
#[derive(Debug)]
pub(super) struct Moment<'a> {
    pub(super) task: Task,
    /// On the way back.
    pub(super) back: bool,
    /// What changes besides.
    pub(super) swap: &'a Swap,
}

/// A key of `[deploy]`, and its commands.
type Named<'a> = (&'static str, &'a [Vec<String>]);

impl Hooks {
    pub(super) fn of(spec: &AppSpec) -> Self {
        Self {
            app: spec.name.clone(),
            commands: spec.deploy.hooks.clone(),
        }
    }

    /// Before anything is touched. A failure is the end of it.
    pub(super) async fn before(&self, commands: &impl Commands, record: &Record) -> Result<(), String> {
        // All of them: one that is refused half way would leave the rollout half done.
        self.commands.named().try_for_each(|(name, command)| {
            let refused = commands.refuse_untrusted(command);
            refused.map_err(|error| format!("{name}: {error}"))
        })?;
        self.each(commands, ("before", &self.commands.before), &self.about(record))
            .await
    }

    /// After the end. A failure is told and changes nothing.
    pub(super) async fn after(&self, commands: &impl Commands, record: &Record) -> Result<(), String> {
        let mut variables = self.about(record);
        let outcome = serde_json::to_value(record.rollout.state()).unwrap_or_default();
        variables.push(("APPCTL_OUTCOME", outcome.as_str().unwrap_or_default().to_owned()));
        self.each(commands, ("after", &self.commands.after), &variables).await
    }

    /// Before an instance is touched; the surge instance has no neighbours.
    pub(super) async fn before_instance(&self, world: &impl Commands, moment: &Moment<'_>) -> Result<(), String> {
        let commands = ("before_instance", &*self.commands.before_instance);
        self.around(world, commands, moment).await
    }

    /// Once it is up again, or gone.
    pub(super) async fn after_instance(&self, world: &impl Commands, moment: &Moment<'_>) -> Result<(), String> {
        let commands = ("after_instance", &*self.commands.after_instance);
        self.around(world, commands, moment).await
    }

    async fn around(&self, world: &impl Commands, commands: Named<'_>, moment: &Moment<'_>) -> Result<(), String> {
        let instance = moment.task.instance();
        if instance == Instance::Surge || commands.1.is_empty() {
            return Ok(());
        }
        let step = match moment.task {
            Task::Restart(_) => "restart",
            Task::Start(_) => "start",
            Task::Stop(_) => "stop",
        };
        let mut variables = vec![
            ("APPCTL_APP", self.app.to_string()),
            ("APPCTL_INSTANCE", instance.to_string()),
            ("APPCTL_STEP", step.to_owned()),
            (
                "APPCTL_DIRECTION",
                if moment.back { "back" } else { "forward" }.to_owned(),
            ),
        ];
        let release = moment
            .swap
            .switching()
            .and_then(|switching| switching.expected(moment.back));
        variables.extend(release.map(|id| ("APPCTL_RELEASE", id.to_string())));
        self.each(world, commands, &variables).await
    }

    fn about(&self, record: &Record) -> Variables {
        let mut variables = vec![
            ("APPCTL_APP", self.app.to_string()),
            ("APPCTL_VERB", record.rollout.verb().to_string()),
            ("APPCTL_BY", record.about.driver.user.clone()),
        ];
        if let Some(change) = &record.about.release {
            variables.push(("APPCTL_RELEASE", change.to.to_string()));
            let from = change.from.as_ref();
            variables.extend(from.map(|from| ("APPCTL_RELEASE_BEFORE", from.to_string())));
        }
        variables
    }

    async fn each(
        &self,
        world: &impl Commands,
        (name, commands): Named<'_>,
        variables: &Variables,
    ) -> Result<(), String> {
        for command in commands {
            let result = world.run(command, variables, self.commands.timeout).await;
            result.map_err(|error| format!("{name}: {error}"))?;
        }
        Ok(())
    }
}
