//! What has been promised, and what would break it.

use std::collections::BTreeSet;
use std::fmt;

use semver::{Version, VersionReq};

/// How a surface differs from the promised one. Both are items, one a line, in whatever order.
pub(crate) struct Difference<'a> {
    removed: BTreeSet<&'a str>,
    added: BTreeSet<&'a str>,
    /// Whether code that was written for the promised surface may not compile with the other one.
    pub breaking: bool,
}

impl<'a> Difference<'a> {
    pub(crate) fn between(promised: &'a str, actual: &'a str) -> Self {
        let (promised, actual) =
            (promised.lines().collect::<BTreeSet<_>>(), actual.lines().collect::<BTreeSet<_>>());
        let removed = &promised - &actual;
        let added = &actual - &promised;
        let breaking = !removed.is_empty() || added.iter().any(|item| completes(item, &promised));
        Self { removed, added, breaking }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }
}

/// The lines in their alphabetical order, in which the two forms of a changed item are neighbours.
impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let removed = self.removed.iter().map(|item| (item, '-'));
        let lines: BTreeSet<_> = removed.chain(self.added.iter().map(|item| (item, '+'))).collect();
        lines.iter().try_for_each(|(item, sign)| writeln!(f, "{sign} {item}"))
    }
}

/// Whether an item that is added is a variant or a field of a type that was promised to be
/// complete, as those are that are not `#[non_exhaustive]`: a caller's `match` or literal then
/// lacks it. Strict with structs whose private fields forbid literals anyway.
fn completes(item: &str, promised: &BTreeSet<&str>) -> bool {
    let name = |text: &'_ str| {
        text.split(['(', '<', ' ']).next().unwrap_or_default().trim_end_matches(':').to_owned()
    };
    // Variants and fields alone are written without a keyword such as `fn`.
    let Some(path) = item.strip_prefix("pub ").map(name) else { return false };
    let Some((parent, _)) = path.rsplit_once("::") else { return false };
    let kinds = ["pub enum ", "pub struct ", "pub union ", "pub "];
    promised.iter().any(|line| {
        kinds.iter().any(|kind| line.strip_prefix(kind).is_some_and(|rest| name(rest) == parent))
    })
}

/// The release of which `version` is an update to Cargo, and whose promises it has to keep, if the
/// changelog has a heading for one.
pub(crate) fn bound_by(version: &Version, changelog: &str) -> Option<Version> {
    let headings = changelog.lines().filter_map(|line| line.strip_prefix("## [")?.split_once(']'));
    let mut released = headings.filter_map(|(name, _)| Version::parse(name).ok());
    released.find(|release| {
        VersionReq::parse(&release.to_string()).is_ok_and(|updates| updates.matches(version))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMISED: &str = "\
pub enum x::Closed
pub x::Closed::One
#[non_exhaustive] pub enum x::Open
pub x::Open::One
pub struct x::Pair<T>
pub x::Pair::first: T
impl core::marker::Send for x::Open
pub fn x::Pair::new(usize) -> Self";

    fn with(line: &str) -> String {
        format!("{PROMISED}\n{line}")
    }

    #[test]
    fn order_is_no_difference() {
        let reversed: Vec<_> = PROMISED.lines().rev().collect();
        assert!(Difference::between(PROMISED, &reversed.join("\n")).is_empty());
    }

    #[test]
    fn what_is_lost_or_changed_breaks() {
        for line in PROMISED.lines() {
            let rest =
                PROMISED.lines().filter(|other| *other != line).collect::<Vec<_>>().join("\n");
            assert!(Difference::between(PROMISED, &rest).breaking, "{line}");
        }
        let changed = PROMISED.replace("new(usize)", "new(u32)");
        let difference = Difference::between(PROMISED, &changed);
        assert!(difference.breaking);
        assert_eq!(
            difference.to_string(),
            "+ pub fn x::Pair::new(u32) -> Self\n- pub fn x::Pair::new(usize) -> Self\n"
        );
    }

    #[test]
    fn what_is_added_breaks_only_what_was_complete() {
        for line in
            ["pub x::Closed::Two(usize)", "pub x::Pair::second: T", "pub x::Closed::One::field: u8"]
        {
            assert!(Difference::between(PROMISED, &with(line)).breaking, "{line}");
        }
        for line in [
            "pub x::Open::Two",
            "pub fn x::Pair::second(&self) -> T",
            "pub enum x::New",
            "impl A for x::Closed",
        ] {
            let promised = with(line);
            let difference = Difference::between(PROMISED, &promised);
            assert!(!difference.breaking && !difference.is_empty(), "{line}");
        }
    }

    #[test]
    fn a_release_binds_its_updates() {
        let changelog = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2030-01-01\n\n## [0.1.3] - 2029-01-01\n";
        let bound = |version: &str| {
            bound_by(&version.parse().expect("a version"), changelog).map(|v| v.to_string())
        };
        assert_eq!(bound("0.1.3").as_deref(), Some("0.1.3"));
        assert_eq!(bound("0.1.4").as_deref(), Some("0.1.3"));
        assert_eq!(bound("0.2.0"), None);
        assert_eq!(bound("1.3.0").as_deref(), Some("1.2.0"));
        assert_eq!(bound("2.0.0"), None);
        assert_eq!(bound_by(&Version::new(0, 1, 0), "## [Unreleased]\n\nTo become 0.1.0.\n"), None);
    }
}
