//! What an app's account, a name or a file could make root do. Each scenario is an attack that worked once.

mod hooks;
mod names;
mod submodules;
mod terminals;
