//! The text of /etc/passwd and /etc/group, passwd(5) and group(5). What is written there exists for good, whereas the
//! user database also knows the transient users of systemd.

/// The line of an account in /etc/passwd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The user ID.
    pub user: u32,
    /// The number of its primary group.
    pub group: u32,
    /// The comment (GECOS), by which appctl knows accounts that it made.
    pub comment: String,
}

/// The line of the user `name` in the text of /etc/passwd, if any.
pub fn user(passwd: &str, name: &str) -> Option<Entry> {
    let fields = line(passwd, name)?;
    let [_, user, group, comment, ..] = fields[..] else {
        return None;
    };
    Some(Entry {
        user: user.parse().ok()?,
        group: group.parse().ok()?,
        comment: comment.to_owned(),
    })
}

/// Whether a user is listed as a member of a group; that a group is its primary one does not count.
pub fn is_member(groups: &str, group: &str, user: &str) -> bool {
    let members = line(groups, group).and_then(|fields| fields.get(2).copied());
    members.is_some_and(|members| members.split(',').any(|member| !member.is_empty() && member == user))
}

/// Whether there is a line of this name.
pub fn is_there(text: &str, name: &str) -> bool {
    line(text, name).is_some()
}

/// All groups of a process, `/proc/PID/status` of proc(5).
pub fn groups_of_process(status: &str) -> Vec<u32> {
    let lines = status
        .lines()
        .filter_map(|line| line.strip_prefix("Gid:").or_else(|| line.strip_prefix("Groups:")));
    lines
        .flat_map(str::split_ascii_whitespace)
        .filter_map(|number| number.parse().ok())
        .collect()
}

/// The fields after the name.
fn line<'t>(text: &'t str, name: &str) -> Option<Vec<&'t str>> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.split(':').collect())
}

#[cfg(test)]
mod tests {
    use super::{Entry, groups_of_process, is_member, user};

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let passwd =
            "root:x:0:0:root:/root:/bin/sh\nappctl-web2:x:9:9::/:/bin/sh\nappctl-web:x:998:997:appctl app web:/:/x\n";
        let web = Entry {
            user: 998,
            group: 997,
            comment: "appctl app web".to_owned(),
        };
        assert_eq!(user(passwd, "appctl-web"), Some(web));
        for none in ["appctl", "web", "", "appctl-web:x"] {
            assert_eq!(user(passwd, none), None, "{none}");
        }
    }

    #[test]
    fn members_are_whole_names_too() {
        let groups = "appctl:x:1:\nold:x:2:ab,abc\n";
        assert!(is_member(groups, "old", "abc") && is_member(groups, "old", "ab"));
        assert!(!is_member(groups, "old", "a") && !is_member(groups, "appctl", ""));
        assert!(!is_member(groups, "none", "ab"));
    }

    #[test]
    fn a_process_is_in_its_own_group_and_in_the_others() {
        let status = "Name:\tnode\nUid:\t1\t1\t1\t1\nGid:\t5\t5\t5\t5\nGroups:\t7 8 \nNStgid:\t99\n";
        assert_eq!(groups_of_process(status), [5, 5, 5, 5, 7, 8]);
    }
}
