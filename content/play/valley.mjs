// Gradient descent on a loss of two numbers, with the first one alone and with both: how long a step?
import { button, choice, h, number, plot, read, slider, stage, status } from "./parts.mjs";

// L is the mean of (w a + b − y)² over the points (a, y). With one point the bottom is a straight
// groove, with several a bowl; the groove is that of the book's network on paper, where a₁ = 2.
const DEFAULTS = {
  ground: "bowl",
  grounds: {
    bowl: { label: "three points, a bowl", a: [0, 1, 2], y: [1, 2, 3], start: [3, 3], names: ["w", "b"] },
    groove: { label: "one point, a groove", a: [2], y: [7], start: [0.5, 3], names: ["w₂", "b₂"] },
  },
  lr: 0.1,
  steps: 8,
  rule: "", // one of RULES: then the reader may choose; without one it is gradient descent
  beta: 0.9,
  beta2: 0.999,
};
const RULES = [["plain", "gradient descent"], ["momentum", "momentum"], ["adam", "Adam"]];
const HALF = 3; // the map goes so far to all sides of its center
const LEVELS = [0.25, 1, 4, 9, 16, 25, 36, 49];

// --- The loss ------------------------------------------------------------------------------------

function loss({ a, y }, w, b) {
  return a.reduce((sum, each, i) => sum + (w * each + b - y[i]) ** 2, 0) / a.length;
}

function gradient({ a, y }, w, b) {
  let dw = 0, db = 0;
  a.forEach((each, i) => {
    const grad_p = (2 * (w * each + b - y[i])) / a.length;
    dw += grad_p * each;
    db += grad_p;
  });
  return [dw, db];
}

// What a parameter changes by for each gradient, by PyTorch's formulas.
function mover({ rule, lr, beta, beta2 }) {
  let v = 0, s = 0, t = 0;
  if (rule === "momentum") return (g) => lr * (v = beta * v + g);
  if (rule !== "adam") return (g) => lr * g;
  return (g) => {
    t += 1;
    v = beta * v + (1 - beta) * g;
    s = beta2 * s + (1 - beta2) * g * g;
    return (lr * v) / (1 - beta ** t) / (Math.sqrt(s / (1 - beta2 ** t)) + 1e-8);
  };
}

// Where the steps lead; `alone`, b stays as it is.
function descend(ground, state, alone = false) {
  const movers = [mover(state), mover(state)];
  let [w, b] = ground.start;
  const path = [[w, b]];
  for (let step = 0; step < state.steps; step++) {
    const [dw, db] = gradient(ground, w, b);
    w -= movers[0](dw);
    if (!alone) b -= movers[1](db);
    path.push([w, b]);
  }
  return path;
}

// The two curvatures of the ground, the large one first, and that along w `alone`; the direction of
// the first, and across it; the bottom that is next to the start. The second derivatives are the same everywhere.
function shape(ground) {
  const { a, start } = ground, mean = (f) => a.reduce((sum, each) => sum + f(each), 0) / a.length;
  const ww = 2 * mean((each) => each * each), wb = 2 * mean((each) => each), bb = 2;
  const half = (ww + bb) / 2, root = Math.hypot((ww - bb) / 2, wb), angle = 0.5 * Math.atan2(2 * wb, ww - bb);
  const curvatures = [half + root, a.length > 1 ? half - root : 0];
  const axis = [Math.cos(angle), Math.sin(angle)], across = [-axis[1], axis[0]], slope = gradient(ground, ...start);
  const bottom = [axis, across].reduce(([w, b], direction, i) => {
    const far = curvatures[i] > 1e-12 ? (slope[0] * direction[0] + slope[1] * direction[1]) / curvatures[i] : 0;
    return [w - far * direction[0], b - far * direction[1]];
  }, start);
  return { curvatures, axis, across, bottom, alone: ww };
}

// A line of equal loss: an ellipse, or two straight lines, which are an ellipse without ends.
function contour({ curvatures, axis, across, bottom }, level) {
  const point = (u, v) => [bottom[0] + u * axis[0] + v * across[0], bottom[1] + u * axis[1] + v * across[1]];
  const radius = curvatures.map((each) => Math.sqrt((2 * level) / each));
  if (!Number.isFinite(radius[1])) {
    return [-1, 1].map((side) => [point(side * radius[0], -99), point(side * radius[0], 99)]);
  }
  return [Array.from({ length: 73 }, (_, i) => {
    const t = (i * Math.PI) / 36;
    return point(radius[0] * Math.cos(t), radius[1] * Math.sin(t));
  })];
}

// Where a straight line is at this height.
function crossing([[w1, b1], [w2, b2]], b) {
  return [w1 + ((b - b1) / (b2 - b1)) * (w2 - w1), b];
}

