// Conversations: what was said, HTTP transactions, plots.

function end(endpoint) {
  const role = endpoint.role ? `${endpoint.role} ` : "";
  const address = endpoint.address.includes(":") ? `[${endpoint.address}]` : endpoint.address;
  return `${role}${address}:${endpoint.port}`;
}

function showConversations() {
  const { conversations } = state.report;
  $("streams").hidden = conversations.length === 0;
  replace($("conversation"), conversations.slice(0, 5000).map((one, index) => {
    const packets = one.packets.to_server + one.packets.to_client;
    const how = one.tcp ? ` · ${one.tcp.state} ${one.tcp.close.replace("_", " ")}` : "";
    return h("option", { value: index }, `${one.protocol} ${one.id}: ${end(one.client)} → ${end(one.server)} · ${count(packets, "packet")}${how}`);
  }));
}

function showConversation() {
  const index = state.conversation;
  const conversation = state.report.conversations[index];
  if (!conversation) return;
  $("conversation").value = String(index);
  const { chunks, beyond } = engine.ask({ ask: "stream", conversation: index });
  const who = (way) => (way === "to_server" ? end(conversation.client) : end(conversation.server));
  replace($("chunks"),
    h("h3", {}, "What was said"),
    chunks.length ? chunks.map((chunk) => h("div", { class: `chunk ${chunk.way}` },
      chunk.missing ? h("div", { class: "gap" }, `${count(chunk.missing, "byte")} were never captured`) : null,
      h("div", { class: "who" }, who(chunk.way), " · ", count(chunk.len, "byte"), " · packet ", packetLink(chunk.packet)),
      longText(chunk.text.replace(/\r\n/g, "\n")))) : h("p", { class: "facts" }, "no bytes"),
    beyond ? h("p", { class: "facts" }, `${count(beyond, "further byte")} are not shown`) : null,
  );
  showTransactions(index);
  showPlots(conversation, index);
}

function showTransactions(index) {
  const own = state.report.messages.filter((message) => message.conversation === index);
  if (!own.length) {
    replace($("transactions"));
    return;
  }
  const wait = (http) => Math.max(0, http.first_byte_ms ?? http.time_ms ?? 0);
  const start = own[0].start_ms || 0;
  const last = Math.max(...own.map(({ start_ms, http }) => (start_ms || 0) - start + wait(http) + (http.transfer_ms || 0)), 0.001);
  const x = (ms) => (ms / last) * 200;
  replace($("transactions"), h("h3", {}, "HTTP transactions"), h("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "HTTP transactions" }, h("table", {},
    h("thead", {}, h("tr", {}, ["Request", "Status"].map((word) => h("th", { scope: "col" }, word)),
      ["Bytes", "Wait, ms", "Transfer, ms"].map((word) => h("th", { scope: "col", class: "number" }, word)), h("th", { scope: "col" }, "Waterfall"))),
    h("tbody", {}, own.slice(0, 500).map(({ start_ms, http }) => {
      const { request, response } = http;
      const from = (start_ms || 0) - start;
      return h("tr", {},
        h("td", {}, request ? packetLink(request.frame, `${request.method} ${request.uri}`) : "not seen"),
        h("td", {}, response ? packetLink(response.frame, `${response.code} ${response.phrase}`) : "no answer"),
        h("td", { class: "number" }, response ? response.body.len.toLocaleString("en") : ""),
        h("td", { class: "number" }, http.first_byte_ms === undefined ? "" : http.first_byte_ms.toFixed(3)),
        h("td", { class: "number" }, http.transfer_ms === undefined ? "" : http.transfer_ms.toFixed(3)),
        h("td", {}, s("svg", { width: 204, height: 14, role: "img", "aria-label": `begins at ${from.toFixed(1)} ms` },
          s("rect", { class: "bar wait", x: x(from), y: 2, width: Math.max(1, x(wait(http))), height: 10 }),
          s("rect", { class: "bar", x: x(from + wait(http)), y: 2, width: Math.max(2, x(http.transfer_ms || 0)), height: 10 }))),
      );
    })))));
}

