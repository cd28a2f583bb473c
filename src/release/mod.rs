//! Which code is live: ids, order, layout. Pure.