// The loss as a formula.
function formula({ a, y, names: [w, b] }) {
  if (a.length === 1) return `L = (${number(a[0])} ${w} + ${b} − ${number(y[0])})²`;
  return `L is the mean of (${w} x + ${b} − y)² over (x, y) = ${a.map((each, i) => `(${number(each)}, ${number(y[i])})`).join(", ")}`;
}

// --- Words ---------------------------------------------------------------------------------------

function compute(state) {
  const ground = state.grounds[state.ground], { lr } = state, found = shape(ground);
  const path = descend(ground, state), alone = descend(ground, state, true);
  return {
    path, losses: path.map(([w, b]) => loss(ground, w, b)), factors: found.curvatures.map((each) => 1 - lr * each),
    alone, lossesAlone: alone.map(([w, b]) => loss(ground, w, b)), factorAlone: 1 - lr * found.alone,
    curvatures: found.curvatures, curvatureAlone: found.alone, bottom: found.bottom,
  };
}

const by = ({ rule }) => (rule ? `of ${RULES.find(([name]) => name === rule)[1]} ` : "");

/** One sentence for who does not see the figure. */
export function description(given = {}) {
  const state = { ...DEFAULTS, ...given }, { losses, path } = compute(state);
  const [w, b] = state.grounds[state.ground].names, place = (at) => `${w} = ${number(at[0])}, ${b} = ${number(at[1])}`;
  return `A map of the loss over ${w} and ${b}: from ${place(path[0])}, ${state.steps} steps ${by(state)}with the learning rate ` +
    `${number(state.lr)} lead to ${place(path.at(-1))}, and the loss goes from ${number(losses[0])} to ${number(losses.at(-1))}.`;
}

function sideways(state, { alone, lossesAlone }) {
  const [w, b] = state.grounds[state.ground].names;
  return `The loss over ${w} alone, while ${b} stays at ${number(alone[0][1])}: a valley; the steps go from ${w} = ${number(alone[0][0])} ` +
    `to ${number(alone.at(-1)[0])}, and the loss from ${number(lossesAlone[0])} to ${number(lossesAlone.at(-1))}.`;
}

function sentences(state, found) {
  const { names } = state.grounds[state.ground], { factors: [steep, flat], curvatures } = found;
  const what = (factor) => (Math.abs(factor) < 1e-12 ? "it arrives" : factor < -1 ? "it jumps across and ends farther away"
    : factor === -1 ? "it jumps across and ends as far away" : factor < 0 ? "it jumps across, and ends closer" : "it comes closer");
  const times = (curvature, factor) => `1 − ${number(state.lr)} · ${number(curvature, 3)} = ${number(Math.abs(factor) < 1e-12 ? 0 : factor, 3)}`;
  const rest = curvatures[1] === 0 ? "along the groove nothing moves" : `in the flattest direction by ${number(flat, 3)}`;
  const result = `After ${state.steps} ${state.steps === 1 ? "step" : "steps"} ${by(state)}the loss is ` +
    `${number(found.lossesAlone.at(-1))} with ${names[0]} alone, and ${number(found.losses.at(-1))} with both. `;
  if (state.rule === "momentum") {
    return `${result}Each step is ${number(state.beta)} of the last one, and the learning rate times the new gradient against it.`;
  }
  if (state.rule === "adam") {
    return `${result}The first step is as long as the learning rate in ${names[0]} and in ${names[1]}, wherever the ground is not level.`;
  }
  return `${result}With ${names[0]} alone, each step multiplies the distance to the bottom by ` +
    `${times(found.curvatureAlone, found.factorAlone)}: ${what(found.factorAlone)}. With both, it does so in the steepest direction by ` +
    `${times(curvatures[0], steep)}: ${what(steep)}; ${rest}.`;
}

// --- The figure ----------------------------------------------------------------------------------

