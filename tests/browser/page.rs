//! What a reader sees and does.

use serde_json::json;

use super::driver::{Browser, available};
use super::{capture, page, page_alone, page_of};

#[test]
fn the_refusing_packet_is_seen_and_chosen_everywhere() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let browser = Browser::start(1280, 900, false);
    browser.open(&page_of(folder.path(), "tcp-refused"), "#packet=2");
    assert_eq!(browser.text("#top .verdict"), "PASS");
    assert!(browser.text("#top h1").contains("TCP client before server"));
    assert!(
        browser
            .text("#counts")
            .contains("Packets: 2 · Displayed: 2 (100.0 %) · Dropped: 0")
    );
    assert_eq!(
        browser.number("return document.querySelectorAll('.arrow').length"),
        2
    );
    // The link names the packet: it is chosen in ladder, list and layers.
    assert!(browser.text(".arrow.selected").contains("RST,ACK"));
    assert!(
        browser
            .text("#list [aria-selected=true]")
            .contains("RST,ACK")
    );
    assert!(browser.text("#detail-tools").contains("Packet 2"));
    assert_eq!(
        browser.text(".cell[data-field='tcp.flags.reset'] strong"),
        "1"
    );
    assert_eq!(
        browser.text(".cell[data-field='tcp.flags.fin'] strong"),
        "0"
    );
    // An arrow leads to its packet.
    browser.click(".arrow[data-number='1']");
    assert!(browser.text("#detail-tools").contains("Packet 1"));
    assert_eq!(browser.run("return location.hash"), json!("#packet=1"));
}

#[test]
fn the_eight_bytes_of_a_udp_header_are_drawn_with_their_values() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let browser = Browser::start(1280, 900, false);
    browser.open(&page_of(folder.path(), "udp-no-server"), "#packet=1");
    assert_eq!(
        browser.text(".cell[data-field='udp.dstport'] strong"),
        "12000"
    );
    assert_eq!(browser.text(".cell[data-field='udp.length'] strong"), "13");
    // A field chosen lights its bytes: two, of the four times two of the header.
    browser.click(".cell[data-field='udp.length']");
    let lit = "return [...document.querySelectorAll('#bytes .hex .lit')].map(b => b.textContent).join('')";
    assert_eq!(browser.run(lit), json!("000d"));
    // A byte chosen finds its field.
    browser.click("#bytes .hex [data-byte='34']");
    assert!(
        browser
            .text("#tree [aria-selected=true] > .line")
            .contains("Source port")
    );
    // The error that came back points at it, and the datagram is drawn as lost.
    assert_eq!(
        browser.number("return document.querySelectorAll('#ladder-box .quote').length"),
        1
    );
    assert_eq!(
        browser.number("return document.querySelectorAll('#ladder-box .lost').length"),
        1
    );
}

#[test]
fn the_filter_filters_completes_and_corrects() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let browser = Browser::start(1280, 900, false);
    browser.open(&page_of(folder.path(), "http-ok"), "");
    browser.keys("#filter", "http.resp");
    browser.wait("return document.querySelectorAll('#candidates li').length > 0");
    assert!(browser.text("#candidates").contains("http.response.code"));
    browser.run("document.querySelector('#filter').value = ''");
    browser.keys("#filter", "http.response.code == 200\u{e007}");
    browser.wait("return document.querySelectorAll('#list .row').length === 1");
    assert!(browser.text("#counts").contains("Displayed: 1 (10.0 %)"));
    assert_eq!(
        browser.number("return document.querySelectorAll('.arrow').length"),
        1
    );
    browser.run("document.querySelector('#filter').value = ''");
    browser.keys("#filter", "tcp.flgs == 1\u{e007}");
    browser.wait("return document.querySelector('#filter-mistake').textContent !== ''");
    assert!(
        browser
            .text("#filter-mistake")
            .contains("did you mean `tcp.flags`?")
    );
    // A wrong filter changes nothing.
    assert!(browser.text("#counts").contains("Displayed: 1 "));
}

