//! The key of the debug profile, kept in cargo's target directory, so that logins survive `cargo run`.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::token::secret::SecretKey;

/// Returns the key that is kept for a program, and creates it the first time; `None` where none can be kept.
pub(super) fn kept_for(program: &Path) -> Option<SecretKey> {
    let file = file_of(program)?;
    read(&file).or_else(|| {
        create(&file).ok()?;
        read(&file)
    })
}

/// Returns the key's file. It is beside the program and has its name, so no two programs share a key.
fn file_of(program: &Path) -> Option<PathBuf> {
    // Cargo tags its target directory. Tests are in `deps`; many of them start at once, and none needs its logins again.
    let mut folders = program.ancestors();
    let is_built_here = folders.any(|folder| folder.join("CACHEDIR.TAG").is_file());
    let is_test = program.parent()?.ends_with("deps");
    let mut name = program.file_name()?.to_owned();
    name.push(".login-key");
    (is_built_here && !is_test).then(|| program.with_file_name(name))
}

fn read(file: &Path) -> Option<SecretKey> {
    if !is_private(&fs::symlink_metadata(file).ok()?) {
        return None;
    }
    SecretKey::from_text(&fs::read_to_string(file).ok()?).ok()
}

/// Whether a file is readable by its owner only.
fn is_private(file: &fs::Metadata) -> bool {
    #[cfg(unix)]
    let is_private = std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o777 == 0o600;
    #[cfg(not(unix))]
    let is_private = true;
    file.is_file() && is_private
}

/// Writes a new key, in place of a file that cannot be used.
fn create(file: &Path) -> io::Result<()> {
    // `tempfile` gives the mode 0600, and a half-written file never has the key's name.
    let mut new = NamedTempFile::new_in(file.parent().unwrap_or(file))?;
    new.write_all(SecretKey::generate_text()?.as_bytes())?;
    new.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tempfile::TempDir;

    use super::*;

    /// A target directory.
    fn target() -> TempDir {
        let target = tempfile::tempdir().unwrap();
        fs::write(target.path().join("CACHEDIR.TAG"), "").unwrap();
        fs::create_dir_all(target.path().join("debug/deps")).unwrap();
        target
    }

    #[test]
    fn a_program_keeps_its_key_and_shares_it_with_no_other() {
        let target = target();
        let shop = target.path().join("debug/shop");
        let key = kept_for(&shop).unwrap();
        assert_eq!(kept_for(&shop), Some(key.clone()));
        assert_ne!(kept_for(&target.path().join("debug/office")), Some(key));
    }

    #[test]
    #[cfg(unix)]
    fn only_a_file_for_its_owner_alone_is_used() {
        use std::os::unix::fs::PermissionsExt as _;
        let target = target();
        let shop = target.path().join("debug/shop");
        let file = file_of(&shop).unwrap();
        let key = kept_for(&shop).unwrap();
        let mode = |file: &Path| fs::metadata(file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&file), 0o600);

        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let next = kept_for(&shop).unwrap();
        assert_ne!(next, key);
        assert_eq!(mode(&file), 0o600);

        let elsewhere = target.path().join("elsewhere");
        fs::rename(&file, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
        assert_ne!(kept_for(&shop).unwrap(), next);
    }

    #[test]
    fn a_damaged_file_is_replaced() {
        let target = target();
        let shop = target.path().join("debug/shop");
        let file = file_of(&shop).unwrap();
        kept_for(&shop).unwrap();
        fs::write(&file, "short").unwrap();
        let key = kept_for(&shop).unwrap();
        assert_eq!(kept_for(&shop), Some(key));
    }

    #[test]
    fn nothing_is_kept_where_it_cannot_or_should_not_be() {
        let target = target();
        assert_eq!(kept_for(&target.path().join("debug/deps/shop-0123")), None);
        assert_eq!(kept_for(&target.path().join("release/shop")), None);
        // Stands for a folder that cannot be written.
        let taken = target.path().join("debug/taken");
        fs::create_dir_all(file_of(&taken).unwrap().join("x")).unwrap();
        assert_eq!(kept_for(&taken), None);
        let elsewhere = tempfile::tempdir().unwrap();
        assert_eq!(kept_for(&elsewhere.path().join("shop")), None);
    }
}
