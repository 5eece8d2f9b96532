// A curve and the sum of k bent lines that imitates it: bend them by hand, or let them learn.
import { button, h, loop, number, plot, read, slider, stage, status, toggle } from "./parts.mjs";
import { normals } from "./random.mjs";

const M = 50, MOST = 16;

// As torch.linspace computes them: from both ends to the middle.
const linspace = (from, to, m) =>
  Array.from({ length: m }, (_, i) => (i < m / 2 ? from + ((to - from) / (m - 1)) * i : to - ((to - from) / (m - 1)) * (m - 1 - i)));

function random(seed) {
  const draw = normals(seed), row = () => Array.from({ length: MOST }, draw);
  return [row(), row(), row(), [0]];
}

const X = linspace(-2, 2, M);
const DEFAULTS = {
  x: X, y: X.map((x) => Math.sin(2 * x)),
  start: random(1), // w1, b1, w2 and b2, of which the first k units are used
  k: MOST, lr: 0.02,
  steps: 0, // of gradient descent that it begins with
  unit: 1, // the one to be bent by hand, from 1
};
const PER_FRAME = 10; // steps of gradient descent

// --- The network ---------------------------------------------------------------------------------

function forward({ x, y, w1, b1, w2, b2 }) {
  const a = x.map((each) => w1.map((w, j) => Math.max(w * each + b1[j], 0)));
  const p = a.map((row) => row.reduce((sum, each, j) => sum + w2[j] * each, 0) + b2);
  return { a, p, loss: p.reduce((sum, each, i) => sum + (each - y[i]) ** 2, 0) / x.length };
}

function descend(state) {
  const { x, y, w1, w2, lr } = state, { a, p } = forward(state), zeros = () => w1.map(() => 0);
  const grad = { w1: zeros(), b1: zeros(), w2: zeros(), b2: 0 };
  p.forEach((each, i) => {
    const grad_p = (2 * (each - y[i])) / x.length;
    grad.b2 += grad_p;
    for (let j = 0; j < w1.length; j++) {
      const grad_z = a[i][j] > 0 ? grad_p * w2[j] : 0;
      grad.w2[j] += grad_p * a[i][j];
      grad.w1[j] += grad_z * x[i];
      grad.b1[j] += grad_z;
    }
  });
  for (const name of ["w1", "b1", "w2"]) state[name] = state[name].map((each, j) => each - lr * grad[name][j]);
  state.b2 -= lr * grad.b2;
  state.losses.push(forward(state).loss);
}

// The loss of the best straight line, to compare with.
function lineLoss({ x, y }) {
  const mean = (values) => values.reduce((sum, each) => sum + each, 0) / values.length;
  const mx = mean(x), my = mean(y);
  const w = mean(x.map((each, i) => (each - mx) * (y[i] - my))) / mean(x.map((each) => (each - mx) ** 2));
  return mean(x.map((each, i) => (w * (each - mx) + my - y[i]) ** 2));
}

// What the model gives, with the first k units. Points may be a column.
function begin(model) {
  const given = read(model, DEFAULTS), k = Math.min(given.k, given.start[0].length);
  const state = restart({ ...given, x: given.x.flat(), y: given.y.flat(), k });
  for (let i = 0; i < given.steps; i++) descend(state);
  return state;
}

// Count the steps from here.
const fresh = (state) => Object.assign(state, { losses: [forward(state).loss] });

function restart(state) {
  const [w1, b1, w2] = state.start.map((row) => row.slice(0, state.k)), [b2] = state.start[3];
  return fresh(Object.assign(state, { w1, b1, w2, b2, unit: Math.min(state.unit, state.k) }));
}

/** One sentence for who does not see the figure. */
export function description(given = {}) {
  const state = given.losses ? given : begin({ get: (name) => given[name] });
  const { loss } = forward(state), units = state.k === 1 ? "one bent line" : `the sum of ${state.k} bent lines`;
  return `Fifty points on a curve, and ${units}: after ${state.losses.length - 1} steps the loss is ${number(loss)}, where the best straight line has ${number(lineLoss(state))}.`;
}

// --- The figure ----------------------------------------------------------------------------------

