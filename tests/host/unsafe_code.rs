//! `unsafe` is denied but for documented places: the shader modules without run-time checks, the large
//! files that the program maps, the check that calls Vulkan directly, and where the program and tests
//! enable wgpu's experimental features. The library never does.

use std::fs;
use std::path::Path;

use crate::sources;

#[test]
fn only_documented_places_are_unsafe() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the manifest");
    assert!(manifest.contains("\nunsafe_code = \"deny\"\n"));
    let mut places = Vec::new();
    for path in
        ["src", "cli/src", "tests/isa/src"].iter().flat_map(|folder| sources(&root.join(folder)))
    {
        let text = fs::read_to_string(&path).expect("a source");
        let relative = path.strip_prefix(root).expect("a path below the root").to_path_buf();
        // The only ways around the lint: to lift it, in whatever spelling.
        places.extend(
            text.lines().filter(|line| line.contains("unsafe_code")).map(|_| relative.clone()),
        );
    }
    places.sort();
    let documented = [
        "cli/src/gpu.rs",
        "cli/src/mapped.rs",
        "src/gpu/device/pipelines.rs",
        "src/gpu/tests/mod.rs",
        "tests/isa/src/vulkan.rs",
    ];
    assert_eq!(places, documented.map(Path::new));
}
