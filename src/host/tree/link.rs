//! Which links mean the same thing in a copy of their tree.

use std::path::{Component, Path};

/// Whether a link `depth` directories below the top is the same in a copy: it stays inside, or is one of the system. Package
/// managers link to interpreters there, as node-gyp and venv do.
pub fn means_the_same(target: &Path, depth: usize) -> bool {
    stays_inside(target, depth) || is_of_the_system(target)
}

/// Whether it names something in /usr, and nothing on the way out of it again.
fn is_of_the_system(target: &Path) -> bool {
    let below = target.strip_prefix("/usr");
    below.is_ok_and(|below| {
        let mut components = below.components();
        below != Path::new("") && components.all(|component| matches!(component, Component::Normal(_)))
    })
}

/// Relative, no more `..` than `depth`, and none of them behind a name. The last rule makes the answer hold when the names
/// on the way are links too.
fn stays_inside(target: &Path, depth: usize) -> bool {
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
    use super::means_the_same;
    use std::path::Path;

    #[test]
    fn links_of_a_package_manager_are_taken_along() {
        for (target, depth) in [
            ("../mkdirp/bin/cmd.js", 2),
            ("a", 0),
            ("../..", 2),
            (".", 0),
            ("./x", 0),
            ("/usr/bin/python3", 2),
        ] {
            assert!(means_the_same(Path::new(target), depth), "{target}");
        }
    }

    #[test]
    fn links_out_of_the_tree_are_seen_however_they_are_written() {
        for (target, depth) in [
            ("/etc/shadow", 5),
            ("/usr", 1),
            ("/usr/../etc/shadow", 1),
            ("/usr/bin/../../etc/shadow", 1),
            ("/usrx/y", 1),
            ("usr/../../etc", 1),
            ("..", 0),
            ("../../x", 1),
            ("a/../../x", 0),
            ("a/../b", 0),
        ] {
            assert!(!means_the_same(Path::new(target), depth), "{target}");
        }
    }
}
