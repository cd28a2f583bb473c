//! When to restart what: events in, steps out. Pure.
