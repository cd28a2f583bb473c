//! What is on disk is the rollout: read back after any event, it goes on as the one that was written.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::world::world;
use super::{CAREFUL, MINUTES, up, verbs};
use crate::rollout::{
    About, Canary, Driver, Event, Move, Policy, Progress, Record, Report, Request, Rollout, Step, Verb,
};
use crate::spec::Instance::{self, Number, Surge};

/// Written and read back.
pub(super) fn kept(rollout: &Rollout) -> Rollout {
    let text = serde_json::to_string(&record(rollout)).expect("plain data");
    let read: Record = serde_json::from_str(&text).expect("the same shape");
    assert_eq!(read.rollout, *rollout);
    read.rollout
}

/// Written by an earlier `appctl`, and read by this one.
pub(super) fn earlier(rollout: &Rollout) -> Rollout {
    let text = serde_json::to_string(&Report::from(&record(rollout))).expect("plain data");
    let read: Report = serde_json::from_str(&text).expect("the same shape");
    let back = Record::from(read.clone());
    assert_eq!(Report::from(&back), read, "it is told in other words");
    back.rollout
}

fn record(rollout: &Rollout) -> Record {
    let driver = Driver {
        user: "ann".to_owned(),
        pid: 4711,
        pid_began: 123_456,
    };
    let about = About::new(
        "myapp".parse().expect("a name"),
        "2026-11-22T10:15:00Z".to_owned(),
        driver,
    );
    Record::new(about, rollout.clone())
}

/// A deploy whose canary answers with errors, on its way back.
fn going_back() -> Record {
    let mut request = Request::new(Verb::Deploy, (2, 2), true, vec![Number(2)], CAREFUL);
    request.canary = Some(Canary {
        count: 1,
        bake: MINUTES,
    });
    request.bake = CAREFUL.settle;
    let runs = BTreeMap::from([(Number(1), "old".to_owned())]);
    let mut rollout = Rollout::new(request).replacing(runs);
    let errs = Event::Errs(Number(2), "boom".to_owned());
    let events = [
        Event::Begin,
        Event::Switched,
        up(Surge),
        Event::Settled,
        up(Number(2)),
        Event::Down(Surge),
        errs,
    ];
    for event in events.into_iter().chain([Event::Undone]) {
        assert_ne!(rollout.step(event), Step::Continue);
    }
    let mut record = record(&rollout);
    let (from, to) = ("20261121T090000Z".parse().ok(), "20261122T101500Z-1a2b3c4".parse());
    record.about.release = to.ok().map(|to| Move { from, to });
    record.about.shims.insert("old".to_owned(), 801);
    record
}

/// Another format needs another number, and a reader of this one.
#[test]
fn the_format_is_the_one_that_has_this_version_number() {
    let text = serde_json::to_string_pretty(&going_back()).expect("plain data");
    assert_eq!(text + "\n", include_str!("version-2.json"));
}

#[test]
fn an_instance_that_was_refused_is_untouched() {
    let mut rollout = Rollout::new(Request::new(Verb::Apply, (1, 1), true, Vec::new(), CAREFUL));
    let refused = Event::Refused(Number(1), "boom".to_owned());
    for event in [Event::Begin, Event::Switched, up(Surge), Event::Settled, refused] {
        rollout.step(event);
    }
    let part = |rollout: &Rollout| Report::from(&record(rollout)).instances[0].progress;
    assert_eq!(part(&rollout), Progress::Waiting);
}

#[test]
fn what_was_promoted_stays_so_in_every_process_that_goes_on_with_it() {
    let mut rollout = going_back().rollout;
    rollout.promote();
    rollout.reopen(&BTreeMap::new());
    assert!(rollout.is_promoted() && rollout.is_going_back());
}

#[test]
fn an_instance_or_a_release_that_cannot_be_is_refused() {
    let good = include_str!("version-2.json");
    for (typed, wrong) in [
        ("\"restart\": \"2\"", "\"restart\": \"02\""),
        ("20261121T090000Z", "../../etc"),
        ("myapp", "My App"),
    ] {
        assert!(good.contains(typed), "{typed}");
        assert!(
            serde_json::from_str::<Record>(&good.replace(typed, wrong)).is_err(),
            "{wrong}"
        );
    }
}

