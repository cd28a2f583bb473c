//! The one promise under every shape of load: each request is answered, by the old instance or by the new one. With the
//! strict client, which never retries, and with controls that do lose.

mod control;
mod every_shape;
mod field;
mod nginx;
mod scale;
