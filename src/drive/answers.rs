//! What instances have answered.

use std::collections::BTreeMap;

use crate::contract::Responses;
use crate::spec::Instance;

/// What one instance has answered in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answered {
    /// The run.
    pub(super) run: Option<String>,
    /// So many, and so many of them errors.
    pub(super) responses: Responses,
}

/// What each of several has.
pub(super) type Answers = BTreeMap<Instance, Answered>;
