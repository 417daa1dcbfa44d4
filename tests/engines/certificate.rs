//! A certificate for an engine, and the authority that has signed it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::postgres::{is_root, user_id};
use crate::process::{Folder, give_to};

/// The files of a certificate for `127.0.0.1`, in a folder of their own.
#[derive(Debug)]
pub struct Certificate(Folder);

impl Certificate {
    /// Creates an authority that nobody knows, and lets it sign a certificate.
    ///
    /// # Panics
    ///
    /// If the files cannot be written.
    #[must_use]
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();

        let files = Certificate(Folder::new());
        fs::write(files.authority(), authority.pem()).unwrap();
        fs::write(files.certificate(), certificate.pem()).unwrap();
        fs::write(files.key(), key.serialize_pem()).unwrap();
        // PostgreSQL refuses a key that others can read.
        fs::set_permissions(files.key(), fs::Permissions::from_mode(0o600)).unwrap();
        if is_root() {
            give_to(&files.key(), user_id());
        }
        files
    }

    /// Returns the file of the authority.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.file("authority.pem")
    }

    /// Returns the file of the certificate.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.file("certificate.pem")
    }

    /// Returns the file of the private key.
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.file("key.pem")
    }

    fn file(&self, name: &str) -> PathBuf {
        Path::join(self.0.path(), name)
    }
}

impl Default for Certificate {
    fn default() -> Self {
        Self::new()
    }
}
