//! How systemd runs it: a checked [`crate::spec::AppSpec`] in, unit text out. Pure.
