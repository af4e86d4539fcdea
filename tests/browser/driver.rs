//! A small client of WebDriver (<https://www.w3.org/TR/webdriver2/>), as much of
//! it as the tests need: chromedriver is started and ended by whoever drives.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// The member that stands for an element in WebDriver's JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub struct Browser {
    driver: Child,
    session: String,
    _profile: tempfile::TempDir,
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places.find(|place| place.is_file())
}

/// By the names that systems give it.
fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(find)
}

/// Are Chromium and its driver here? Says so where they are not. With
/// `NETLAB_REQUIRE_LIVE=1` that is a failure.
pub fn available() -> bool {
    let there = find("chromedriver").and(chromium()).is_some();
    if !there {
        let required = std::env::var_os("NETLAB_REQUIRE_LIVE").is_some_and(|v| v == "1");
        assert!(
            !required,
            "NETLAB_REQUIRE_LIVE=1, and chromium or chromedriver is missing"
        );
        eprintln!("not tested: chromium or chromedriver is missing");
    }
    there
}

impl Browser {
    /// A window of `width` by `height`, in light or dark colours.
    pub fn start(width: u32, height: u32, dark: bool) -> Browser {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let port = port(&mut driver);
        let profile = tempfile::tempdir().unwrap();
        let mut args = vec![
            "--headless".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--no-first-run".to_owned(),
            "--hide-scrollbars".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
            format!("--window-size={width},{height}"),
        ];
        if rustix::process::geteuid().is_root() {
            args.push("--no-sandbox".to_owned());
        }
        if dark {
            args.push("--blink-settings=preferredColorScheme=0".to_owned());
        }
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": args, "binary": chromium() },
        }}});
        let server = format!("http://127.0.0.1:{port}/session");
        let mut browser = Browser {
            driver,
            session: server.clone(),
            _profile: profile,
        };
        let answer = browser.post("", wanted);
        let id = answer["sessionId"].as_str().unwrap().to_owned();
        browser.session = format!("{server}/{id}");
        // A phone is narrower than a window may be.
        browser.cdp(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false }),
        );
        let scheme = if dark { "dark" } else { "light" };
        browser.cdp(
            "Emulation.setEmulatedMedia",
            json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] }),
        );
        browser
    }

    fn cdp(&self, command: &str, parameters: Value) {
        self.post(
            "/goog/cdp/execute",
            json!({ "cmd": command, "params": parameters }),
        );
    }

    fn post(&self, path: &str, body: Value) -> Value {
        let response = ureq::post(format!("{}{path}", self.session))
            .config()
            .http_status_as_error(false)
            .build()
            .send(body.to_string());
        let text = response.unwrap().body_mut().read_to_string().unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        let value = answer["value"].clone();
        assert!(value["error"].is_null(), "{path}: {value}");
        value
    }

    /// Opens a page of the tool and waits until it is ready.
    pub fn open(&self, page: &Path, fragment: &str) {
        self.go(&format!("file://{}{fragment}", page.display()));
        self.wait("return document.body.dataset.ready === 'yes'");
    }

    /// Opens a page that is ready when it is there.
    pub fn load(&self, page: &Path) {
        self.go(&format!("file://{}", page.display()));
    }

    /// Goes to an address.
    pub fn go(&self, address: &str) {
        self.post("/url", json!({ "url": address }));
    }

    /// The value of a script: `return …`.
    pub fn run(&self, script: &str) -> Value {
        self.run_with(script, Vec::new())
    }

    pub fn run_with(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.post(
            "/execute/sync",
            json!({ "script": script, "args": arguments }),
        )
    }

    pub fn text(&self, selector: &str) -> String {
        let script = "return document.querySelector(arguments[0]).textContent";
        let text = self.run_with(script, vec![json!(selector)]);
        text.as_str().unwrap().to_owned()
    }

    pub fn number(&self, script: &str) -> u64 {
        self.run(script).as_u64().unwrap()
    }

    /// Until a script is true; for ten seconds at most.
    pub fn wait(&self, script: &str) {
        let script = format!(
            "const done = arguments[0]; const end = Date.now() + 10000; \
             const test = () => {{ {script} }}; \
             const look = () => test() ? done(true) : Date.now() > end ? done(false) \
             : requestAnimationFrame(look); look();"
        );
        let held = self.post("/execute/async", json!({ "script": script, "args": [] }));
        assert_eq!(held, json!(true), "never true: {script}");
    }

    /// Types into the element, as a person does; `\u{e007}` is the Enter key.
    pub fn keys(&self, selector: &str, keys: &str) {
        let found = self.post(
            "/element",
            json!({ "using": "css selector", "value": selector }),
        );
        let id = found[ELEMENT].as_str().unwrap();
        self.post(&format!("/element/{id}/value"), json!({ "text": keys }));
    }

    pub fn click(&self, selector: &str) {
        let script = "document.querySelector(arguments[0]) \
            .dispatchEvent(new MouseEvent('click', { bubbles: true }))";
        self.run_with(script, vec![json!(selector)]);
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = ureq::delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The port that the driver chose, which is in its first lines.
fn port(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let found = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, port) = line.split_once("successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    // It may go on to write: somebody must read.
    std::thread::spawn(move || lines.for_each(drop));
    found.expect("chromedriver tells its port")
}
