// The table of a class: sorted by any column, searched by name. Without this
// script it is all there, in the order of the class.

const table = document.querySelector("table");
const body = table.tBodies[0];
const rows = [...body.rows];
const words = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

// A number where the cell gives one, else its words.
function key(row, column) {
  const cell = row.cells[column];
  return cell.dataset.sort === undefined ? cell.textContent : Number(cell.dataset.sort);
}

function sort(column) {
  const head = table.tHead.rows[0].cells[column];
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const compare = (a, b) => (typeof a === "number" ? a - b : words.compare(a, b));
  // Stable: rows that are equal stay in the order that they had.
  rows.sort((a, b) => (down ? -1 : 1) * compare(key(a, column), key(b, column)));
  body.append(...rows);
}

[...table.tHead.rows[0].cells].forEach((head, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  button.addEventListener("click", () => sort(column));
  head.append(button);
});

// Without accents and case: a name is found however it is typed.
function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

const names = new Map(rows.map((row) => [row, plain(row.cells[0].textContent)]));

function find() {
  const wanted = plain(document.getElementById("name").value.trim());
  const grade = document.getElementById("grade").value;
  let count = 0;
  for (const row of rows) {
    row.hidden = !names.get(row).includes(wanted) || (grade !== "" && row.dataset.grade !== grade);
    count += row.hidden ? 0 : 1;
  }
  document.getElementById("shown").textContent = count === rows.length ? "" : `${count} of ${rows.length} are shown`;
}

document.getElementById("find").hidden = false;
document.getElementById("find").addEventListener("submit", (event) => event.preventDefault());
document.getElementById("name").addEventListener("input", find);
document.getElementById("grade").addEventListener("change", find);
// A browser that came back to the page fills the fields again.
find();
