// Backpropagation on paper: every number of a network with one hidden unit, or two, forward and
// backward, and beside each derivative the central difference.
import { button, h, number, read, s, slider, stage, status, style, toggle, unique } from "./parts.mjs";

const DEFAULTS = {
  x: 3, y: 7, w1: [1, 1], b1: [-1, -2], w2: [0.5, -1], b2: 3,
  two: false, // whether the second unit is there
  h: 1e-3, // what a central difference goes to either side
  lr: 0.01,
  step: 12, // how many of the stages below have been done
};
const FORWARD = ["z", "a", "p", "L"];
const BACKWARD = ["p", "w2", "b2", "a", "z", "w1", "b1", "x"];
const STAGES = FORWARD.length + BACKWARD.length;
const IN_UNITS = ["w1", "b1", "z", "a", "w2"]; // one of each for every hidden unit
const CSS = `
.play-graph { display: block; width: 100%; max-width: 24rem; height: auto; margin: 0 auto; font: 13px system-ui, sans-serif; text-anchor: middle; }
.play-graph text { fill: var(--play-ink); }
.play-graph rect { fill: var(--play-surface); stroke: var(--play-line); stroke-width: 1.5; }
.play-graph .now rect { stroke: var(--play-ink); stroke-width: 2.5; }
.play-graph text.forward { fill: var(--play-1); }
.play-graph text.backward { fill: var(--play-2); }
.play-graph path { fill: none; stroke: var(--play-line); stroke-width: 1.5; }
.play-graph path.forward { stroke: var(--play-1); fill: none; }
.play-graph path.backward { stroke: var(--play-2); fill: none; stroke-dasharray: 5 3; }
.play-graph marker path { stroke: none; }
.play-graph marker .forward { fill: var(--play-1); }
.play-graph marker .backward { fill: var(--play-2); }
.play-numbers { --play-label: 1.75em; }
@container (max-width: 30rem) { .play-rule { display: none; } .play-paper :is(th, td) { padding: 0.2rem 0.4rem; } }
`;

// --- The network ---------------------------------------------------------------------------------

const units = (state) => (state.two ? [0, 1] : [0]);
const keys = (kind, state) => (IN_UNITS.includes(kind) ? units(state).map((j) => kind + "." + j) : [kind]);

// What is given, on top of the defaults; the second unit need not be given.
function complete(given) {
  const state = structuredClone({ ...DEFAULTS, ...given });
  for (const name of ["w1", "b1", "w2"]) {
    const [first, second] = [state[name]].flat();
    state[name] = [first, second ?? DEFAULTS[name][1]];
  }
  return state;
}

// All quantities, by key. One of them may be nudged; what is computed from it then follows.
function forward(state, nudged, by) {
  const at = (key, value) => (key === nudged ? value + by : value);
  const v = { x: at("x", state.x), y: state.y, b2: at("b2", state.b2) };
  let sum = 0;
  for (const j of units(state)) {
    for (const kind of ["w1", "b1", "w2"]) v[`${kind}.${j}`] = at(`${kind}.${j}`, state[kind][j]);
    v[`z.${j}`] = at(`z.${j}`, v[`w1.${j}`] * v.x + v[`b1.${j}`]);
    v[`a.${j}`] = at(`a.${j}`, Math.max(v[`z.${j}`], 0));
    sum += v[`w2.${j}`] * v[`a.${j}`];
  }
  v.p = at("p", sum + v.b2);
  v.L = (v.p - v.y) ** 2;
  return v;
}

function backward(state, v) {
  const g = { p: 2 * (v.p - v.y), x: 0 };
  g.b2 = g.p;
  for (const j of units(state)) {
    g[`w2.${j}`] = g.p * v[`a.${j}`];
    g[`a.${j}`] = g.p * v[`w2.${j}`];
    g[`z.${j}`] = v[`z.${j}`] > 0 ? g[`a.${j}`] : 0;
    g[`w1.${j}`] = g[`z.${j}`] * v.x;
    g[`b1.${j}`] = g[`z.${j}`];
    g.x += g[`z.${j}`] * v[`w1.${j}`]; // the paths through the units add up
  }
  return g;
}