fn instances() -> impl Strategy<Value = Instance> {
    prop_oneof![4 => (1_u16..6).prop_map(Number), 1 => Just(Surge)]
}

/// Anything, whether it answers a step or not.
fn events() -> impl Strategy<Value = Event> {
    let plain = prop::sample::select(vec![
        Event::Begin,
        Event::Abort,
        Event::Switched,
        Event::Undone,
        Event::Settled,
        Event::Baked,
        Event::Promote,
        Event::Interrupted,
        Event::NotSwitched("boom".to_owned()),
        Event::NotUndone("boom".to_owned()),
    ]);
    let one = (0..6, instances()).prop_map(|(kind, who)| match kind {
        0 => up(who),
        1 => Event::Down(who),
        2 => Event::NotUp(who, "boom".to_owned()),
        3 => Event::Refused(who, "boom".to_owned()),
        4 => Event::Died(who, "boom".to_owned()),
        _ => Event::Errs(who, "boom".to_owned()),
    });
    prop_oneof![plain, one]
}

fn requests() -> impl Strategy<Value = Request> {
    let canary = proptest::option::of((1_usize..4, any::<bool>()));
    let plan = (verbs(), 1_u16..6, 1_u16..6, any::<bool>(), any::<bool>(), canary);
    (plan, proptest::option::of(instances())).prop_map(|((verb, before, after, surge, bakes, canary), sick)| {
        let policy = Policy { surge, ..CAREFUL };
        let bake = |time: bool| if time { MINUTES } else { Duration::ZERO };
        let canary = canary.filter(|_| verb == Verb::Deploy);
        let mut request = Request::new(verb, (before, after), verb != Verb::Scale, Vec::new(), policy);
        request.canary = canary.map(|(count, time)| Canary {
            count,
            bake: bake(time),
        });
        request.bake = bake(bakes);
        let has_task = |who: &Instance| request.tasks.iter().any(|task| task.instance() == *who);
        request.ailing = sick.into_iter().filter(has_task).collect();
        request
    })
}

/// The event of each step, now and then another one: so that most rollouts get somewhere.
fn event_of(step: &Step, surprise: Option<Event>) -> Event {
    surprise.unwrap_or_else(|| match step {
        Step::Stage | Step::Commit => Event::Switched,
        Step::Undo => Event::Undone,
        Step::Run(task) if task.brings_up() => up(task.instance()),
        Step::Run(task) => Event::Down(task.instance()),
        Step::Settle(_) => Event::Settled,
        Step::Bake { .. } | Step::Continue | Step::Finish(_) => Event::Baked,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn read_back_after_any_event_it_goes_on_as_if_it_had_never_been_written(
        request in requests(),
        surprises in proptest::collection::vec(proptest::option::weighted(0.3, events()), 1..40),
    ) {
        let mut stays = Rollout::new(request);
        let mut goes = kept(&stays);
        let mut asked = stays.step(Event::Begin);
        prop_assert_eq!(&goes.step(Event::Begin), &asked);
        for surprise in surprises {
            goes = kept(&goes);
            let event = event_of(&asked, surprise);
            let step = stays.step(event.clone());
            prop_assert_eq!(&goes.step(event), &step);
            prop_assert_eq!(&goes, &stays);
            if step != Step::Continue {
                asked = step;
            }
        }
    }

    #[test]
    fn what_an_earlier_appctl_left_after_any_event_is_reopened_as_what_this_one_leaves(
        request in requests(),
        surprises in proptest::collection::vec(proptest::option::weighted(0.2, events()), 0..30),
        dice in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let count = u16::try_from(request.tasks.len()).expect("few");
        let runs = (1..=count).map(|n| (Number(n), format!("old {n}"))).collect();
        let seen = world(&request, count, count, dice).seen();
        let mut rollout = Rollout::new(request).replacing(runs);
        let mut asked = rollout.step(Event::Begin);
        for surprise in surprises {
            let step = rollout.step(event_of(&asked, surprise));
            if step != Step::Continue {
                asked = step;
            }
        }
        let mut before = earlier(&rollout);
        before.reopen(&seen);
        rollout.reopen(&seen);
        prop_assert_eq!(before, rollout);
    }
}
