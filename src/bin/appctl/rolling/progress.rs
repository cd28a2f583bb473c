//! What the operator sees of a rollout: a live line on a terminal, a line per event in a pipe or the journal, an object
//! per line as JSON. Output that goes nowhere stops nothing.

use std::time::{self, Duration};

use appctl::drive::{Drained, Ended, Wish};
use appctl::rollout::{Event, Record, Step, Task};
use appctl::spec::{AppName, Instance};
use serde_json::{Value, json};

use super::verdict;
use crate::exit::Exit;
use crate::ui::style::{BAD, DIM, GOOD, WARN};
use crate::ui::{self, Text, paint, quantity};

/// How often a live line is drawn anew.
const TICK: Duration = Duration::from_secs(1);

/// The display of one rollout.
#[derive(Debug)]
pub(super) struct Progress {
    app: AppName,
    json: bool,
    live: bool,
    began: time::Instant,
    step: String,
    step_began: time::Instant,
}

impl Progress {
    pub(super) fn new(app: &AppName, json: bool) -> Self {
        Self {
            app: app.clone(),
            json,
            live: !json && ui::is_live(),
            began: time::Instant::now(),
            step: String::new(),
            step_began: time::Instant::now(),
        }
    }

    /// The rollout begins.
    pub(super) fn begin(&mut self, record: &Record) {
        self.began = time::Instant::now();
        let (about, request) = (&record.about, record.rollout.request());
        let (verb, instances) = (request.verb, request.tasks.len());
        self.event(
            "begin",
            json!({ "verb": verb, "instances": instances, "rollout": about.started, "release": about.release }),
        );
    }

    /// A step begins.
    pub(super) fn begins(&mut self, step: &Step) {
        self.step = step.to_string();
        self.step_began = time::Instant::now();
        self.event("step", json!({ "step": self.step }));
        if !matches!(step, Step::Run(_) | Step::Settle(_) | Step::Bake { .. }) {
            return;
        }
        if self.live {
            self.draw();
        }
    }

    /// Something came of it.
    pub(super) fn happened(&self, event: &Event, said: &[String]) {
        let seconds = self.step_began.elapsed().as_secs_f64();
        match event {
            Event::Up(instance, _) => {
                self.event("ready", json!({ "instance": instance.to_string(), "seconds": seconds }));
                self.line(format!("{}: ready after {seconds:.1} s", self.step));
            }
            Event::Down(instance) => {
                self.event(
                    "stopped",
                    json!({ "instance": instance.to_string(), "seconds": seconds }),
                );
                self.line(format!("{}: done after {seconds:.1} s", self.step));
            }
            Event::NotUp(instance, why)
            | Event::Died(instance, why)
            | Event::Errs(instance, why)
            | Event::Refused(instance, why) => {
                let fields = json!({ "instance": instance.to_string(), "why": why, "last_lines": said });
                self.event("failed", fields);
                self.failed(&format!("{}: {why}", named(*instance)), said);
            }
            Event::NotSwitched(why) | Event::NotUndone(why) => {
                self.event("failed", json!({ "instance": null, "why": why, "last_lines": [] }));
                self.failed(&format!("{}: {why}", self.step), &[]);
            }
            Event::Switched | Event::Undone | Event::Settled | Event::Baked => {
                self.line(format!("{}: done", self.step));
            }
            Event::Begin | Event::Abort | Event::Interrupted | Event::Promote => {}
        }
    }

    /// Something went wrong and stops nothing.
    pub(super) fn note(&self, text: &str) {
        self.event("note", json!({ "message": text }));
        self.line(paint(WARN, text));
    }

    /// The operator asked for something.
    pub(super) fn heard(&self, wish: Wish) {
        let (name, note) = match wish {
            Wish::Promote => ("promoted", "promoted by hand".to_owned()),
            Wish::TakeBack => ("aborted", "taken back by hand".to_owned()),
            Wish::Leave => {
                let note = format!(
                    "stopping after this step ({}); interrupt again to stop at once",
                    self.step
                );
                ("interrupted", note)
            }
        };
        self.event(name, json!({}));
        self.line(paint(WARN, &note));
    }