const difference = (state, key) =>
  (forward(state, key, state.h).L - forward(state, key, -state.h).L) / (2 * state.h);

// --- Words ---------------------------------------------------------------------------------------

const SUBSCRIPT = ["", "₁", "₂"];

// "w1.0" is called w₁, or w₁₁ where there are two units.
function label(key, state) {
  const [kind, j] = key.split(".");
  const layer = kind.length > 1 ? SUBSCRIPT[Number(kind[1])] : j === undefined ? "" : "₁";
  return kind[0] + layer + (state.two && j !== undefined ? SUBSCRIPT[Number(j) + 1] : "");
}

const factor = (value) => (value < 0 ? `(${number(value)})` : number(value));
const times = (...values) => values.map((value, i) => (i ? factor(value) : number(value))).join(" · ");

// How a quantity, or with `g` its derivative, comes from those before, in numbers.
function rule(key, state, v, g) {
  const [kind, j] = key.split("."), of = (name) => `${name}.${j}`;
  const terms = (one) => units(state).map(one).join(" + ");
  if (!g) {
    return {
      z: () => `${times(v[of("w1")], v.x)} + ${factor(v[of("b1")])}`,
      a: () => `max(${number(v[of("z")])}, 0)`,
      p: () => `${terms((i) => times(v[`w2.${i}`], v[`a.${i}`]))} + ${factor(v.b2)}`,
      L: () => `(${number(v.p)} − ${factor(v.y)})²`,
    }[kind]();
  }
  return {
    p: () => `2 (${number(v.p)} − ${factor(v.y)})`,
    w2: () => times(g.p, v[of("a")]),
    b2: () => times(g.p, 1),
    a: () => times(g.p, v[of("w2")]),
    z: () => times(g[of("a")], v[of("z")] > 0 ? 1 : 0),
    w1: () => times(g[of("z")], v.x),
    b1: () => times(g[of("z")], 1),
    x: () => terms((i) => times(g[`z.${i}`], v[`w1.${i}`])),
  }[kind]();
}

function sentence(state, v, g) {
  if (state.step === 0) return "Nothing has been computed yet.";
  if (state.step <= FORWARD.length) {
    const kind = FORWARD[state.step - 1];
    const found = keys(kind, state).map((key) => `${label(key, state)} = ${rule(key, state, v)} = ${number(v[key])}`);
    return `Forward: ${found.join("; ")}.`;
  }
  const kind = BACKWARD[state.step - 1 - FORWARD.length];
  const found = keys(kind, state).map((key) => `∂L/∂${label(key, state)} = ${rule(key, state, v, g)} = ${number(g[key])}`);
  const paths = kind === "x" && state.two ? " Two paths lead from x to the loss, and their products add up." : "";
  return `Backward: ${found.join("; ")}.${paths}`;
}

/** One sentence for who does not see the figure. */
export function description(given = {}) {
  const state = complete(given);
  const v = forward(state), g = backward(state, v);
  const values = FORWARD.slice(0, -1).flatMap((kind) => keys(kind, state)).map((key) => `${label(key, state)} = ${number(v[key])}`);
  const derivatives = BACKWARD.flatMap((kind) => keys(kind, state)).map((key) => `${number(g[key])} for ${label(key, state)}`);
  return `A network with ${state.two ? "two hidden units" : "one hidden unit"}: forward, x = ${number(v.x)} gives ` +
    `${values.join(", ")}, and with the target y = ${number(v.y)} a loss of ${number(v.L)}; backward, ` +
    `the derivatives of the loss are ${derivatives.join(", ")}.`;
}

// --- The drawing ---------------------------------------------------------------------------------

