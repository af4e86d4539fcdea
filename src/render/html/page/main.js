// Statements judged on the spot, keys, files that are opened, and the start.

function judge() {
  const text = $("statement").value;
  if (!text.trim()) return;
  let judged;
  try {
    judged = engine.ask({ ask: "judge", text });
  } catch (error) {
    tell(error.message, true);
    return;
  }
  const { mistakes, expectation } = judged;
  replace($("judgement"),
    h("div", { class: "mistake" }, mistakes.map((mistake) => showMistake(text, mistake))),
    expectation && h("div", {}, verdict(expectation.verdict), evidence(expectation.evidence), expectation.detail && detail(expectation)));
}

$("judge").addEventListener("click", judge);
$("statement").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) judge();
});
$("help-button").addEventListener("click", () => $("help").showModal());

const KEYS = {
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  Home: () => step(-Infinity),
  End: () => step(Infinity),
  "/": () => {
    $("filter").focus();
    $("filter").select();
  },
  "?": () => $("help").showModal(),
  c: () => {
    const [row] = rows([state.selected]);
    if (row) applyFilter(conversationFilter(row));
  },
  e: () => state.selected && expectPacket(),
};

document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.closest("dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !state.report || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

async function openFile(file) {
  try {
    tell(`Reading ${file.name} …`);
    await openCapture(new Uint8Array(await file.arrayBuffer()), file.name);
    state.run = -1;
    $("run").value = "";
    tell(`Opened ${file.name}`);
    history.replaceState(null, "", "#");
  } catch (error) {
    tell(`${file.name}: ${error.message}`, true);
  }
}

$("file").addEventListener("change", (event) => event.target.files[0] && openFile(event.target.files[0]));
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
addEventListener("dragleave", () => document.body.classList.remove("dropping"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  const [file] = event.dataTransfer.files;
  if (file) openFile(file);
});

$("download").addEventListener("click", () => {
  const link = h("a", { download: state.name.split("/").pop() || "capture.pcapng" });
  link.href = URL.createObjectURL(new Blob([state.capture], { type: "application/vnd.tcpdump.pcap" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
});
on("opened", () => {
  $("download").hidden = !state.capture;
});

// What the page was made with, and when its engine can be asked.
let data = { runs: [] };
let ready = null;

// Shows a run. The verdict is there before the packets are.
async function showRun(index) {
  const { report, name, capture, recording } = data.runs[index];
  // Until the engine has read them.
  if (report) Object.assign(report, { conversations: report.conversations || [], messages: report.messages || [] });
  state.run = index;
  $("run").value = String(index);
  if (report) {
    Object.assign(state, { report, name });
    showTop();
  }
  if (!capture) return;
  const [bytes] = await Promise.all([unpack(capture), ready]);
  // Another was chosen meanwhile.
  if (state.run === index) await openCapture(bytes, name, report, recording);
}

// A link in the address: #packet=17, #run=2, #run=2&packet=17.
async function follow() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const run = Number(wanted.get("run") || 1) - 1;
  const names = wanted.has("run") || (wanted.has("packet") && state.run >= 0);
  if (names && run !== state.run && data.runs[run]) await showRun(run);
  const packet = Number(wanted.get("packet"));
  if (packet >= 1 && packet <= (state.total || 0)) select(packet, { quiet: true });
}
addEventListener("hashchange", follow);

$("run").addEventListener("change", async (event) => {
  const index = Number(event.target.value);
  history.replaceState(null, "", `#run=${index + 1}`);
  try {
    await showRun(index);
  } catch (error) {
    tell(`The packets cannot be shown: ${error.message}`, true);
  }
});

function showPlaces({ home, runs }) {
  if (home) {
    $("home").hidden = false;
    $("home").href = home.address;
    replace($("home"), document.createTextNode(visible(`← ${home.title}`)));
  }
  $("run-label").hidden = runs.length < 2;
  replace($("run"), runs.map(({ label }, index) => h("option", { value: index }, label)));
}

async function start() {
  data = JSON.parse($("data").textContent);
  showPlaces(data);
  try {
    ready = engine.start(data.engine);
    const wanted = Number(new URLSearchParams(location.hash.slice(1)).get("run") || 1) - 1;
    if (data.runs.length) {
      await showRun(data.runs[wanted] ? wanted : 0);
      await follow();
    }
    await ready;
    if (!data.runs.length) tell("Drop a capture here, or open one.");
    document.body.dataset.ready = "yes";
  } catch (error) {
    tell(`The packets cannot be shown: ${error.message}`, true);
    document.body.dataset.ready = "no";
  }
}

// For a person with the console open, and for tests: netlab.ask({ask: "filter", text: "tcp"}).
globalThis.netlab = engine;

start();
