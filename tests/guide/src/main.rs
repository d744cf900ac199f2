//! Draws the pictures of the guide anew, into `docs/pictures`.

use std::{fs, io};

fn main() -> io::Result<()> {
    for (name, picture) in guide::pictures::all() {
        let path = guide::root().join("docs/pictures").join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, picture)?;
    }
    Ok(())
}
