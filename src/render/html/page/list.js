// The list of packets: only the rows in sight exist.

const ROW = 24;

function showList() {
  const list = $("list");
  const { displayed } = state;
  const space = $("list-space");
  list.style.setProperty("height", `${displayed.length * ROW + 2}px`);
  space.style.setProperty("height", `${displayed.length * ROW}px`);
  const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 10);
  const last = Math.min(displayed.length, first + Math.ceil(list.clientHeight / ROW) + 20);
  const shown = rows(displayed.slice(first, last));
  replace(space, shown.map((row, index) => listRow(row, first + index)));
  markList();
}

function listRow(row, place) {
  const marked = row.marks.length ? " marked" : "";
  const end = (role, address) => (role ? `${role} ${address}` : address);
  return h("div", {
    class: `row ${row.kind}${marked}`,
    role: "option",
    id: `packet-${row.number}`,
    "aria-selected": "false",
    "aria-posinset": place + 1,
    "aria-setsize": state.displayed.length,
    "data-number": row.number,
    style: { top: `${place * ROW}px` },
    onclick: () => select(row.number),
    onmouseenter: () => hover(row.number),
    onmouseleave: () => hover(0),
  },
    h("span", {}, String(row.number)),
    h("span", {}, row.time === undefined ? "" : row.time.toFixed(6)),
    h("span", { title: row.src }, end(row.from, row.src)),
    h("span", { title: row.dst }, end(row.to, row.dst)),
    h("span", {}, row.protocol),
    h("span", {}, String(row.length)),
    h("span", { title: row.info }, row.info),
  );
}

function markList() {
  const list = $("list");
  for (const row of list.querySelectorAll(".row")) {
    const number = Number(row.dataset.number);
    row.setAttribute("aria-selected", String(number === state.selected));
    row.classList.toggle("hover", number === state.hovered);
  }
  if ($(`packet-${state.selected}`)) list.setAttribute("aria-activedescendant", `packet-${state.selected}`);
  else list.removeAttribute("aria-activedescendant");
}

function revealInList() {
  const list = $("list");
  const place = state.displayed.indexOf(state.selected);
  if (place < 0) return;
  const top = place * ROW;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
  showList();
}

$("list").addEventListener("scroll", showList, { passive: true });
addEventListener("resize", () => state.report && showList());
on("displayed", () => {
  $("list").scrollTop = 0;
  showList();
});
on("selected", revealInList);
on("hovered", markList);
