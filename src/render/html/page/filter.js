// The display filter: applied, completed and corrected as it is typed.

function applyFilter(text) {
  $("filter").value = text;
  closeCandidates();
  const answer = check(text);
  if (!answer) return;
  state.filter = text;
  state.displayed = answer.packets;
  changed("displayed");
}

// Asks the engine; shows mistakes. None: the filter cannot be used.
function check(text) {
  const box = $("filter");
  let answer;
  try {
    answer = engine.ask({ ask: "filter", text });
  } catch (error) {
    tell(error.message, true);
    return null;
  }
  box.classList.toggle("right", text.trim() !== "" && !answer.mistakes);
  box.classList.toggle("wrong", Boolean(answer.mistakes));
  box.setAttribute("aria-invalid", String(Boolean(answer.mistakes)));
  replace($("filter-mistake"), (answer.mistakes || []).map((mistake) => showMistake(text, mistake)));
  return answer.mistakes ? null : answer;
}

function showMistake(text, mistake) {
  return h("div", {},
    `${mistake.message}`,
    statementWithCaret(text, { start: mistake.start, end: Math.max(mistake.end, mistake.start + 1) }),
    mistake.label && h("div", {}, mistake.label),
    mistake.help && h("div", {}, `help: ${mistake.help}`),
  );
}

let candidates = { start: 0, candidates: [], chosen: -1 };

function complete() {
  const box = $("filter");
  const text = box.value;
  const caret = new TextEncoder().encode(text.slice(0, box.selectionStart)).length;
  try {
    candidates = { ...engine.ask({ ask: "complete", text, caret }), chosen: -1 };
  } catch {
    return;
  }
  showCandidates();
}

function showCandidates() {
  const list = $("candidates");
  list.hidden = candidates.candidates.length === 0;
  $("filter").setAttribute("aria-expanded", String(!list.hidden));
  replace(list, candidates.candidates.map((one, index) => h("li", {
    role: "option",
    id: `candidate-${index}`,
    "aria-selected": String(index === candidates.chosen),
    onmousedown: (event) => {
      event.preventDefault();
      take(index);
    },
  }, one.name, h("span", { class: "faint" }, `  ${one.type}: ${one.meaning}`))));
  if (candidates.chosen >= 0) {
    $("filter").setAttribute("aria-activedescendant", `candidate-${candidates.chosen}`);
    $(`candidate-${candidates.chosen}`).scrollIntoView({ block: "nearest" });
  } else $("filter").removeAttribute("aria-activedescendant");
}

function closeCandidates() {
  candidates = { start: 0, candidates: [], chosen: -1 };
  showCandidates();
}

function take(index) {
  const box = $("filter");
  const one = candidates.candidates[index];
  if (!one) return;
  const before = new TextDecoder().decode(new TextEncoder().encode(box.value).slice(0, candidates.start));
  const after = box.value.slice(box.selectionStart);
  box.value = before + one.name + after;
  box.setSelectionRange(before.length + one.name.length, before.length + one.name.length);
  closeCandidates();
  check(box.value);
}

let waiting = 0;
$("filter").addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    complete();
    // While a word may still become a field, it is no mistake yet.
    if (!candidates.candidates.length) check($("filter").value);
  }, 60);
});
$("filter").addEventListener("keydown", (event) => {
  const many = candidates.candidates.length;
  if (event.key === "Escape") {
    if (many) closeCandidates();
    else $("list").focus();
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && many) {
    event.preventDefault();
    const by = event.key === "ArrowDown" ? 1 : -1;
    candidates.chosen = (candidates.chosen + by + many) % many;
    showCandidates();
  } else if ((event.key === "Enter" || event.key === "Tab") && candidates.chosen >= 0) {
    event.preventDefault();
    take(candidates.chosen);
  }
});
$("filter").addEventListener("blur", closeCandidates);
$("filter-form").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(waiting);
  applyFilter($("filter").value);
});
$("clear").addEventListener("click", () => applyFilter(""));

on("displayed", () => {
  const { total, displayed, report } = state;
  const share = total ? ` (${((displayed.length / total) * 100).toFixed(1)} %)` : "";
  const dropped = report.capture && report.capture.dropped;
  $("counts").textContent = `Packets: ${total.toLocaleString("en")} · Displayed: ${displayed.length.toLocaleString("en")}${share}` +
    (dropped === undefined || dropped === null ? "" : ` · Dropped: ${dropped}`);
});
on("opened", () => {
  $("filter").value = "";
  check("");
});
