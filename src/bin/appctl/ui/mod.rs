//! What people see: colours, tables, errors. Plain text in a pipe.
//!
//! Text from outside, of apps, files, git or the system, is escaped on its way into a [`Text`]; the sink prints nothing
//! else.

pub(crate) mod error;
pub(crate) mod quantity;
pub(crate) mod report;
mod sink;
pub(crate) mod style;
pub(crate) mod table;
mod text;
pub(crate) mod usage;

pub(crate) use sink::{answer, ask, choose_colour, complain, draw, is_live, print, print_json, print_over, warn};
pub(crate) use text::{Text, paint};