    /// The operator asked twice.
    pub(super) fn left(&self) {
        let app = &self.app;
        let note = format!(
            "stopped at once; to see where: appctl status {app}; to finish: appctl resume {app}; to take it back: appctl abort {app}"
        );
        self.line(paint(WARN, &note));
    }

    /// It is over, and how.
    pub(super) fn finished(&self, ended: &Ended, record: &Record) {
        let (exit, sentence, drained) = (verdict::exit(ended), &ended.sentence, ended.drained);
        let seconds = self.began.elapsed().as_secs_f64();
        let fields = json!({
            "outcome": record.rollout.state(), "message": sentence, "seconds": seconds, "exit_code": exit.code(),
            "release": record.about.release, "requests_waited_for": drained.map(|drained| drained.waited_for),
            "requests_cut": drained.map(|drained| drained.cut),
        });
        self.event("end", fields);
        let requests = drained.and_then(|drained| requests(drained, &record.rollout.request().tasks));
        if let Exit::DONE | Exit::CUT = exit {
            let colour = if exit == Exit::DONE { GOOD } else { WARN };
            let requests = requests.map(|text| format!(", {text}")).unwrap_or_default();
            self.line(paint(colour, sentence) + format!(" in {seconds:.1} s{requests}"));
        } else if let Some(text) = requests.filter(|_| drained != Some(Drained::default())) {
            self.line(text);
        }
    }

    /// Draws the live line, now and then. Never returns without one.
    pub(super) async fn tick(&self) {
        if !self.live {
            return std::future::pending().await;
        }
        tokio::time::sleep(TICK).await;
        self.draw();
    }

    fn draw(&self) {
        let seconds = self.step_began.elapsed().as_secs();
        ui::draw(Text::from(format!("{}: {} ", self.app, self.step)) + paint(DIM, &format!("{seconds} s")));
    }

    fn failed(&self, why: &str, said: &[String]) {
        self.line(paint(BAD, why));
        if !said.is_empty() {
            self.line("its last lines:");
        }
        for line in said {
            self.line(format!("  | {line}"));
        }
    }

    fn line(&self, text: impl Into<Text>) {
        if !self.json {
            let text = Text::from(format!("{}: ", self.app)) + text;
            _ = if self.live {
                ui::print_over(text)
            } else {
                ui::print(text)
            };
        }
    }

    fn event(&self, name: &str, mut fields: Value) {
        if self.json {
            fields["event"] = name.into();
            fields["app"] = self.app.as_str().into();
            _ = ui::print_json(&fields);
        }
    }
}

/// `None` where nobody had to end, so that nothing could be in progress.
fn requests(drained: Drained, tasks: &[Task]) -> Option<String> {
    let Drained { waited_for, cut } = drained;
    if drained == Drained::default() {
        let ended = tasks.iter().any(|task| !matches!(task, Task::Start(_)));
        return ended.then(|| "no request was in flight".to_owned());
    }
    let waited_for = quantity::count(waited_for, "request");
    Some(match cut {
        0 => format!("waited for {waited_for} in flight, cut none"),
        cut => format!("waited for {waited_for} in flight, cut {cut}"),
    })
}

fn named(instance: Instance) -> String {
    match instance {
        Instance::Surge => "the surge instance".to_owned(),
        Instance::Number(number) => format!("instance {number}"),
    }
}

#[cfg(test)]
mod tests {
    use appctl::rollout::Task::{self, Restart, Start, Stop};
    use appctl::spec::Instance::Number;

    use super::{Drained, requests};

    #[test]
    fn requests_are_spoken_of_where_an_instance_ended() {
        let said = |waited_for, cut, task: fn(_) -> Task| {
            requests(Drained { waited_for, cut }, &[Start(Number(1)), task(Number(2))])
        };
        assert_eq!(said(0, 0, Start), None);
        assert_eq!(said(0, 0, Stop).as_deref(), Some("no request was in flight"));
        assert_eq!(said(0, 0, Restart).as_deref(), Some("no request was in flight"));
        // Added, and taken back.
        assert_eq!(
            said(2, 1, Start).as_deref(),
            Some("waited for 2 requests in flight, cut 1")
        );
    }
}
