//! The exit code of a rollout.

use appctl::drive::{Drained, Ended};
use appctl::rollout::{Event, Outcome};
use appctl::spec::AppSpec;

use crate::contained::{End, Failure, Kind};
use crate::context::Context;
use crate::exit::{Exit, ExpectedError};

/// The exit code of an outcome. Taking it back is what `abort` is for; of a deploy it is a failure.
pub(super) fn exit(ended: &Ended) -> Exit {
    let done = match ended.drained {
        Some(Drained { cut: 1.., .. }) => Exit::CUT,
        _ => Exit::DONE,
    };
    match &ended.outcome {
        Outcome::Done { still_down } if still_down.is_empty() => done,
        Outcome::Aborted { no_way_back: None, .. } if ended.wanted == Event::Abort => done,
        Outcome::Interrupted { .. } => Exit::FAILED,
        _ => Exit::ROLLOUT_FAILED,
    }
}

/// Done, or an error that says how it ended. Requests that were cut are told by the command's own end.
pub(super) fn result(ended: Ended, context: &Context, spec: &AppSpec) -> anyhow::Result<()> {
    match exit(&ended) {
        Exit::DONE => Ok(()),
        Exit::CUT => {
            context.note_cut();
            Ok(())
        }
        code => {
            let error = ExpectedError::new(code, format!("{}: {}", spec.name, ended.sentence));
            Err(match ended.first {
                Some(reason) => error.about(Failure::of(spec, Kind::App, End::of(&reason))).into(),
                None => error.into(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Drained, Ended};
    use crate::exit::Exit;
    use appctl::rollout::{Event, Outcome};

    fn exit(outcome: &Outcome, wanted: &Event, drained: Option<Drained>) -> Exit {
        super::exit(&Ended {
            outcome: outcome.clone(),
            sentence: String::new(),
            wanted: wanted.clone(),
            drained,
            first: None,
        })
    }

    #[test]
    fn an_instance_that_stays_down_is_a_failure_even_if_it_was_down_before() {
        let down = Outcome::Done {
            still_down: vec![appctl::spec::Instance::Number(1)],
        };
        assert_eq!(exit(&down, &Event::Begin, None), Exit::ROLLOUT_FAILED);
        let fine = Outcome::Done { still_down: Vec::new() };
        assert_eq!(exit(&fine, &Event::Begin, None), Exit::DONE);
    }

    #[test]
    fn requests_that_were_cut_are_told_unless_there_is_worse() {
        let drained = |waited_for, cut| Some(Drained { waited_for, cut });
        let fine = Outcome::Done { still_down: Vec::new() };
        assert_eq!(exit(&fine, &Event::Begin, drained(3, 0)), Exit::DONE);
        assert_eq!(exit(&fine, &Event::Begin, drained(3, 1)), Exit::CUT);
        let left = Outcome::Interrupted { clean: false };
        assert_eq!(exit(&left, &Event::Begin, drained(3, 1)), Exit::FAILED);
    }

    #[test]
    fn a_deploy_that_someone_takes_back_has_failed_and_the_abort_has_not() {
        let (went_back, no_way_back) = (true, None);
        let back = Outcome::Aborted { went_back, no_way_back };
        assert_eq!(exit(&back, &Event::Begin, None), Exit::ROLLOUT_FAILED);
        assert_eq!(exit(&back, &Event::Abort, None), Exit::DONE);
    }
}