function render({ model, el }) {
  let state = begin(model), seed = 1;
  const axis = { x: { min: -2, max: 2, label: "x" } };
  const left = plot({ label: "", height: 300, ...axis, y: { min: -3, max: 3, label: "w₂ max(w₁x + b₁, 0)" } });
  const right = plot({ label: "", height: 300, ...axis, y: { min: -2, max: 2, label: "y, and their sum + b₂" } });
  const lines = Array.from({ length: MOST }, () => left.line({ color: "--play-6", width: 1.25 }));
  const chosen = left.line({ color: "--play-2", width: 3 });
  const points = right.points({ color: "--play-1" }), sum = right.line({ color: "--play-2", width: 2.5 });
  const fall = plot({ label: "", height: 220, x: { min: 0, max: 100, label: "step" }, y: { min: 1e-4, max: 100, log: true, label: "loss" } });
  const losses = fall.line({ color: "--play-2" }), best = fall.line({ color: "--play-muted", dash: "5 4", width: 1.5 });
  const words = status();

  // The chosen unit as one sees it: where it bends, its slope beyond, and to which side that is.
  const seen = () => {
    const j = state.unit - 1, w = state.w1[j];
    return { at: -state.b1[j] / w, slope: w * state.w2[j], side: w < 0 ? -1 : 1 };
  };
  const bend = (change) => {
    const j = state.unit - 1, { at, slope, side } = { ...seen(), ...change }, size = Math.abs(state.w1[j]) || 1;
    state.w1[j] = side * size;
    state.b1[j] = -state.w1[j] * at;
    state.w2[j] = slope / state.w1[j];
    touched();
  };
  const touched = () => { fresh(state); show(); };
  const reach = ({ at, side }) => Math.max(0.3, Math.min(1, 2 - side * at)); // how far out one grips the slope
  const grip = left.handle({ ondrag: (x) => bend({ at: Math.round(x * 20) / 20 }) });
  const lift = left.handle({ color: "--play-4", ondrag: (_, y) => { const now = seen(); bend({ slope: Math.round((y / (now.side * reach(now))) * 10) / 10 }); } });

  const running = loop(el, () => {
    for (let i = 0; i < PER_FRAME && Number.isFinite(state.losses.at(-1)); i++) descend(state);
    if (!Number.isFinite(state.losses.at(-1))) running.stop();
    show();
  }, (on) => { train.textContent = on ? "Pause" : "Train"; });
  const again = () => { running.stop(); restart(state); show(); };
  const train = button("Train", () => (running.running ? running.stop() : running.start()));
  const buttons = [
    train,
    button("One step", () => { running.stop(); descend(state); show(); }),
    button("Start again", again),
    button("Other random numbers", () => { seed += 1; state.start = random(seed); again(); }),
  ];
  const k = slider({ label: "bent lines k", min: 1, max: Math.min(MOST, state.start[0].length), step: 1, value: state.k, oninput: (next) => { state.k = next; again(); } });
  const lr = slider({ label: "learning rate", min: 0.0002, max: 0.5, log: true, value: state.lr, oninput: (next) => { state.lr = next; show(); } });
  const unit = slider({ label: "line number", min: 1, max: state.k, step: 1, value: state.unit, oninput: (next) => { state.unit = next; show(); } });
  const at = slider({ label: "bends at x =", min: -2, max: 2, step: 0.05, value: 0, oninput: (next) => bend({ at: next }) });
  const slope = slider({ label: "slope", min: -5, max: 5, step: 0.1, value: 0, oninput: (next) => bend({ slope: next }) });
  const side = toggle({ label: "slopes to the left of its bend", oninput: (on) => bend({ side: on ? -1 : 1 }) });
  const b2 = slider({ label: "b₂", min: -3, max: 3, step: 0.05, value: 0, oninput: (next) => { state.b2 = next; touched(); } });

  function show() {
    const { p, loss } = forward(state), now = seen(), j = state.unit - 1;
    const wide = [-2, ...state.w1.map((w, i) => -state.b1[i] / w).filter((x) => x > -2 && x < 2), 2].sort((p, q) => p - q);
    const value = (i, x) => state.w2[i] * Math.max(state.w1[i] * x + state.b1[i], 0);
    const path = (i) => wide.map((x) => [x, value(i, x)]);
    lines.forEach((line, i) => line.set(i < state.k ? path(i) : []));
    chosen.set(path(j));
    points.set(state.x.map((x, i) => [x, state.y[i]]));
    sum.set(wide.map((x) => [x, state.b2 + state.w1.reduce((total, _, i) => total + value(i, x), 0)]));
    const place = Math.min(2, Math.max(-2, now.at)), out = place + now.side * reach({ ...now, at: place });
    grip.set(place, 0);
    lift.set(out, Math.min(3, Math.max(-3, value(j, out))));
    for (const [control, next] of [[unit, state.unit], [at, now.at], [slope, now.slope], [b2, state.b2], [k, state.k], [lr, state.lr]]) control.set(next);
    unit.input.max = state.k;
    side.set(now.side < 0);
    const straight = lineLoss(state), count = state.losses.length - 1, steps = `${count} ${count === 1 ? "step" : "steps"}`;
    const end = [100, 200, 500, 1000, 2000, 5000].find((each) => each >= count) ?? Math.ceil(count / 5000) * 5000;
    fall.axis("x", { max: end });
    const every = Math.max(1, Math.floor(count / 400));
    losses.set(state.losses.map((each, i) => [i, each]).filter(([i]) => i % every === 0 || i === count));
    best.set([[0, straight], [end, straight]]);
    words.say(Number.isFinite(loss)
      ? `After ${steps}: loss ${number(loss)}. The best straight line has ${number(straight)}.`
      : `After ${steps} the numbers are larger than a computer can hold: the learning rate is too large.`);
    left.svg.setAttribute("aria-label", `${state.k} bent lines; number ${state.unit} bends at ${number(now.at)} and has the slope ${number(now.slope)}.`);
    right.svg.setAttribute("aria-label", description(state));
    fall.svg.setAttribute("aria-label", `The loss in ${steps}: from ${number(state.losses[0])} to ${number(loss)}; dashed, that of the best straight line, ${number(straight)}.`);
    const { w1, b1, w2 } = state;
    root.dataset.state = JSON.stringify({ w1, b1, w2, b2: state.b2, k: state.k, lr: state.lr, steps: count, unit: state.unit, loss, p, ...now });
  }
  const root = stage(el, "A curve and a sum of bent lines",
    h("div", { class: "play-row" }, buttons),
    words.el,
    h("div", { class: "play-grid" }, left.el, right.el,
      h("div", {}, unit.el, at.el, slope.el, side.el, b2.el),
      h("div", {}, fall.el, k.el, lr.el)));
  show();
}

export default { render };
