// One packet: its layers, its bytes, its header drawn as in the RFC.

let packet = null;

function showDetail() {
  const number = state.selected;
  if (!number) {
    replace($("detail-tools"), h("span", { class: "facts" }, "Choose a packet."));
    for (const id of ["tree", "bytes", "diagram"]) replace($(id));
    $("diagram").hidden = true;
    packet = null;
    return;
  }
  packet = engine.ask({ ask: "packet", packet: number });
  const [row] = rows([number]);
  replace($("detail-tools"),
    h("strong", {}, `Packet ${number}`),
    h("button", { type: "button", onclick: () => copy(conversationFilter(row)) }, "Copy as filter"),
    h("button", { type: "button", id: "expect-packet", onclick: expectPacket }, "Expect this packet"),
    h("button", { type: "button", onclick: () => applyFilter(conversationFilter(row)) }, "Only this conversation"),
    packet.reassembled && h("span", { class: "facts" }, "the bytes are those of the datagram put together"),
  );
  nodes = [];
  replace($("tree"), packet.layers.map((layer) => treeItem(layer, 1)));
  const [first] = $("tree").querySelectorAll("[role=treeitem]");
  if (first) first.tabIndex = 0;
  showBytes();
  showDiagram();
}

// A display filter that shows the packet's conversation; else the packet alone.
function conversationFilter(row) {
  const conversation = state.report.conversations[row.conversation];
  if (conversation) return `${conversation.protocol}.stream == ${conversation.id}`;
  return `frame.number == ${row.number}`;
}

// Every node of the tree, by the number that its element carries.
let nodes = [];

function treeItem(node, level) {
  const index = nodes.push(node) - 1;
  const children = node.children || [];
  const open = level === 1 ? node.field === "tcp" || node.field === "udp" || node.field === "http" || node.field === "icmp" || node.field === "icmpv6" : false;
  return h("div", {
    role: "treeitem",
    tabindex: "-1",
    "aria-level": level,
    "aria-expanded": children.length ? String(open) : undefined,
    "aria-selected": "false",
    "data-node": index,
  },
    h("span", { class: "line", onclick: (event) => pressNode(event.currentTarget.parentElement), onmouseenter: () => light(node), onmouseleave: () => light(chosenNode()) },
      h("span", { class: "twist", "aria-hidden": "true" }, children.length ? (open ? "▾" : "▸") : ""),
      node.label, node.value && `: ${node.value}`,
      saysMore(node) && h("span", { class: "says" }, `  ${node.meaning}`)),
    children.length ? h("div", { role: "group" }, children.map((child) => treeItem(child, level + 1))) : null,
  );
}

// A meaning that only repeats the name is not worth reading.
function saysMore({ label, meaning }) {
  return meaning && !label.toLowerCase().includes(meaning.toLowerCase());
}

function toggle(item, open) {
  if (!item.hasAttribute("aria-expanded")) return;
  item.setAttribute("aria-expanded", String(open));
  item.querySelector(".twist").textContent = open ? "▾" : "▸";
}

function pressNode(item) {
  if (item.getAttribute("aria-selected") === "true" || item.getAttribute("aria-level") === "1") {
    toggle(item, item.getAttribute("aria-expanded") !== "true");
  }
  chooseNode(item);
}

function chooseNode(item) {
  for (const other of $("tree").querySelectorAll("[role=treeitem]")) {
    other.setAttribute("aria-selected", String(other === item));
    other.tabIndex = other === item ? 0 : -1;
  }
  for (let up = item.parentElement.closest("[role=treeitem]"); up; up = up.parentElement.closest("[role=treeitem]")) toggle(up, true);
  light(chosenNode());
  item.focus({ preventScroll: true });
  item.scrollIntoView({ block: "nearest" });
}

function chosenNode() {
  const item = $("tree").querySelector("[aria-selected=true]");
  return item ? nodes[Number(item.dataset.node)] : null;
}

