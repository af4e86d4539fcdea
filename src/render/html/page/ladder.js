// The ladder: a lane for each end, an arrow for each packet.

// So many arrows are drawn at once; the others by pages.
const LADDER_MOST = 400;
let ladderFrom = 0;
const TOP = 46;
const STEP = 34;

// Who an end is: its role, else its address without the port.
function laneOf(role, address) {
  const host = address.replace(/:\d+$/, "");
  if (role === "nobody") return { key: `nobody ${host}`, name: "nobody", below: host };
  return role ? { key: role, name: role, below: host } : { key: host, name: host, below: "" };
}

function showLadder() {
  const shown = rows(state.displayed.slice(ladderFrom, ladderFrom + LADDER_MOST));
  showLadderPages(shown.length);
  const lanes = new Map();
  const lane = (role, address) => {
    const found = laneOf(role, address);
    if (!lanes.has(found.key)) lanes.set(found.key, { ...found, place: lanes.size });
    return lanes.get(found.key);
  };
  const arrows = shown.map((row) => {
    // Both ends on one machine without roles: the ports tell them apart.
    let [from, to] = [laneOf(row.from, row.src), laneOf(row.to, row.dst)];
    if (from.key === to.key && row.src !== row.dst) {
      const ends = sides(row);
      return { row, from: lane(null, ends[0]), to: lane(null, ends[1]) };
    }
    return { row, from: lane(row.from, row.src), to: lane(row.to, row.dst) };
  });
  if (!arrows.length) {
    replace($("ladder-box"), h("p", { class: "facts" }, "  no packets"));
    return;
  }
  const toScale = $("scale").checked;
  const ys = positions(arrows, toScale);
  const left = 110;
  const right = 100;
  // As wide as there is room; where that is little, it is scrolled.
  const room = $("ladder-box").clientWidth - left - right;
  const gap = Math.max(230, room / Math.max(1, lanes.size - 1));
  const width = left + right + gap * Math.max(1, lanes.size - 1);
  const height = ys[ys.length - 1] + 40;
  const x = (lane) => left + lane.place * gap;
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, style: { "min-width": `${width}px` }, role: "list", "aria-label": "Packets as arrows between the programs" });
  for (const one of lanes.values()) {
    svg.append(
      s("text", { x: x(one), y: 18, "text-anchor": "middle", class: "lane-name" }, cut(one.name, 28)),
      s("text", { x: x(one), y: 34, "text-anchor": "middle", class: "faint" }, cut(one.below, 34)),
      s("line", { x1: x(one), x2: x(one), y1: TOP - 6, y2: height - 8, class: "lane" }),
    );
  }
  const proofs = proofsOf(state.report);
  const places = new Map();
  const lost = new Set();
  for (const { row } of arrows) if (row.quotes) lost.add(row.quotes);
  arrows.forEach(({ row, from, to }, index) => {
    const y = ys[index];
    places.set(row.number, { y, x: x(to) });
    svg.append(arrow({ row, y, from: x(from), to: x(to), width, gap, lost: lost.has(row.number), proofs: proofs.get(row.number) || [] }));
  });
  // An ICMP error points at what it quotes.
  for (const { row } of arrows) {
    const [own, quoted] = [places.get(row.number), places.get(row.quotes)];
    if (!quoted) continue;
    const bend = quoted.x + (quoted.x > width / 2 ? 34 : -34);
    svg.append(s("path", { d: `M ${quoted.x} ${own.y} C ${bend} ${own.y}, ${bend} ${quoted.y}, ${quoted.x} ${quoted.y}`, class: "quote" },
      s("title", {}, `packet ${row.number} quotes packet ${row.quotes}`)));
  }
  replace($("ladder-box"), svg);
  markLadder();
}

function showLadderPages(shown) {
  const all = state.displayed.length;
  $("ladder-pages").hidden = all <= LADDER_MOST;
  $("ladder-earlier").disabled = ladderFrom === 0;
  $("ladder-later").disabled = ladderFrom + shown >= all;
  const number = (place) => place.toLocaleString("en");
  $("ladder-note").textContent = `arrows ${number(ladderFrom + 1)} to ${number(ladderFrom + shown)} of ${number(all)}`;
}

function turnLadder(by) {
  ladderFrom = Math.max(0, ladderFrom + by * LADDER_MOST);
  showLadder();
  $("ladder-box").scrollTop = 0;
}

// The page with the packet that was chosen, and its arrow in sight.
function followInLadder() {
  const place = state.displayed.indexOf(state.selected);
  if (place >= 0 && (place < ladderFrom || place >= ladderFrom + LADDER_MOST)) {
    ladderFrom = Math.floor(place / LADDER_MOST) * LADDER_MOST;
    showLadder();
  } else markLadder();
  const box = $("ladder-box");
  const arrow = box.querySelector(".arrow.selected");
  if (!arrow) return;
  const [own, around] = [arrow.getBoundingClientRect(), box.getBoundingClientRect()];
  if (own.top < around.top || own.bottom > around.bottom) {
    box.scrollTop += own.top - around.top - (around.height - own.height) / 2;
  }
}

