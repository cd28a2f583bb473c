//! The operator's own commands around a rollout and around each of its steps, and what they are told.

use appctl::host::hook;
use appctl::host::trusted::Owner;
use appctl::rollout::{Record, Task};
use appctl::spec::{self, AppName, AppSpec, Instance};

use super::Swap;
use crate::exit::{Exit, ExpectedError};

/// The commands of one app.
#[derive(Debug, Clone)]
pub(super) struct Hooks {
    app: AppName,
    commands: spec::Hooks,
}

/// A step that an instance is in for.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) task: Task,
    /// On the way back.
    pub(super) back: bool,
}

type Variables = Vec<(&'static str, String)>;

impl Hooks {
    pub(super) fn of(spec: &AppSpec) -> Self {
        Self {
            app: spec.name.clone(),
            commands: spec.deploy.hooks.clone(),
        }
    }

    /// Before anything is touched. A failure is the end of it.
    pub(super) async fn before(&self, record: &Record) -> anyhow::Result<()> {
        let variables = self.about(record);
        let done = match self.all_trusted() {
            Ok(()) => self.each("before", &self.commands.before, &variables).await,
            refused => refused,
        };
        done.map_err(|why| {
            let message = format!("{}: {why}; nothing was touched", self.app);
            ExpectedError::new(Exit::ROLLOUT_FAILED, message).into()
        })
    }

    /// After the end. A failure is told and changes nothing.
    pub(super) async fn after(&self, record: &Record) -> Result<(), String> {
        let mut variables = self.about(record);
        let outcome = serde_json::to_value(record.rollout.state()).unwrap_or_default();
        variables.push(("APPCTL_OUTCOME", outcome.as_str().unwrap_or_default().to_owned()));
        self.each("after", &self.commands.after, &variables).await
    }

    /// Before an instance is touched; the surge instance has no neighbours.
    pub(super) async fn before_instance(&self, moment: &Moment, swap: &Swap) -> Result<(), String> {
        self.around("before_instance", &self.commands.before_instance, moment, swap)
            .await
    }

    /// Once it is up again, or gone.
    pub(super) async fn after_instance(&self, moment: &Moment, swap: &Swap) -> Result<(), String> {
        self.around("after_instance", &self.commands.after_instance, moment, swap)
            .await
    }

    async fn around(&self, name: &str, commands: &[Vec<String>], moment: &Moment, swap: &Swap) -> Result<(), String> {
        let instance = moment.task.instance();
        if instance == Instance::Surge || commands.is_empty() {
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
        let release = swap.switching().and_then(|switching| switching.expected(moment.back));
        variables.extend(release.map(|id| ("APPCTL_RELEASE", id.to_string())));
        self.each(name, commands, &variables).await
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

    /// All of them: one that fails half way would leave the rollout half done.
    fn all_trusted(&self) -> Result<(), String> {
        self.commands.named().try_for_each(|(name, command)| {
            hook::refuse_untrusted(command, Owner::Us).map_err(|error| format!("{name}: {error}"))
        })
    }

    async fn each(&self, name: &str, commands: &[Vec<String>], variables: &Variables) -> Result<(), String> {
        for command in commands {
            let result = hook::run(command, variables, self.commands.timeout).await;
            result.map_err(|error| format!("{name}: {error}"))?;
        }
        Ok(())
    }
}