// Column and row of each box.
const ONE = {
  "w1.0": [1, 0], x: [2, 0], "b1.0": [3, 0], "z.0": [2, 1], "w2.0": [1, 2], "a.0": [2, 2], b2: [3, 2],
  p: [2, 3], y: [3, 3], L: [2, 4],
};
const TWO = {
  "w1.0": [0, 0], "b1.0": [1, 0], x: [2, 0], "w1.1": [3, 0], "b1.1": [4, 0], "z.0": [0.5, 1], "z.1": [3.5, 1],
  "a.0": [0, 2], "w2.0": [1, 2], b2: [2, 2], "w2.1": [3, 2], "a.1": [4, 2], p: [2, 3], y: [3, 3], L: [2, 4],
};
const WIDTH = 64, HEIGHT = 58, ACROSS = 73, DOWN = 88;
const center = ([column, row]) => [column * ACROSS + WIDTH / 2 + 2, row * DOWN + HEIGHT / 2 + 2];
const EDGES = (state) => [
  ...units(state).flatMap((j) => [["w1." + j, "z." + j], ["b1." + j, "z." + j], ["x", "z." + j], ["z." + j, "a." + j], ["a." + j, "p"], ["w2." + j, "p"]]),
  ["b2", "p"], ["p", "L"], ["y", "L"],
];

