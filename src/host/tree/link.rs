//! Which links mean the same thing in a copy of their tree.

use std::path::{Component, Path};

/// Whether a link `depth` directories below the top stays inside: relative, no more `..` than `depth`, and none of them
/// behind a name. The last rule makes the answer hold when the names on the way are links too.
pub fn stays_inside(target: &Path, depth: usize) -> bool {
    let mut ups = 0;
    let mut names = 0;
    for component in target.components() {
        match component {
            Component::ParentDir if names == 0 => ups += 1,
            Component::CurDir => {}
            Component::Normal(_) => names += 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    ups <= depth
}

#[cfg(test)]
mod tests {
    use super::stays_inside;
    use std::path::Path;

    #[test]
    fn links_of_a_package_manager_stay_inside() {
        for (target, depth) in [
            ("../mkdirp/bin/cmd.js", 2),
            ("a", 0),
            ("../..", 2),
            (".", 0),
            ("./x", 0),
        ] {
            assert!(stays_inside(Path::new(target), depth), "{target}");
        }
    }

    #[test]
    fn links_out_of_the_tree_are_seen_however_they_are_written() {
        for (target, depth) in [
            ("/etc/shadow", 5),
            ("..", 0),
            ("../../x", 1),
            ("a/../../x", 0),
            ("a/../b", 0),
        ] {
            assert!(!stays_inside(Path::new(target), depth), "{target}");
        }
    }
}
