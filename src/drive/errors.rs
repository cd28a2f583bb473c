//! What a release answers while it is watched: the 5xx of the instances on it since then, held against the instances
//! beside them that are not on it yet, or against those before them once all are. See `[deploy] errors`.

use super::answers::{Answered, Answers};
use crate::contract::Responses;
use crate::spec::Instance;

/// Instances under watch.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    /// Most percent of errors.
    pub(super) limit: u32,
    /// What had been answered when it began.
    pub(super) began: Answers,
    /// What the instances before them had answered, once none of them is left.
    pub(super) before: Option<Responses>,
}

impl Watched {
    /// Which of the `new` instances answers too much with errors, and how much, given what all have answered by `now`.
    pub(super) fn verdict(&self, now: &Answers, new: impl Fn(Instance) -> bool) -> Option<(Instance, String)> {
        let regular = now.iter().filter(|(who, _)| **who != Instance::Surge);
        let (mine, others): (Vec<_>, Vec<_>) = regular
            .map(|(who, answered)| (*who, self.since(*who, answered)))
            .partition(|(who, _)| new(*who));
        let together: Responses = mine.iter().map(|(_, one)| *one).sum();
        let beside: Responses = others.iter().map(|(_, one)| *one).sum();
        if !together.has_too_many_errors(self.before.unwrap_or(beside), self.limit) {
            return None;
        }
        let (who, worst) = mine.iter().max_by_key(|(_, one)| one.errors)?;
        let all = match mine.len() {
            1 => String::new(),
            _ => format!(", all new instances {}", share(together)),
        };
        let others = match self.before {
            Some(before) => format!("the ones before {}", share(before)),
            None => format!("the others {}", share(beside)),
        };
        let text = format!("it answered {} requests with 5xx{all}; {others}", share(*worst));
        Some((*who, text))
    }

    /// One that has been started anew meanwhile counts from zero.
    fn since(&self, who: Instance, now: &Answered) -> Responses {
        let earlier = self.began.get(&who).filter(|began| began.run == now.run);
        now.responses
            .since(earlier.map(|began| began.responses).unwrap_or_default())
    }
}

fn share(responses: Responses) -> String {
    format!("{} of {}", responses.errors, responses.all)
}

#[cfg(test)]
mod tests {
    use super::{Answered, Answers, Responses, Watched};
    use crate::spec::Instance::{self, Number, Surge};

    fn answers(list: &[(Instance, &str, u64, u64)]) -> Answers {
        let one = |(who, run, errors, all): &(Instance, &str, u64, u64)| {
            let responses = Responses {
                all: *all,
                errors: *errors,
            };
            let run = Some((*run).to_owned());
            (*who, Answered { run, responses })
        };
        list.iter().map(one).collect()
    }

    fn watched(before: Option<Responses>) -> Watched {
        Watched {
            limit: 5,
            began: answers(&[(Number(1), "a", 5, 100), (Number(2), "b", 0, 9_000)]),
            before,
        }
    }

    fn is_first(who: Instance) -> bool {
        who == Number(1)
    }

    #[test]
    fn a_canary_is_held_against_those_beside_it_in_the_same_time() {
        let now = answers(&[
            (Number(1), "a", 42, 310),
            (Number(2), "b", 0, 9_630),
            (Surge, "c", 9, 9),
        ]);
        let why = "it answered 37 of 210 requests with 5xx; the others 0 of 630".to_owned();
        assert_eq!(watched(None).verdict(&now, is_first), Some((Number(1), why)));
        let alike = answers(&[(Number(1), "a", 42, 310), (Number(2), "b", 100, 9_630)]);
        assert_eq!(watched(None).verdict(&alike, is_first), None);
    }

    #[test]
    fn all_are_held_against_those_before_them() {
        let now = answers(&[(Number(1), "a", 12, 110), (Number(2), "b", 8, 9_090)]);
        let why = "it answered 8 of 90 requests with 5xx, all new instances 15 of 100; the ones before 3 of 1000";
        let before = Responses { all: 1_000, errors: 3 };
        let told = Some((Number(2), why.to_owned()));
        assert_eq!(watched(Some(before)).verdict(&now, |_| true), told);
        let before = Responses { all: 100, errors: 15 };
        assert_eq!(watched(Some(before)).verdict(&now, |_| true), None);
    }

    #[test]
    fn a_new_run_counts_from_zero() {
        let now = answers(&[(Number(1), "x", 11, 50)]);
        let why = "it answered 11 of 50 requests with 5xx; the others 0 of 0".to_owned();
        assert_eq!(watched(None).verdict(&now, is_first), Some((Number(1), why)));
    }
}