// The two ends of a conversation by name, where addresses do not tell them apart.
function sides(row) {
  if (row.way === "to_client") return ["server " + row.src, "client " + row.dst];
  return ["client " + row.src, "server " + row.dst];
}

function cut(text, most) {
  const shown = visible(text);
  return shown.length > most ? shown.slice(0, most - 1) + "…" : shown;
}

function positions(arrows, toScale) {
  const ys = [];
  let y = TOP + 20;
  // One without a time stands where the one before does.
  let latest = 0;
  const times = arrows.map(({ row }) => (latest = row.time ?? latest));
  const span = times[times.length - 1] - times[0];
  const scale = span > 0 ? Math.min(4000, arrows.length * 80) / span : 0;
  arrows.forEach((_, index) => {
    if (index) {
      const passed = times[index] - times[index - 1];
      y += toScale ? Math.max(STEP, passed * scale) : STEP;
    }
    ys.push(y);
  });
  return ys;
}

// For each packet the expectations that it proves or breaks.
function proofsOf(report) {
  const proofs = new Map();
  (report.expectations || []).forEach((expectation, index) => {
    for (const number of expectation.evidence) {
      if (!proofs.has(number)) proofs.set(number, []);
      proofs.get(number).push({ index: index + 1, expectation });
    }
  });
  return proofs;
}

function arrow({ row, y, from, to, width, gap, lost, proofs }) {
  const toRight = to >= from;
  const itself = to === from;
  const end = lost ? from + (to - from) * 0.82 : to;
  const tip = itself ? to + 40 : end - (toRight ? 2 : -2);
  const again = row.marks.some((mark) => mark.includes("retransmission"));
  const room = Math.max(16, Math.floor(Math.abs(itself ? gap : to - from) / 8.2) - 1);
  const who = `${row.from || row.src} to ${row.to || row.dst}`;
  const words = cut(row.info, room);
  const group = s("g", {
    class: `arrow ${row.kind}${again ? " again" : ""}`,
    role: "listitem",
    "data-number": row.number,
    "aria-label": `packet ${row.number}, ${who}: ${row.info}`,
    onclick: () => select(row.number),
    onmouseenter: () => hover(row.number),
    onmouseleave: () => hover(0),
  },
    s("title", {}, `${row.number}: ${row.info}`),
    s("rect", { class: "back", x: 0, y: y - 20, width, height: 27 }),
    s("text", { x: 8, y: y + 4, class: "faint" }, String(row.number)),
    s("text", { x: 92, y: y + 4, "text-anchor": "end", class: "faint" }, row.time === undefined ? "" : (row.time * 1000).toFixed(2)),
    itself
      ? s("path", { d: `M ${from} ${y - 6} h 40 v 10 h -34` })
      : s("line", { x1: from, x2: end, y1: y, y2: y }),
    lost
      ? s("path", { class: "lost", d: `M ${end - 5} ${y - 5} l 10 10 m 0 -10 l -10 10` })
      : s("path", { class: "tip", d: itself ? `M ${from} ${y + 4} l 9 -4.5 v 9 z` : `M ${tip} ${y} l ${toRight ? -9 : 9} -4.5 v 9 z` }),
    s("text", { x: itself ? from + 48 : (from + to) / 2, y: y - 5, "text-anchor": itself ? "start" : "middle" }, words),
  );
  proofs.slice(0, 3).forEach(({ index, expectation }, place) => {
    const good = expectation.verdict === "pass";
    group.append(s("text", { x: width - 88 + place * 28, y: y + 4, class: `proof ${expectation.verdict}` },
      `${good ? "✓" : "✗"}${index}`, s("title", {}, `expectation ${index}: ${expectation.name}`)));
  });
  return group;
}

function markLadder() {
  for (const arrow of $("ladder-box").querySelectorAll(".arrow")) {
    const number = Number(arrow.dataset.number);
    arrow.classList.toggle("selected", number === state.selected);
    arrow.classList.toggle("hover", number === state.hovered);
    if (number === state.selected) arrow.setAttribute("aria-current", "true");
    else arrow.removeAttribute("aria-current");
  }
}

$("scale").addEventListener("change", showLadder);
$("ladder-earlier").addEventListener("click", () => turnLadder(-1));
$("ladder-later").addEventListener("click", () => turnLadder(1));
on("displayed", () => {
  const place = state.displayed.indexOf(state.selected);
  ladderFrom = Math.floor(Math.max(0, place) / LADDER_MOST) * LADDER_MOST;
  showLadder();
});
on("selected", followInLadder);
on("hovered", markLadder);
