// The tool's reading half, compiled to WebAssembly: questions and answers are
// JSON (src/view/desk.rs).

const engine = {
  exports: null,

  async start(packed) {
    const bytes = await unpack(packed);
    const { instance } = await WebAssembly.instantiate(bytes, {});
    this.exports = instance.exports;
  },

  // Asks; throws what is wrong.
  ask(question, data) {
    const document = JSON.parse(this.text(question, data));
    if (document.error !== undefined) throw new Error(document.error);
    return document.answer;
  },

  // The answer as it came.
  text(question, data) {
    if (!this.exports) throw new Error("the page is not ready yet");
    const text = new TextEncoder().encode(JSON.stringify(question));
    const extra = data || new Uint8Array();
    const at = this.exports.reserve(text.length + extra.length);
    const room = new Uint8Array(this.exports.memory.buffer, at, text.length + extra.length);
    room.set(text);
    room.set(extra, text.length);
    const length = this.exports.ask(text.length);
    const answer = new Uint8Array(this.exports.memory.buffer, this.exports.answer(), length);
    return new TextDecoder().decode(answer);
  },
};

// Base64 of gzip to bytes.
async function unpack(packed) {
  const text = atob(packed);
  // A plain loop: Uint8Array.from takes a second for ten megabytes.
  const binary = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) binary[at] = text.charCodeAt(at);
  const stream = new Blob([binary]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