function render({ model, el }) {
  const state = structuredClone(read(model, DEFAULTS));
  const axes = { x: { min: 0, max: 1, label: "" }, y: { min: 0, max: 1, label: "" } };
  const side = plot({ label: "", height: 340, ...axes }), chart = plot({ label: "", height: 340, equal: true, ...axes });
  chart.el.style.maxWidth = "26rem"; // a wider map would be too low for the start
  const slope = side.line({ color: "--play-muted" });
  const hops = side.line({ color: "--play-2", dash: "5 3" }), stops = side.points({ color: "--play-2" });
  const lines = LEVELS.flatMap(() => [0, 1].map(() => chart.line({ color: "--play-muted", width: 1 })));
  const levels = LEVELS.map(() => chart.text({ dy: 4 }));
  const floor = chart.points({ color: "--play-3", r: 5 }), groove = chart.line({ color: "--play-3" });
  const walk = chart.line({ color: "--play-2", dash: "5 3" }), marks = chart.points({ color: "--play-2" });
  const round = (value) => Math.round(value * 20) / 20;
  const handle = chart.handle({ ondrag: (w, b) => { state.grounds[state.ground].start = [round(w), round(b)]; show(); } });
  const words = status(5), place = h("div"), name = h("p");
  let starts = [];

  function arrange() { // the map, and the sliders of the starting point
    const ground = state.grounds[state.ground], { bottom, ...rest } = shape(ground);
    const center = bottom.map((each) => Math.round(each * 2) / 2);
    ["x", "y"].forEach((axis, i) => chart.axis(axis, { min: center[i] - HALF, max: center[i] + HALF, label: ground.names[i] }));
    const contours = LEVELS.map((level) => contour({ bottom, ...rest }, level));
    const end = rest.curvatures[0] > 9 * rest.curvatures[1] ? 18 : 36; // of a long ellipse, its far one
    contours.forEach((found, i) => {
      const level = LEVELS[i];
      [0, 1].forEach((j) => lines[2 * i + j].set(found[j] ?? []));
      levels[i].set(...(found.length > 1 ? crossing(found[0], center[1] - HALF * 0.8) : found[0][end]), level < 1 ? "" : level);
    });
    root.dataset.contours = JSON.stringify(LEVELS.map((level, i) => [level, contours[i].flat()]));
    const flat = rest.curvatures[1] === 0;
    floor.set(flat ? [] : [bottom]);
    groove.set(flat ? contour({ bottom, ...rest }, 0)[0] : []);
    starts = ground.names.map((name, i) => slider({
      label: `start ${name}`, min: center[i] - HALF, max: center[i] + HALF, step: 0.05, value: ground.start[i],
      oninput: (next) => { ground.start[i] = next; show(); },
    }));
    name.textContent = formula(ground);
    side.axis("x", { min: center[0] - HALF, max: center[0] + HALF, label: `${ground.names[0]} alone` });
    place.replaceChildren(...starts.map((each) => each.el));
  }
  const grounds = choice({
    label: "loss of", value: state.ground, options: Object.entries(state.grounds).map(([name, { label }]) => [name, label]),
    oninput: (next) => { state.ground = next; arrange(); show(); },
  });
  const lr = slider({ label: "learning rate", min: 0.005, max: 0.5, step: 0.005, value: state.lr, oninput: (next) => { state.lr = next; show(); } });
  const steps = slider({ label: "steps", min: 0, max: 50, step: 1, value: state.steps, oninput: (next) => { state.steps = next; show(); } });
  const change = (key) => (next) => { state[key] = next; show(); };
  const rules = choice({ label: "rule", value: state.rule || "plain", options: RULES, oninput: (next) => { state.rule = next; options(); show(); } });
  const beta = slider({ label: "momentum β₁", min: 0, max: 0.99, step: 0.01, value: state.beta, oninput: change("beta") });
  const beta2 = slider({ label: "average of squares β₂", min: 0.5, max: 0.999, step: 0.001, value: state.beta2, oninput: change("beta2") });
  const own = h("div"); // the sliders of the rule
  const options = () => own.replaceChildren(...{ momentum: [beta.el], adam: [beta.el, beta2.el] }[state.rule] ?? []);
  const more = button("One more step", () => { state.steps = Math.min(50, state.steps + 1); show(); });
  const reset = button("Reset", () => {
    Object.assign(state, structuredClone(read(model, DEFAULTS)));
    grounds.set(state.ground);
    rules.set(state.rule || "plain");
    options();
    arrange();
    show();
  });

  function show() {
    const found = compute(state), { start } = state.grounds[state.ground];
    lr.set(state.lr);
    steps.set(state.steps);
    beta.set(state.beta);
    beta2.set(state.beta2);
    starts.forEach((each, i) => each.set(start[i]));
    const { min, max } = { min: starts[0].input.min, max: starts[0].input.max };
    side.axis("y", { label: "L", max: Math.max(2, 1.5 * found.losses[0]) });
    slope.set(Array.from({ length: 121 }, (_, i) => Number(min) + ((max - min) * i) / 120)
      .map((w) => [w, loss(state.grounds[state.ground], w, start[1])]));
    const across = found.alone.map(([w], i) => [w, found.lossesAlone[i]]);
    hops.set(across);
    stops.set(across);
    walk.set(found.path);
    marks.set(found.path);
    handle.set(...start);
    chart.svg.setAttribute("aria-label", description(state));
    side.svg.setAttribute("aria-label", sideways(state, found));
    words.say(sentences(state, found));
    root.dataset.state = JSON.stringify({ ...state, ...found });
  }
  const root = stage(el, "Gradient descent on a loss of two numbers",
    h("div", { class: "play-grid" }, side.el, chart.el,
      h("div", {}, ...(state.rule ? [rules.el] : []), grounds.el, name, h("div", { class: "play-row" }, more, reset)),
      h("div", {}, lr.el, own, steps.el, place)),
    words.el);
  options();
  arrange();
  show();
}

export default { render };