#[test]
fn keys_lead_through_the_page() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let browser = Browser::start(1280, 900, false);
    browser.open(&page_of(folder.path(), "http-ok"), "");
    browser.keys("body", "\u{e015}\u{e015}");
    assert!(browser.text("#detail-tools").contains("Packet 2"));
    browser.keys("body", "\u{e010}");
    assert!(browser.text("#detail-tools").contains("Packet 10"));
    browser.keys("body", "/");
    assert_eq!(
        browser.run("return document.activeElement.id"),
        json!("filter")
    );
    browser.run("document.activeElement.blur()");
    browser.keys("body", "?");
    assert_eq!(
        browser.run("return document.querySelector('#help').open"),
        json!(true)
    );
}

#[test]
fn a_packet_is_expected_and_judged_on_the_spot() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let browser = Browser::start(1280, 900, false);
    browser.open(&page_of(folder.path(), "tcp-refused"), "#packet=2");
    browser.click("#expect-packet");
    let statement = browser.run("return document.querySelector('#statement').value");
    assert_eq!(
        statement,
        json!("in order {\n  nobody:12000 > client  RST\n}")
    );
    assert!(browser.text("#judgement").contains("PASS"));
    browser.run("document.querySelector('#statement').value = 'no RST'");
    browser.click("#judge");
    assert!(browser.text("#judgement").contains("FAIL"));
    assert!(
        browser
            .text("#judgement")
            .contains("There is one: packet 2.")
    );
}

#[test]
fn streams_and_transactions_are_shown() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let browser = Browser::start(1280, 900, false);
    browser.open(&page_of(folder.path(), "http-not-found"), "");
    let chunks = "return [...document.querySelectorAll('.chunk')].map(c => c.className)";
    assert_eq!(
        browser.run(chunks),
        json!(["chunk to_server", "chunk to_client"])
    );
    assert!(browser.text("#transactions").contains("404 Not Found"));
    assert!(
        browser
            .text("#plots")
            .contains("Sequence numbers over time")
    );
}

#[test]
fn a_page_alone_opens_any_capture() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = page_alone(folder.path());
    let browser = Browser::start(1280, 900, false);
    browser.open(&path, "");
    browser.keys("#file", capture("udp-upper").to_str().unwrap());
    browser.wait("return document.querySelectorAll('.arrow').length === 2");
    assert!(
        browser.text("#top").contains("PASS"),
        "its expectations are judged again"
    );
    // What is no capture is refused, and the page stays as it was.
    let text = folder.path().join("text.pcap");
    std::fs::write(&text, "this is no capture").unwrap();
    browser.keys("#file", text.to_str().unwrap());
    browser.wait("return document.querySelector('#news').className === 'bad'");
    assert_eq!(
        browser.number("return document.querySelectorAll('.arrow').length"),
        2
    );
}

#[test]
fn a_capture_that_is_dropped_opens_and_is_handed_back_as_it_was() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let browser = Browser::start(1280, 900, false);
    browser.open(&page_of(folder.path(), "http-ok"), "#packet=3");
    let bytes = std::fs::read(capture("udp-no-server")).unwrap();
    // A file as the desktop drops it.
    let drop = "const bytes = Uint8Array.from(arguments[0]); \
        const dropped = new DataTransfer(); \
        dropped.items.add(new File([bytes], 'dropped.pcapng')); \
        document.body.dispatchEvent(new DragEvent('drop', \
            { bubbles: true, cancelable: true, dataTransfer: dropped }))";
    browser.run_with(drop, vec![json!(bytes)]);
    browser.wait("return document.querySelector('#news').textContent === 'Opened dropped.pcapng'");
    assert!(browser.text("#top h1").contains("UDP"));
    assert_eq!(
        browser.number("return document.querySelectorAll('.arrow').length"),
        2
    );
    // What a click on the button hands to the browser.
    browser.run(
        "const make = URL.createObjectURL; \
         URL.createObjectURL = blob => { blob.arrayBuffer().then(b => { window.saved = [...new Uint8Array(b)] }); return make(blob) }; \
         HTMLAnchorElement.prototype.click = function () { window.savedAs = this.download }; \
         document.querySelector('#download').click()",
    );
    browser.wait("return window.saved !== undefined");
    assert_eq!(browser.run("return window.saved"), json!(bytes));
    assert_eq!(
        browser.run("return window.savedAs"),
        json!("dropped.pcapng")
    );
}

