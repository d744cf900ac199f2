//! The archives that a release has are those that cargo-binstall looks for.

const WORKFLOW: &str = include_str!("../../../.github/workflows/release.yml");
const MANIFEST: &str = include_str!("../../Cargo.toml");

/// What a key of the manifest says.
fn said(key: &str) -> &str {
    let (_, rest) = MANIFEST.split_once(&format!("\n{key} = \"")).unwrap();
    rest.split('"').next().unwrap()
}

#[test]
fn archives_are_called_as_the_manifest_says() {
    let (_, archive) = said("pkg-url").rsplit_once('/').unwrap();
    let archive = archive
        .replace("{ name }", said("name"))
        .replace("{ target }", "${{ matrix.target }}")
        .replace("tgz", said("pkg-fmt"));
    assert!(WORKFLOW.contains(&format!("ARCHIVE: {archive}\n")), "{archive}");
    // The program lies at the top of it, under the name of the target in the manifest.
    assert_eq!(said("bin-dir"), "{ bin }{ binary-ext }");
    assert!(WORKFLOW.contains("--directory target/release ${{ matrix.program }}\n"));
    let (_, bin) = MANIFEST.split_once("[[bin]]\nname = \"").unwrap();
    let bin = bin.split('"').next().unwrap();
    for line in WORKFLOW.lines().filter(|line| line.contains("target: ")) {
        let ending = if line.contains("windows") { ".exe" } else { "" };
        assert!(line.ends_with(&format!("program: {bin}{ending} }}")), "{line}");
    }
}
