//! Names and words of systemd's, as this folder reads them.

use super::units::object_path;

#[test]
fn a_unit_is_found_under_its_escaped_name() {
    let path = |unit| object_path(unit).rsplit('/').next().map(str::to_owned);
    assert_eq!(path("myapp@1.service").as_deref(), Some("myapp_401_2eservice"));
    assert_eq!(path("0x-y_z.socket").as_deref(), Some("_30x_2dy_5fz_2esocket"));
}
