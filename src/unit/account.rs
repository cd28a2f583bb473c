//! Whom an app runs as that names no user: an account that is this app's alone.

use crate::spec::AppName;

/// Its name, and that of its group: readable while it fits the 31 bytes of a user name, a hash (FNV-1a) beyond.
///
/// Units name it in `User=` beside `DynamicUser=`. systemd takes the account that is there, which `appctl` makes when the
/// app gets its first release; without one it makes a transient user of this name.
pub fn account_name(app: &AppName) -> String {
    const LONGEST: usize = 31;
    let name = format!("appctl-{app}");
    if name.len() <= LONGEST {
        return name;
    }
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = app.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, step);
    format!("appctl-{hash:016x}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn long_names_still_make_a_user_name() {
        let user = |name: &str| super::account_name(&name.parse().expect("a valid name"));
        assert_eq!(user("my-app"), "appctl-my-app");
        let (a, b) = (user(&"a".repeat(63)), user(&"b".repeat(63)));
        assert!(a.len() <= 31 && a != b);
    }
}
