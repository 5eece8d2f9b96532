// Softmax and cross-entropy for one sample: logits to drag, probabilities, loss and gradient; and
// what a second softmax does to the loss and its gradient.
import { button, h, number, plot, read, slider, stage, status, style, toggle, unique } from "./parts.mjs";

const DEFAULTS = {
  logits: [0, Math.log(2), Math.log(5)],
  right: 1, // the place of the right class, from 0
  first: 0, // the number of the first class
  doubled: false, // whether the loss gets softmax(z) where it expects z
};
const LIMIT = 10, SURE = 8;
const CSS = `
.play-class { display: flex; flex-wrap: wrap; align-items: center; gap: 0 1rem; border-bottom: 1px solid var(--play-line); padding: 0.15rem 0; }
.play-class > label:first-child { width: 5.5rem; white-space: nowrap; }
.play-class > .play-slider { --play-label: 1em; flex: 1 1 calc(100% - 7rem); }
.play-class > .play-bar { flex: 1 1 40%; }
.play-bar { padding-bottom: 0.35rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.play-bar > span { display: block; position: relative; height: 0.7rem; background: var(--play-surface); border: 1px solid var(--play-line); }
.play-bar i { position: absolute; top: 0; bottom: 0; background: var(--play-1); }
.play-bar i.right { background: none; border: 1px solid var(--play-1); }
.play-bar i.wrong { background: var(--play-2); }
@container (min-width: 36rem) { .play-class > .play-slider { flex: 3 1 0; } .play-class > .play-bar { flex: 2 1 0; } }
`;

// --- Softmax and cross-entropy -------------------------------------------------------------------

function softmax(z) {
  const largest = Math.max(...z), e = z.map((each) => Math.exp(each - largest));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((each) => each / sum);
}

// -ln of the probability that softmax(z) gives to class y, without that probability.
function crossEntropy(z, y) {
  const largest = Math.max(...z);
  return Math.log(z.reduce((sum, each) => sum + Math.exp(each - largest), 0)) + largest - z[y];
}

const minusOneHot = (p, y) => p.map((each, l) => each - (l === y ? 1 : 0));
const length = (g) => Math.hypot(...g);

// All numbers of one sample: the right loss, and the doubled one.
function compute({ logits, right }) {
  const k = logits.length, p = softmax(logits), q = softmax(p), g = minusOneHot(q, right);
  const total = g.reduce((sum, each, l) => sum + each * p[l], 0);
  return {
    p, q,
    loss: crossEntropy(logits, right), gradient: minusOneHot(p, right),
    doubledLoss: crossEntropy(p, right), doubledGradient: g.map((each, l) => p[l] * (each - total)),
    floor: Math.log(1 + (k - 1) / Math.E),
  };
}

/** One sentence for who does not see the figure. */
export function description(given = {}) {
  const state = { ...DEFAULTS, ...given }, found = compute(state);
  const list = (values) => values.map((each) => number(each)).join(", ");
  const start = `Logits ${list(state.logits)} become probabilities ${list(found.p)}; class ${state.right + state.first} is right`;
  if (!state.doubled) {
    return `${start}, which costs −ln ${number(found.p[state.right])} = ${number(found.loss)}, and the gradient p − y is ${list(found.gradient)}.`;
  }
  return `${start}. With a softmax too many that costs ${number(found.doubledLoss)}, between the floor ` +
    `${number(found.floor)} and the ceiling ${number(found.floor + 1)}, and the gradient has the length ` +
    `${number(length(found.doubledGradient))} instead of ${number(length(found.gradient))}.`;
}

// --- The figure ----------------------------------------------------------------------------------

// A bar from zero to a value, on a scale from `min` to 1.
function bar(min) {
  const text = h("small"), box = h("span");
  return {
    el: h("div", { class: "play-bar" }, text, box),
    set(label, values) { // pairs of a value and the class of its bar
      text.textContent = label;
      box.replaceChildren(...values.map(([value, name]) => {
        const each = h("i", { class: name });
        each.style.left = `${((Math.min(0, value) - min) / (1 - min)) * 100}%`;
        each.style.width = `${(Math.abs(value) / (1 - min)) * 100}%`;
        return each;
      }));
    },
  };
}