$("tree").addEventListener("keydown", (event) => {
  const item = event.target.closest("[role=treeitem]");
  if (!item) return;
  const seen = [...$("tree").querySelectorAll("[role=treeitem]")].filter((one) => one.offsetParent !== null);
  const place = seen.indexOf(item);
  const keys = {
    ArrowDown: () => seen[place + 1] && chooseNode(seen[place + 1]),
    ArrowUp: () => seen[place - 1] && chooseNode(seen[place - 1]),
    ArrowRight: () => toggle(item, true),
    ArrowLeft: () => toggle(item, false),
    Enter: () => pressNode(item),
    " ": () => pressNode(item),
    f: () => nodes[Number(item.dataset.node)].filter && applyFilter(nodes[Number(item.dataset.node)].filter),
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  event.stopPropagation();
  keys[event.key]();
});

const BYTES_MOST = 4096;

function showBytes() {
  const size = packet.hex.length / 2;
  const lines = [];
  for (let at = 0; at < Math.min(size, BYTES_MOST); at += 16) {
    const hex = h("span", { class: "hex" });
    const text = h("span", {});
    for (let i = at; i < Math.min(at + 16, size); i++) {
      const pair = packet.hex.slice(2 * i, 2 * i + 2);
      const code = parseInt(pair, 16);
      const press = () => pressByte(i);
      hex.append(h("b", { "data-byte": i, onclick: press }, pair), i % 8 === 7 ? "  " : " ");
      text.append(h("b", { "data-byte": i, onclick: press }, code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : "·"));
    }
    lines.push(h("div", { class: "hexline" }, h("span", { class: "offset" }, at.toString(16).padStart(4, "0")), hex, text));
  }
  if (size > BYTES_MOST) lines.push(h("p", { class: "facts" }, `${count(size - BYTES_MOST, "further byte")}`));
  replace($("bytes"), lines);
}

// The smallest field that has the byte.
function pressByte(at) {
  let best = -1;
  nodes.forEach((node, index) => {
    if (node.len && at >= node.start && at < node.start + node.len && (best < 0 || node.len <= nodes[best].len)) best = index;
  });
  if (best >= 0) chooseNode($("tree").querySelector(`[data-node="${best}"]`));
}

function light(node) {
  const [from, to] = node ? [node.start, node.start + node.len] : [0, 0];
  for (const byte of $("bytes").querySelectorAll("[data-byte]")) {
    const at = Number(byte.dataset.byte);
    byte.classList.toggle("lit", at >= from && at < to && node.field !== "frame");
  }
  for (const cell of $("diagram").querySelectorAll(".cell")) {
    cell.classList.toggle("lit", Boolean(node && node.field && cell.dataset.field === node.field));
  }
}

// Fields of 32 bits a line, as the RFC draws them: name, bits, words.
const DIAGRAMS = {
  udp: {
    title: "RFC 768: the UDP header, 8 bytes",
    cells: [["udp.srcport", 16], ["udp.dstport", 16], ["udp.length", 16], ["udp.checksum", 16]],
  },
  tcp: {
    title: "RFC 9293: the TCP header without its options, 20 bytes",
    cells: [
      ["tcp.srcport", 16], ["tcp.dstport", 16], ["tcp.seq_raw", 32], ["tcp.ack_raw", 32],
      ["tcp.hdr_len", 4], ["", 3], ["tcp.flags.ae", 1], ["tcp.flags.cwr", 1], ["tcp.flags.ece", 1],
      ["tcp.flags.urg", 1], ["tcp.flags.ack", 1], ["tcp.flags.push", 1], ["tcp.flags.reset", 1],
      ["tcp.flags.syn", 1], ["tcp.flags.fin", 1], ["tcp.window_size_value", 16], ["tcp.checksum", 16], ["tcp.urgent_pointer", 16],
    ],
  },
};

function showDiagram() {
  const figure = $("diagram");
  // The innermost: what a tunnel carries.
  const layer = [...packet.layers].reverse().find((one) => DIAGRAMS[one.field]);
  figure.hidden = !layer;
  if (!layer) {
    replace(figure);
    return;
  }
  const { title, cells } = DIAGRAMS[layer.field];
  const byField = new Map();
  const visit = (node) => {
    if (node.field && !byField.has(node.field)) byField.set(node.field, node);
    (node.children || []).forEach(visit);
  };
  visit(layer);
  const bits = Array.from({ length: 32 }, (_, bit) => h("span", { class: "bit", "aria-hidden": "true" }, String(bit)));
  const drawn = cells.map(([field, width]) => {
    const node = byField.get(field);
    const span = { "grid-column": `span ${width}` };
    if (!node) return h("span", { class: "cell", style: span }, field ? "0" : "");
    const isFlag = width === 1;
    const set = isFlag && node.value.startsWith("1");
    // The value without its words.
    const value = node.value.replace(/ \(.*$/, "");
    const shown = field === "tcp.hdr_len" ? String(Number(value) / 4) : value;
    return h("button", {
      type: "button",
      class: `cell${set ? " set" : ""}`,
      "data-field": field,
      style: span,
      title: `${node.label}: ${node.value}`,
      onclick: () => chooseNode($("tree").querySelector(`[data-node="${nodes.indexOf(node)}"]`)),
    }, isFlag ? node.label : node.label.replace(", raw", ""), h("strong", {}, shown));
  });
  replace(figure, h("figcaption", {}, title), h("div", { class: "bits" }, bits, drawn));
}

function expectPacket() {
  const text = engine.ask({ ask: "statement", packet: state.selected });
  if (!text) {
    tell(`Packet ${state.selected} carries no event that a step can name.`, true);
    return;
  }
  $("statement").value = text;
  copy(text);
  judge();
  $("try").scrollIntoView();
}

on("selected", showDetail);
on("opened", showDetail);
