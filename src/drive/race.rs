//! Waiting for the first of several things, in a fixed order where more than one is there.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use super::{Operator, Systemd, Wish};
use crate::spec::Instance;

/// What was there first.
pub(super) enum First<T> {
    /// The step is done.
    Done(T),
    /// The operator wants something.
    Wish(Wish),
    /// Instances have changed, or systemd is gone.
    Changed(anyhow::Result<Vec<Instance>>),
}

/// Waits for the end of `work`, a wish or a change.
pub(super) async fn first<T>(
    mut work: Pin<&mut impl Future<Output = T>>,
    operator: &mut impl Operator,
    systemd: &impl Systemd,
) -> First<T> {
    let mut wish = pin!(operator.wish());
    let mut changed = pin!(systemd.changed());
    poll_fn(|context| {
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(First::Done(done));
        }
        if let Poll::Ready(wish) = wish.as_mut().poll(context) {
            return Poll::Ready(First::Wish(wish));
        }
        changed.as_mut().poll(context).map(First::Changed)
    })
    .await
}
