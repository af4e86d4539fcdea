//! What is served: the pages inside the binary, or a folder.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::response::Status;
use super::target::Names;
use crate::lab::LabError;
use crate::lab::error::cause;
use crate::www::PAGES;

const INDEX: &str = "index.html";

/// A document root.
#[derive(Debug)]
pub enum Site {
    /// `www/`, as it was when the binary was built.
    Embedded,
    Folder(Folder),
}

/// A folder, with every symbolic link in its own path resolved.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    /// Open, so that files are opened relative to it.
    #[cfg(target_os = "linux")]
    handle: File,
}

/// A file to send.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) content_type: &'static str,
    pub(super) length: u64,
    pub(super) body: Body,
}

#[derive(Debug)]
pub(super) enum Body {
    Bytes(&'static [u8]),
    File(File),
}

impl Site {
    /// # Errors
    /// It is no folder, or it cannot be read.
    pub fn folder(path: &Path) -> Result<Self, LabError> {
        let open = || -> io::Result<Folder> {
            let root = fs::canonicalize(path)?;
            // To list it is to know that it is a folder and can be read.
            fs::read_dir(&root)?;
            Ok(Folder {
                #[cfg(target_os = "linux")]
                handle: File::open(&root)?,
                root,
            })
        };
        open().map(Site::Folder).map_err(|error| LabError::Root {
            folder: path.display().to_string(),
            cause: cause(&error),
        })
    }

    /// # Errors
    /// 403 for what may not be read, 404 for everything else that is not a file
    /// of this site.
    pub(super) fn find(&self, names: &Names) -> Result<Found, Status> {
        match self {
            Site::Embedded => embedded(names),
            Site::Folder(folder) => folder.find(names),
        }
    }
}

fn embedded(names: &Names) -> Result<Found, Status> {
    let mut path = names.names.join("/");
    let is_folder = path.is_empty() || PAGES.get_dir(&path).is_some();
    if names.folder && !is_folder {
        return Err(Status::NotFound);
    }
    if is_folder {
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(INDEX);
    }
    let file = PAGES.get_file(&path).ok_or(Status::NotFound)?;
    let bytes = file.contents();
    Ok(Found {
        content_type: content_type(Path::new(&path)),
        length: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        body: Body::Bytes(bytes),
    })
}

impl Folder {
    fn find(&self, names: &Names) -> Result<Found, Status> {
        let mut path = self.root.clone();
        path.extend(&names.names);
        let mut inside = self.inside(&path)?;
        if inside.is_dir {
            path.push(INDEX);
            inside = self.inside(&path)?;
        } else if names.folder {
            return Err(Status::NotFound);
        }
        if !inside.is_file {
            return Err(Status::NotFound);
        }
        let file = self
            .open(&inside.relative)
            .map_err(|error| refusal(&error))?;
        let now = file.metadata().map_err(|error| refusal(&error))?;
        if !now.is_file() {
            return Err(Status::NotFound);
        }
        Ok(Found {
            content_type: content_type(&path),
            length: now.len(),
            body: Body::File(file),
        })
    }

    /// Follows every symbolic link and tells where it ends, if that is below the
    /// root.
    fn inside(&self, path: &Path) -> Result<Inside, Status> {
        let real = fs::canonicalize(path).map_err(|error| refusal(&error))?;
        let relative = real
            .strip_prefix(&self.root)
            .map_err(|_| Status::NotFound)?
            .to_path_buf();
        let metadata = fs::metadata(&real).map_err(|error| refusal(&error))?;
        Ok(Inside {
            relative,
            is_dir: metadata.is_dir(),
            is_file: metadata.is_file(),
        })
    }

    /// Opens a path without links relative to the root. A link that was put in
    /// its way since it was resolved is not followed, and a pipe does not block.
    #[cfg(target_os = "linux")]
    fn open(&self, relative: &Path) -> io::Result<File> {
        use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
        let opened = openat2(
            &self.handle,
            relative,
            OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK,
            Mode::empty(),
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS,
        )?;
        Ok(File::from(opened))
    }