#[test]
fn the_ladder_of_a_long_capture_turns_its_pages() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.pcap");
    let payloads: Vec<Vec<u8>> = (0..1000)
        .map(|n| format!("part {n}").into_bytes())
        .collect();
    let payloads: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
    std::fs::write(&path, super::hostile::capture(&payloads)).unwrap();
    let browser = Browser::start(1280, 900, false);
    let words = ["inspect", path.to_str().unwrap()];
    browser.open(&page(folder.path(), &words), "#packet=900");
    // That of the packet in the link, and its arrow in sight.
    assert_eq!(browser.text("#ladder-note"), "arrows 801 to 1,000 of 1,000");
    assert!(browser.text(".arrow.selected").contains("900"));
    let in_sight = "const own = document.querySelector('.arrow.selected').getBoundingClientRect(); \
        const box = document.querySelector('#ladder-box').getBoundingClientRect(); \
        return own.top >= box.top && own.bottom <= box.bottom";
    assert_eq!(browser.run(in_sight), json!(true));
    browser.click("#ladder-earlier");
    assert_eq!(browser.text("#ladder-note"), "arrows 401 to 800 of 1,000");
    assert_eq!(
        browser.number("return document.querySelectorAll('.arrow').length"),
        400
    );
    // A filter begins anew; of few packets there is one page.
    browser.keys("#filter", "frame.number in {5..9}\u{e007}");
    browser.wait("return document.querySelectorAll('.arrow').length === 5");
    assert_eq!(
        browser.run("return document.querySelector('#ladder-pages').hidden"),
        json!(true)
    );
    // Of the thousand rows of the list those in sight are there.
    browser.run("document.querySelector('#filter').value = ''");
    browser.keys("#filter", "\u{e007}");
    browser.wait("return document.querySelectorAll('.arrow').length > 5");
    assert!(browser.number("return document.querySelectorAll('#list .row').length") < 100);
}

#[test]
fn a_point_of_a_plot_leads_to_its_packet() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let browser = Browser::start(1280, 900, false);
    browser.open(&page_of(folder.path(), "http-ok"), "#packet=1");
    // The last point of the first plot: its end of the time axis, at the top.
    let press = "const svg = document.querySelector('#plots svg'); svg.scrollIntoView(); \
        const place = new DOMPoint(780, 24).matrixTransform(svg.getScreenCTM()); \
        svg.dispatchEvent(new MouseEvent('click', { clientX: place.x, clientY: place.y }))";
    browser.run(press);
    assert!(browser.text("#detail-tools").contains("Packet 10"));
}

#[test]
fn a_failure_shows_its_statement_and_the_packets() {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let capture = capture("tcp-refused");
    let statement = "in order { client > nobody SYN; nobody > client SYN,ACK }";
    let words = ["check", capture.to_str().unwrap(), "-e", statement];
    let browser = Browser::start(1280, 900, false);
    browser.open(&page(folder.path(), &words), "");
    assert_eq!(browser.text("#top .verdict"), "FAIL");
    let shown = browser.text("#expectation-list");
    for part in [
        "^^^^",
        "expected  nobody > client  SYN,ACK",
        "flags: expected SYN,ACK, got RST,ACK",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(
        browser
            .text(".arrow[data-number='2'] .proof")
            .starts_with('✗')
    );
}

#[test]
fn everybody_can_use_it() {
    if !available() {
        return;
    }
    let axe = super::axe();
    let folder = tempfile::tempdir().unwrap();
    for (name, width, dark) in [
        ("http-ok", 1280, false),
        ("tcp-refused", 1280, true),
        ("udp-no-server", 360, false),
        ("http-ok", 360, true),
    ] {
        let browser = Browser::start(width, 900, dark);
        browser.open(&page_of(folder.path(), name), "#packet=2");
        let overflow = "return document.documentElement.scrollWidth";
        assert!(
            browser.number(overflow) <= width.into(),
            "{name} at {width}"
        );
        let what = format!("{name} at {width}, dark: {dark}");
        super::is_accessible(&browser, axe.as_deref(), &what);
    }
}