function render({ model, el }) {
  style(CSS);
  const state = structuredClone(read(model, DEFAULTS));
  const group = unique("softmax");
  const list = h("div"), words = status(6);
  let rows = [];
  function arrange() { // a row for each class
    rows = state.logits.map((value, l) => {
      const called = `class ${l + state.first}`;
      const radio = h("input", { type: "radio", name: group, "aria-label": `${called} is right`, onchange: () => { state.right = l; show(); } });
      const logit = slider({ label: "z", min: -LIMIT, max: LIMIT, step: 0.1, value, oninput: (next) => { state.logits[l] = next; show(); } });
      logit.input.setAttribute("aria-label", `logit of ${called}`);
      const p = bar(0), gradient = bar(-1);
      const row = h("div", { class: "play-class", role: "group", "aria-label": called }, h("label", {}, radio, h("span", {}, called)), logit.el, p.el, gradient.el);
      return { row, radio, logit, p, gradient };
    });
    list.replaceChildren(...rows.map(({ row }) => row));
  }
  const chart = plot({
    label: "", height: 300,
    x: { min: -LIMIT, max: LIMIT, label: "logit of the right class" },
    y: { min: 0, max: 6, label: "loss L" },
  });
  const lengths = plot({
    label: "", height: 300,
    x: { min: -LIMIT, max: LIMIT, label: "logit of the right class" },
    y: { min: 1e-6, max: 10, log: true, label: "length of the gradient" },
  });
  const rightLength = lengths.line(), wrongLength = lengths.line({ color: "--play-2" }), mark = lengths.points({ color: "--play-2", r: 6 });
  const right = chart.line(), wrong = chart.line({ color: "--play-2" });
  const bounds = [0, 1].map(() => ({ line: chart.line({ color: "--play-muted", dash: "5 4", width: 1.5 }), text: chart.text({ anchor: "start", dx: 4, dy: -5 }) }));
  const handle = chart.handle({ ondrag: (z) => { state.logits[state.right] = Math.round(z * 10) / 10; show(); } });
  const classes = slider({
    label: "classes k", min: 2, max: 10, step: 1, value: state.logits.length,
    oninput: (k) => {
      state.logits = Array.from({ length: k }, (_, l) => state.logits[l] ?? 0);
      state.right = Math.min(state.right, k - 1);
      arrange();
      show();
    },
  });
  const legend = h("p", {}, h("b", { class: "play-one" }, "Blue"), ": as it should be. ", h("b", { class: "play-two" }, "Orange"), ": with a softmax too many.");
  const doubled = toggle({ label: "a softmax too many", value: state.doubled, oninput: (on) => { state.doubled = on; show(); } });
  const sure = (of) => { state.logits = state.logits.map((_, l) => (l === of() ? SURE : 0)); show(); };
  const buttons = [
    button("Sure and right", () => sure(() => state.right)),
    button("Sure and wrong", () => sure(() => (state.right + 1) % state.logits.length)),
    button("Knows nothing", () => sure(() => -1)),
    button("Reset", () => {
      Object.assign(state, structuredClone(read(model, DEFAULTS)));
      classes.set(state.logits.length);
      doubled.set(state.doubled);
      arrange();
      show();
    }),
  ];

  function show() {
    const found = compute(state), { logits, right: y } = state;
    rows.forEach(({ radio, logit, p, gradient }, l) => {
      radio.checked = l === y;
      if (logit.value !== logits[l]) logit.set(logits[l]);
      p.set(state.doubled ? `p = ${number(found.p[l], 3)}, q = ${number(found.q[l], 3)}` : `p = ${number(found.p[l], 3)}`,
        state.doubled ? [[found.p[l], "right"], [found.q[l], "wrong"]] : [[found.p[l], ""]]);
      gradient.set(`∂L/∂z = ${number((state.doubled ? found.doubledGradient : found.gradient)[l], 3)}`,
        state.doubled ? [[found.gradient[l], "right"], [found.doubledGradient[l], "wrong"]] : [[found.gradient[l], ""]]);
    });
    const over = Array.from({ length: 101 }, (_, i) => -LIMIT + (i / 50) * LIMIT);
    const all = over.map((z) => compute({ logits: logits.with(y, z), right: y })), curve = (f) => all.map((each, i) => [over[i], f(each)]);
    const max = Math.max(3, Math.ceil(state.doubled ? found.floor + 2 : all[0].loss / 2));
    chart.axis("y", { max });
    right.set(curve((each) => each.loss));
    wrong.set(state.doubled ? curve((each) => each.doubledLoss) : []);
    rightLength.set(curve((each) => length(each.gradient)));
    wrongLength.set(state.doubled ? curve((each) => length(each.doubledGradient)) : []);
    mark.set([[logits[y], length(state.doubled ? found.doubledGradient : found.gradient)]]);
    bounds.forEach(({ line, text }, i) => {
      const level = state.doubled ? found.floor + i : NaN;
      line.set([[-LIMIT, level], [LIMIT, level]]);
      text.set(-LIMIT, level, `${i ? "ceiling" : "floor"} ${number(level)}`);
    });
    handle.set(logits[y], Math.min(max, state.doubled ? found.doubledLoss : found.loss));
    legend.hidden = !state.doubled;
    chart.svg.setAttribute("aria-label", description(state));
    lengths.svg.setAttribute("aria-label", `The length of the gradient over the logit of the right class: ${number(length(found.gradient))}` +
      `${state.doubled ? `, with a softmax too many ${number(length(found.doubledGradient))}` : ""}.`);
    words.say(sentences(state, found));
    root.dataset.state = JSON.stringify({ ...state, ...found });
  }
  const root = stage(el, "Softmax and cross-entropy of one sample",
    h("p", {}, "Drag the logits, and choose which class is right."),
    list, legend,
    h("div", { class: "play-grid" }, chart.el, lengths.el,
      h("div", {}, classes.el, doubled.el, h("div", { class: "play-row" }, buttons)),
      words.el));
  arrange();
  show();
}

function sentences(state, found) {
  const { right: y } = state;
  const first = `Class ${y + state.first} is right, and has the probability ${number(found.p[y])}.`;
  if (!state.doubled) {
    return `${first} The loss is −ln ${number(found.p[y])} = ${number(found.loss)}, and the gradient p − y has the length ${number(length(found.gradient))}.`;
  }
  const small = length(found.doubledGradient), ratio = length(found.gradient) / small;
  return `${first} The loss takes p for logits, and so q = softmax(p) for the probabilities: it is ` +
    `${number(found.doubledLoss)}, never below ${number(found.floor)}, never above ${number(found.floor + 1)}. ` +
    `The gradient has the length ${number(small, 3)}: ${number(ratio, 3)} times smaller than without the second softmax.`;
}

export default { render };
