//! Requests that were waited for, and cut, while instances were replaced, as their shims noted in the journal: the units
//! themselves have forgotten it by the time they are up again. A shim does not end before the journal has it. What an app
//! writes there counts for nothing, since the kernel says who has written what.

use std::time::Duration;

use crate::contract::Note;
use crate::drive::Drained;
use crate::host::journal::Query;
use crate::observe::journal::Noted;
use crate::rollout::About;

/// A journal that does not answer is no reason to hold up the end.
const PATIENCE: Duration = Duration::from_secs(3);

/// All of them since the rollout began; `None` when the journal does not tell.
pub(super) async fn drained(about: &About) -> Option<Drained> {
    let query = Query {
        since: Some(moment(&about.started)?),
        notes_of: about.shims.clone(),
        ..Query::default()
    };
    tokio::time::timeout(PATIENCE, count(query)).await.ok().flatten()
}

/// As journalctl(1) takes a time of any zone.
fn moment(started: &str) -> Option<String> {
    let started: jiff::Timestamp = started.parse().ok()?;
    Some(format!("@{}.{:03}", started.as_second(), started.subsec_millisecond()))
}

async fn count(query: Query) -> Option<Drained> {
    let mut journal = query.open().ok()?;
    let mut sum = Drained::default();
    while let Some(fields) = journal.next().await.ok()? {
        if let Some(noted) = Noted::of(&fields).filter(|noted| query.notes_of.get(&noted.run) == Some(&noted.pid)) {
            add(&mut sum, &noted.note);
        }
    }
    Some(sum)
}

fn add(sum: &mut Drained, note: &Note) {
    match note {
        Note::WaitedFor { requests } => sum.waited_for += u64::from(*requests),
        Note::Cut { requests } => sum.cut += u64::from(*requests),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Drained, Note, add, moment};

    #[test]
    fn notes_of_requests_add_up_and_others_do_not() {
        let mut sum = Drained::default();
        for note in [
            Note::Cut { requests: 3 },
            Note::WaitedFor { requests: 12 },
            Note::WaitedFor { requests: 5 },
            Note::DrainDeadline { in_flight: 7 },
        ] {
            add(&mut sum, &note);
        }
        assert_eq!(sum, Drained { waited_for: 17, cut: 3 });
    }

    #[test]
    fn what_an_earlier_rollout_has_told_in_the_same_second_is_not_counted() {
        assert_eq!(moment("2026-11-23T04:00:00.25Z").as_deref(), Some("@1795406400.250"));
    }
}