    #[cfg(not(target_os = "linux"))]
    fn open(&self, relative: &Path) -> io::Result<File> {
        File::open(self.root.join(relative))
    }
}

/// Where a path below the root ends.
struct Inside {
    relative: PathBuf,
    is_dir: bool,
    is_file: bool,
}

fn refusal(error: &io::Error) -> Status {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Status::Forbidden,
        _ => Status::NotFound,
    }
}

/// By the end of the name, case not counting. Text is UTF-8.
fn content_type(path: &Path) -> &'static str {
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default();
    match extension.as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "md" => "text/markdown; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "xml" => "application/xml",
        "json" => "application/json",
        "pdf" => "application/pdf",
        "wasm" => "application/wasm",
        "zip" => "application/zip",
        "avif" => "image/avif",
        "gif" => "image/gif",
        "ico" => "image/vnd.microsoft.icon",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::super::target;
    use super::*;

    fn find(site: &Site, target: &str) -> Result<Found, Status> {
        site.find(&target::names(target)?)
    }

    #[test]
    fn the_embedded_pages_are_there() {
        let page = find(&Site::Embedded, "/HelloWorld.html").unwrap();
        assert_eq!(page.content_type, "text/html; charset=utf-8");
        assert!(page.length > 0);
        let index = find(&Site::Embedded, "/").unwrap();
        assert_eq!(index.content_type, "text/html; charset=utf-8");
        for missing in ["/nothing.html", "/HelloWorld.html/", "/HelloWorld.html/x"] {
            assert_eq!(
                find(&Site::Embedded, missing).unwrap_err(),
                Status::NotFound,
                "{missing}"
            );
        }
    }

    #[test]
    fn a_folder_gives_its_files_and_its_index() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        fs::create_dir(folder.path().join("bare")).unwrap();
        fs::write(folder.path().join("a.TXT"), "abc").unwrap();
        fs::write(folder.path().join("sub/index.html"), "index").unwrap();
        let site = Site::folder(folder.path()).unwrap();
        let file = find(&site, "/a.TXT").unwrap();
        assert_eq!(file.length, 3);
        assert_eq!(file.content_type, "text/plain; charset=utf-8");
        assert_eq!(find(&site, "/sub").unwrap().length, 5);
        assert_eq!(find(&site, "/sub/").unwrap().length, 5);
        for missing in ["/", "/bare", "/a.TXT/", "/a.TXT/b", "/b"] {
            assert_eq!(
                find(&site, missing).unwrap_err(),
                Status::NotFound,
                "{missing}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_inside_the_root_only() {
        use std::os::unix::fs::symlink;
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "secret").unwrap();
        fs::write(outside.path().join("index.html"), "secret").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("page.html"), "page").unwrap();
        fs::create_dir(root.join("sub")).unwrap();
        symlink("page.html", root.join("near")).unwrap();
        symlink(root.join("page.html"), root.join("absolute")).unwrap();
        symlink(outside.path().join("secret"), root.join("file")).unwrap();
        symlink(outside.path(), root.join("folder")).unwrap();
        symlink(
            outside.path().join("index.html"),
            root.join("sub/index.html"),
        )
        .unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let site = Site::folder(root).unwrap();
        assert_eq!(find(&site, "/near").unwrap().length, 4);
        assert_eq!(find(&site, "/absolute").unwrap().length, 4);
        for target in ["/file", "/folder/secret", "/folder/", "/sub/", "/loop"] {
            assert_eq!(
                find(&site, target).unwrap_err(),
                Status::NotFound,
                "{target}"
            );
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_link_put_in_the_way_after_the_check_is_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "secret").unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("way")).unwrap();
        let Site::Folder(site) = Site::folder(folder.path()).unwrap() else {
            panic!("a folder was asked for");
        };
        assert!(site.open(Path::new("way/secret")).is_err());
        assert!(site.open(Path::new("../secret")).is_err());
    }

    #[test]
    fn a_root_that_is_no_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [file, folder.path().join("nothing")] {
            let error = Site::folder(&path).unwrap_err().to_string();
            assert!(error.contains(&path.display().to_string()), "{error}");
            assert!(error.contains("--root"), "{error}");
        }
    }
}
