//! The operator at the command line: sees the progress, and asks by signals.

use appctl::drive::{News, Operator, Wish};
use appctl::spec::AppName;

use super::Interrupts;
use super::interrupt::Asked;
use super::progress::Progress;

/// Where a rollout is shown, and asked for more.
#[derive(Debug)]
pub(super) struct Console<'a> {
    progress: Progress,
    interrupts: &'a mut Interrupts,
}

impl<'a> Console<'a> {
    pub(super) fn new(app: &AppName, json: bool, interrupts: &'a mut Interrupts) -> Self {
        let progress = Progress::new(app, json);
        Self { progress, interrupts }
    }
}

impl Operator for Console<'_> {
    fn tell(&mut self, news: News<'_>) {
        match news {
            News::Begins(record) => self.progress.begin(record),
            News::Step(step) => self.progress.begins(step),
            News::Happened(event, said) => self.progress.happened(event, said),
            News::Note(text) => self.progress.note(text),
            News::Heard(wish) => self.progress.heard(wish),
            News::Ended(ended, record) => self.progress.finished(ended, record),
        }
    }

    async fn wish(&mut self) -> Wish {
        loop {
            tokio::select! {
                biased;
                asked = self.interrupts.wish() => match asked {
                    Asked::Leave(1) => return Wish::Leave,
                    Asked::Leave(_) => {
                        self.progress.left();
                        std::process::exit(1);
                    }
                    Asked::Promote => return Wish::Promote,
                    Asked::TakeBack => return Wish::TakeBack,
                },
                () = self.progress.tick() => {}
            }
        }
    }
}