function head(id, name) {
  return s("marker", { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto" },
    s("path", { class: name, d: "M0,0L8,4L0,8Z" }));
}

// Which values and which derivatives have arrived.
function arrived(state) {
  const done = FORWARD.slice(0, state.step), back = BACKWARD.slice(0, Math.max(0, state.step - FORWARD.length));
  const kind = (key) => key.split(".")[0];
  return {
    value: (key) => !FORWARD.includes(kind(key)) || done.includes(kind(key)),
    gradient: (key) => back.includes(kind(key)),
    now: (key) => kind(key) === (state.step > FORWARD.length ? back.at(-1) : done.at(-1)),
  };
}

function draw(svg, id, state, v, g) {
  const places = state.two ? TWO : ONE, has = arrived(state);
  const lines = EDGES(state).map(([from, to]) => {
    const [x1, y1] = center(places[from]), [x2, y2] = center(places[to]);
    const side = y1 === y2, upper = y1 + HEIGHT / 2, lower = y2 - HEIGHT / 2;
    const turn = Math.abs(x2 - x1) / ACROSS; // a steep edge stands in the middle of its box
    const end = x2 + (x1 - x2) * (turn > 0.6 ? 0.16 : 0.12);
    const path = (dx, reverse) => (reverse ? `M${end + dx},${lower - 1}L${x1 + dx},${upper + 2}` : `M${x1 + dx},${upper + 1}L${end + dx},${lower - 2}`);
    const known = !side && has.value(from) && has.value(to);
    return [
      s("path", { class: known ? "forward" : "", d: path(-4), "marker-end": known ? `url(#${id}-forward)` : undefined }),
      has.gradient(from) ? s("path", { class: "backward", d: path(4, true), "marker-end": `url(#${id}-backward)` }) : undefined,
    ];
  });
  const boxes = Object.entries(places).map(([key, place]) => {
    const [cx, cy] = center(place);
    return s("g", { class: has.now(key) ? "now" : "" },
      s("rect", { x: cx - WIDTH / 2, y: cy - HEIGHT / 2, width: WIDTH, height: HEIGHT, rx: key === "x" || key === "y" ? 20 : 6 }),
      s("text", { x: cx, y: cy - 13 }, label(key, state)),
      s("text", { class: "forward", x: cx, y: cy + 4 }, has.value(key) ? number(v[key]) : ""),
      s("text", { class: "backward", x: cx, y: cy + 21 }, has.gradient(key) ? number(g[key]) : ""));
  });
  svg.setAttribute("aria-label", description(state));
  svg.replaceChildren(s("defs", {}, head(`${id}-forward`, "forward"), head(`${id}-backward`, "backward")), ...lines.flat().filter(Boolean), ...boxes);
}

// --- The figure ----------------------------------------------------------------------------------

function render({ model, el }) {
  style(CSS);
  const state = complete(read(model, DEFAULTS));
  const id = unique("paper");
  const svg = s("svg", { class: "play-graph", role: "img", viewBox: `0 0 ${4 * ACROSS + WIDTH + 4} ${4 * DOWN + HEIGHT + 4}` });
  const words = status(4), body = h("tbody"), sliders = h("div", { class: "play-numbers" });
  const controls = new Map();

  const change = (key, value) => {
    const [kind, j] = key.split(".");
    if (j === undefined) state[kind] = value;
    else state[kind][j] = value;
    show();
  };
  const value = (key) => (key.includes(".") ? state[key.split(".")[0]][key.split(".")[1]] : state[key]);
  const LIMITS = { x: 5, y: 10, w1: 3, b1: 5, w2: 3, b2: 5 };
  function arrange() { // the sliders of the units that are there
    const wanted = ["x", "y", ...units(state).flatMap((j) => ["w1." + j, "b1." + j]), ...keys("w2", state), "b2"];
    controls.clear();
    for (const key of wanted) {
      const limit = LIMITS[key.split(".")[0]];
      controls.set(key, slider({ label: label(key, state), min: -limit, max: limit, step: 0.1, value: value(key), oninput: (next) => change(key, next) }));
    }
    sliders.replaceChildren(...[...controls.values()].map((control) => control.el));
  }
  const go = (step) => { state.step = Math.min(STAGES, Math.max(0, step)); show(); };
  const first = button("Clear", () => go(0)), back = button("Back", () => go(state.step - 1));
  const next = button("Next", () => go(state.step + 1)), last = button("All", () => go(STAGES));
  const two = toggle({ label: "a second hidden unit", value: state.two, oninput: (on) => { state.two = on; arrange(); show(); } });
  const width = slider({ label: "step h", values: Array.from({ length: 16 }, (_, i) => Number(`1e${i - 15}`)), value: state.h, oninput: (now) => { state.h = now; show(); } });
  const downhill = button(`Step downhill, lr ${number(state.lr)}`, () => {
    const g = backward(state, forward(state));
    for (const key of ["w1", "b1", "w2", "b2"].flatMap((kind) => keys(kind, state))) {
      const [kind, j] = key.split(".");
      if (j === undefined) state[kind] -= state.lr * g[key];
      else state[kind][j] -= state.lr * g[key];
    }
    state.step = STAGES;
    show();
  });

  const reset = button("Reset", () => { Object.assign(state, complete(read(model, DEFAULTS))); two.set(state.two); width.set(state.h); arrange(); show(); });

  function show() {
    const v = forward(state), g = backward(state, v), has = arrived(state);
    for (const [key, control] of controls) if (control.value !== value(key)) control.set(value(key));
    for (const each of [first, back]) each.setAttribute("aria-disabled", state.step === 0);
    for (const each of [next, last]) each.setAttribute("aria-disabled", state.step === STAGES);
    draw(svg, id, state, v, g);
    const all = BACKWARD.flatMap((kind) => keys(kind, state));
    const differences = Object.fromEntries(all.map((key) => [key, difference(state, key)]));
    body.replaceChildren(...all.map((key) => {
      const [how, found, beside] = has.gradient(key) ? [rule(key, state, v, g), number(g[key]), number(differences[key], 10)] : ["", "", ""];
      return h("tr", {}, h("th", { scope: "row" }, `∂L/∂${label(key, state)}`), h("td", { class: "play-rule" }, how),
        h("td", { class: "play-two" }, found), h("td", {}, beside));
    }));
    words.say(state.step === STAGES ? `p = ${number(v.p)}, loss L = ${number(v.L)}. ${sentence(state, v, g)}` : sentence(state, v, g));
    root.dataset.state = JSON.stringify({ ...state, values: v, gradients: g, differences });
  }
  const root = stage(el, "A network with every number, forward and backward",
    h("div", { class: "play-row" }, first, back, next, last),
    h("div", { class: "play-grid" },
      h("div", {}, svg, words.el),
      h("div", {}, h("p", {}, "Change any number. ", h("b", { class: "play-one" }, "Blue"), ": forward, the values. ", h("b", { class: "play-two" }, "Orange"), ": backward, the derivatives of L."),
        two.el, sliders, h("div", { class: "play-row" }, downhill, reset))),
    width.el,
    h("table", { class: "play-paper" },
      h("caption", { class: "play-hidden" }, "The derivatives, and central differences beside them"),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "derivative"), h("th", { scope: "col", class: "play-rule" }, "how"),
        h("th", { scope: "col" }, "value"), h("th", { scope: "col" }, "central difference"))), body),
    h("p", {}, "Central difference: the loss with this number h larger, minus the loss with it h smaller, divided by 2h."));
  arrange();
  show();
}

export default { render };