const PLOT_LEAST = 5;

function showPlots(conversation, index) {
  if (!conversation.tcp) {
    replace($("plots"));
    return;
  }
  const { points, thinned } = engine.ask({ ask: "series", conversation: index });
  const trips = points.filter((point) => point.rtt_ms !== undefined);
  // Fewer are seen at a glance above.
  if (points.length < PLOT_LEAST) {
    replace($("plots"));
    return;
  }
  replace($("plots"),
    plot("Sequence numbers over time", "relative sequence number", points.map((p) => ({ ...p, y: p.next })), points.map((p) => p.next)),
    trips.length ? plot("Round trips", "milliseconds", trips.map((p) => ({ ...p, y: p.rtt_ms })), trips.map((p) => p.rtt_ms)) : null,
    thinned && h("p", { class: "facts" }, "Not every packet is a point."),
    h("p", { class: "facts" }, "Client to server and server to client in their colours; what was sent again in red. A point leads to its packet."),
  );
}

// So near a point must be to be meant, in units of the drawing.
const NEAR = 24;

function plot(title, unit, points, values) {
  const [width, height, left, bottom] = [800, 260, 70, 30];
  const last = points.reduce((most, p) => Math.max(most, p.time), 1e-6);
  const top = values.reduce((most, value) => Math.max(most, value), 1e-6);
  const x = (time) => left + (time / last) * (width - left - 20);
  const y = (value) => height - bottom - (value / top) * (height - bottom - 24);
  // One path for each colour: thousands of elements would be slow.
  const dots = (kind) => points.filter((p) => (p.again ? "again" : p.way) === kind)
    .map((p) => `M${x(p.time).toFixed(1)} ${y(p.y).toFixed(1)}h0`).join("");
  const ring = s("circle", { class: "ring", r: 6, visibility: "hidden" });
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}: ${count(points.length, "point")} over ${(last * 1000).toFixed(1)} ms, up to ${top.toLocaleString("en")} ${unit}` },
    s("line", { class: "axis", x1: left, x2: width - 20, y1: height - bottom, y2: height - bottom }),
    s("line", { class: "axis", x1: left, x2: left, y1: 20, y2: height - bottom }),
    s("text", { x: left - 6, y: 28, "text-anchor": "end" }, top.toLocaleString("en", { maximumSignificantDigits: 4 })),
    s("text", { x: left - 6, y: height - bottom, "text-anchor": "end" }, "0"),
    s("text", { x: left + 6, y: 16 }, unit),
    s("text", { x: width - 20, y: height - 10, "text-anchor": "end" }, `${(last * 1000).toFixed(1)} ms`),
    ["to_server", "to_client", "again"].map((kind) => s("path", { class: `dots ${kind}`, d: dots(kind) })),
    ring);
  const nearest = (event) => {
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    let [best, distance] = [null, NEAR];
    for (const point of points) {
      const own = Math.hypot(x(point.time) - place.x, y(point.y) - place.y);
      if (own < distance) [best, distance] = [point, own];
    }
    return best;
  };
  svg.addEventListener("mousemove", (event) => {
    const point = nearest(event);
    ring.setAttribute("visibility", point ? "visible" : "hidden");
    if (point) {
      ring.setAttribute("cx", x(point.time));
      ring.setAttribute("cy", y(point.y));
    }
    hover(point ? point.packet : 0);
  });
  svg.addEventListener("mouseleave", () => {
    ring.setAttribute("visibility", "hidden");
    hover(0);
  });
  svg.addEventListener("click", (event) => {
    const point = nearest(event);
    if (point) select(point.packet);
  });
  return h("div", { class: "plot" }, h("h3", {}, title), svg);
}

$("conversation").addEventListener("change", (event) => pickConversation(Number(event.target.value)));
on("opened", showConversations);
on("conversation", showConversation);
