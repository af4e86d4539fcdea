// What the page shows now. Parts of the page listen to what they depend on.

const state = {
  report: null,
  capture: null,
  name: "",
  // Which of the page's runs is shown; -1: none of them, a file was opened.
  run: -1,
  // Numbers of the packets that the filter lets through.
  displayed: [],
  filter: "",
  selected: 0,
  hovered: 0,
  conversation: -1,
};

const listeners = {};

function on(what, listener) {
  (listeners[what] ||= []).push(listener);
}

function changed(what) {
  for (const listener of listeners[what] || []) listener();
}

// Rows are asked for when they are shown, and kept.
let rowsKept = new Map();
function rows(numbers) {
  const missing = numbers.filter((number) => !rowsKept.has(number));
  if (missing.length) {
    if (rowsKept.size > 50000) rowsKept = new Map();
    for (const row of engine.ask({ ask: "rows", packets: missing })) rowsKept.set(row.number, { marks: [], ...row });
  }
  return numbers.map((number) => rowsKept.get(number)).filter((row) => row);
}

function select(number, options) {
  if (!number || number === state.selected) return;
  state.selected = number;
  const [row] = rows([number]);
  if (row && row.conversation !== undefined) pickConversation(row.conversation);
  if (!options || !options.quiet) history.replaceState(null, "", placeOf(number));
  changed("selected");
}

// The link to a packet: which run, where there are several.
function placeOf(number) {
  return state.run > 0 ? `#run=${state.run + 1}&packet=${number}` : `#packet=${number}`;
}

function hover(number) {
  if (number === state.hovered) return;
  state.hovered = number;
  changed("hovered");
}

function pickConversation(index) {
  if (index === state.conversation) return;
  state.conversation = index;
  changed("conversation");
}

// Moves the selection along what is displayed.
function step(by) {
  const { displayed } = state;
  if (!displayed.length) return;
  let place = displayed.indexOf(state.selected);
  if (by === -Infinity) place = 0;
  else if (by === Infinity) place = displayed.length - 1;
  else place = place < 0 ? 0 : Math.min(displayed.length - 1, Math.max(0, place + by));
  select(displayed[place]);
}

async function openCapture(bytes, name, report, recording) {
  rowsKept = new Map();
  const read = engine.ask({ ask: "open", name, recording }, bytes);
  Object.assign(state, {
    capture: bytes,
    name,
    report: report || read,
    selected: 0,
    hovered: 0,
    conversation: -1,
    filter: "",
  });
  // What the packets say is the engine's; what the run says is the report's.
  state.report.conversations = read.conversations;
  state.report.messages = read.messages;
  state.displayed = engine.ask({ ask: "filter", text: "" }).packets;
  state.total = state.displayed.length;
  changed("opened");
  changed("displayed");
  if (read.conversations.length) pickConversation(0);
}
