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

function follow() {
  const wanted = /^#packet=(\d+)$/.exec(location.hash);
  if (wanted && Number(wanted[1]) <= (state.total || 0)) select(Number(wanted[1]), { quiet: true });
}
addEventListener("hashchange", follow);

async function start() {
  const data = JSON.parse($("data").textContent);
  if (data.report) {
    // The verdict is there before the engine is.
    state.report = data.report;
    state.name = data.name;
    showTop();
  }
  try {
    await engine.start(data.engine);
    if (data.capture) {
      await openCapture(await unpack(data.capture), data.name, data.report, data.recording);
      follow();
    } else if (!data.report) tell("Drop a capture here, or open one.");
    document.body.dataset.ready = "yes";
  } catch (error) {
    tell(`The packets cannot be shown: ${error.message}`, true);
    document.body.dataset.ready = "no";
  }
}

// For a person with the console open, and for tests: netlab.ask({ask: "filter", text: "tcp"}).
globalThis.netlab = engine;

start();
