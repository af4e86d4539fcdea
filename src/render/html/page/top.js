// Verdict, question and answer, programs, status line, expectations.

const VERDICTS = { pass: "PASS", fail: "FAIL", inconclusive: "INCONCLUSIVE", error: "ERROR" };

function verdict(word) {
  return h("span", { class: `verdict ${word}` }, VERDICTS[word] || word);
}

function showTop() {
  const { report } = state;
  const scenario = report.scenario || {};
  const title = scenario.title || scenario.name || state.name;
  document.title = visible(title);
  replace(
    $("top"),
    h("h1", {}, report.verdict && [verdict(report.verdict), " "], title),
    scenario.name && h("p", { class: "facts" }, `scenario ${scenario.name}`, report.duration_ms !== undefined && ` · ${report.duration_ms.toFixed(1)} ms`),
    report.error && h("pre", { class: "error" }, report.error.message),
    statusLine(report),
    scenario.question && lesson("Question", scenario.question),
    scenario.answer && lesson("Answer", scenario.answer),
    report.programs.length ? h("h2", {}, "Programs") : null,
    report.programs.length ? h("div", { class: "programs" }, report.programs.map(program)) : null,
  );
  showExpectations(report);
}

// A text of the scenario's author: paragraphs, the first with a word before it.
function lesson(word, text) {
  const paragraphs = text.trim().split(/\n\s*\n/);
  return h("div", { class: "lesson" }, paragraphs.map((paragraph, place) => h("p", {},
    place === 0 && h("strong", {}, `${word}. `), prose(paragraph))));
}

function statusLine(report) {
  const capture = report.capture;
  if (!capture) return h("p", { class: "facts" }, "nothing was captured");
  const proof = capture.proof;
  const said = [
    `Packets: ${capture.packets.toLocaleString("en")}`,
    capture.dropped !== undefined && `Dropped: ${capture.dropped}`,
    proof && (proof.complete ? "capture complete" : "capture may be incomplete"),
    report.conversations.length > 0 && `Conversations: ${report.conversations.length.toLocaleString("en")}`,
  ];
  return h("p", { class: "facts" }, said.filter((word) => word).join(" · "),
    capture.damage && h("span", { class: "gap" }, ` · damaged at byte ${capture.damage.offset}: ${capture.damage.reason}`));
}

function program(program) {
  let ended = "never started";
  if (program.exit) {
    const { code, signal } = program.exit;
    ended = code !== undefined ? `exit ${code}` : `signal ${signal}`;
  }
  const how = { stopped: ", stopped by us at the end", waiting: ", was waiting", timeout: ", ended at its time" }[program.ended] || "";
  return h("div", { class: "program" },
    h("h3", {}, program.role),
    h("code", {}, program.argv.join(" ")),
    h("p", { class: "facts" }, ended + how),
    program.start_error && h("pre", { class: "error" }, program.start_error),
    program.note && h("p", { class: "facts" }, program.note),
    program.stdout && [h("div", { class: "facts" }, "standard output"), longText(program.stdout)],
    program.stderr && [h("div", { class: "facts" }, "standard error"), longText(program.stderr)],
    program.output_cut ? h("p", { class: "facts" }, `${count(program.output_cut, "byte")} of output were not kept`) : null,
  );
}

function showExpectations(report) {
  const own = report.expectations || [];
  $("expectations").hidden = own.length === 0;
  replace($("expectation-list"), own.map(expectation));
}

function expectation(expectation) {
  const item = h("li", {}, verdict(expectation.verdict), " ", expectation.name, evidence(expectation.evidence));
  if (expectation.detail) item.append(detail(expectation));
  else if (!expectation.implied) item.append(h("details", {}, h("summary", {}, "as written"), h("pre", {}, expectation.text)));
  return item;
}

function evidence(numbers) {
  if (!numbers.length) return null;
  const shown = numbers.slice(0, 12);
  return h("span", { class: "facts" }, " · packets ", shown.map((number, place) => [place ? ", " : "", packetLink(number)]),
    numbers.length > shown.length && ` and ${numbers.length - shown.length} more`);
}

function packetLink(number, words) {
  return h("a", {
    href: placeOf(number),
    onclick: (event) => {
      event.preventDefault();
      select(number);
    },
    onmouseenter: () => hover(number),
    onmouseleave: () => hover(0),
  }, words || String(number));
}

function detail(expectation) {
  const detail = expectation.detail;
  return h("div", {},
    h("p", {}, detail.message),
    statementWithCaret(expectation.text, detail.span),
    detail.expected && h("div", { class: "mono compare" }, `expected  ${detail.expected}`),
    detail.actual && h("div", { class: "mono compare" }, `got       ${detail.actual}`),
    detail.difference && h("p", {}, detail.difference),
    (detail.notes || []).map((note) => h("p", { class: "facts note" }, prose(note))),
    expectation.hint && lesson("Hint", expectation.hint),
    detail.wireshark_filter && h("p", { class: "tools" }, h("code", {}, detail.wireshark_filter),
      h("button", { type: "button", onclick: () => applyFilter(detail.wireshark_filter) }, "Show these packets")),
  );
}

// The statement with carets below the bytes of the span.
function statementWithCaret(text, span) {
  if (!span) return h("pre", {}, text);
  const bytes = new TextEncoder().encode(text);
  const chars = (end) => new TextDecoder().decode(bytes.slice(0, end));
  const [start, end] = [chars(span.start).length, chars(span.end).length];
  const lines = [];
  let at = 0;
  for (const line of text.split("\n")) {
    lines.push(line);
    const from = Math.max(start - at, 0);
    const to = Math.min(end - at, line.length);
    if (from < to) lines.push(" ".repeat(from) + "^".repeat(to - from));
    at += line.length + 1;
  }
  return h("pre", {}, lines.join("\n"));
}

on("opened", showTop);
