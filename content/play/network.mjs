// A network that learns to tell points of the plane apart, while one watches. Where the notebook has
// handed over PyTorch's training of the same network (tools/watch.py), it is compared.
import { Network, Training, layersFrom, oneHot, randomLayers, softmax } from "./net.mjs";
import { button, choice, h, loop, number, plot, resolved, s, slider, stage, status, style, toggle } from "./parts.mjs";
import { samples } from "./samples.mjs";

// How high the figure is on a narrow page and on others, so that the site can keep the room free.
export const heights = [1500, 810];

const STYLE = `
@container (min-width: 36rem) { .play .play-net { grid-template-columns: 21rem minmax(0, 1fr); } }
.play-plane { position: relative; width: 100%; max-width: 21rem; margin: 0.25rem auto; border: 1px solid var(--play-line); }
.play-plane canvas { display: block; width: 100%; height: auto; }
.play-plane svg { position: absolute; inset: 0; width: 100%; height: 100%; }
.play-plane path { fill: none; stroke-width: 0.018; }
.play-buttons { display: grid; grid-template-columns: repeat(4, auto); gap: 0.3rem; max-width: 21rem; margin: auto; }
.play .play-buttons button { padding: 0.25rem; font-size: 0.875rem; white-space: nowrap; }
.play-says { min-height: 6.1em; }
.play-hist { display: block; fill: var(--play-muted); }
.play .play-layers { table-layout: fixed; width: 100%; max-width: 23rem; }
.play .play-layers :is(tr, th, td) { text-align: left; vertical-align: top; background: none; }
.play-net + * { --play-label: 9.5em; }
`;
const SIDE = 1.2; // the plane is shown from -1.2 to 1.2
const CELLS = 48; // of the colored map, in each direction
const PARTS = 6; // frames that one map takes: ten maps a second at most
const COLORS = ["--play-1", "--play-2", "--play-3"];
const MARKS = [
  ([x, y]) => `M${x - 0.025},${-y}a.025,.025 0 1 0 .05,0a.025,.025 0 1 0 -.05,0`,
  ([x, y]) => `M${x - 0.022},${-y - 0.022}h.044v.044h-.044z`,
  ([x, y]) => `M${x},${-y - 0.03}l.028,.05h-.056z`,
];
const DATA = [["spiral", "spiral"], ["moons", "moons"], ["rings", "rings"], ["xor", "XOR"], ["line", "a line"]];
const ACTIVATIONS = [["tanh", "tanh"], ["relu", "ReLU"], ["sigmoid", "sigmoid"], ["linear", "none"]];
const DEFAULTS = {
  data: "spiral", activation: "tanh", rate: 0.7, width: 16, depth: 2, scale: 1, size: 60,
  flat: false, extraSoftmax: false, diagonal: false, seed: 0,
};

// --- What is trained -----------------------------------------------------------------------------

/** A training from its beginning in a setting; `run` is PyTorch's, or nothing. */
function begin(setting, run) {
  const { data, width, depth, flat, seed, scale } = setting;
  const { k, train, held } = data === run?.data ? run : samples(data);
  const sizes = [2, ...Array(flat ? 0 : depth).fill(width), k];
  const same = run && seed === 0 && String(sizes) === String(run.sizes);
  const layers = same ? layersFrom(sizes, run.start) : randomLayers(sizes, seed);
  layers.forEach(({ W, b }) => [W, b].forEach((each) => each.forEach((_, i) => (each[i] *= scale))));
  const given = ({ points, labels }) => ({
    X: Float64Array.from(points.flat()), Y: oneHot(labels, k), m: labels.length, points, labels,
  });
  const training = new Training(new Network(layers, setting), {
    ...given(train), size: setting.size, rate: setting.rate, held: given(held),
  });
  // Before the first step, too, something is known.
  const { X, Y, m } = training.held;
  return Object.assign(training, { k, atStart: training.network.evaluate(X, Y, m) });
}

/** The class that row i of Z (m, k) names. */
function named(Z, i, k) {
  let best = 0;
  for (let l = 1; l < k; l++) if (Z[i * k + l] > Z[i * k + best]) best = l;
  return best;
}

/** How many of the samples held out are told right, from 0 to 1. */
function accuracy({ network, held: { X, m, labels }, k }) {
  const Z = network.predict(X, m);
  return labels.filter((label, i) => named(Z, i, k) === label).length / m;
}

/** The largest difference between the weights and PyTorch's, [W1, b1, W2, ...]. */
function distance(network, theirs) {
  const differences = network.parameters.map((each, i) => {
    const other = theirs[i].flat();
    return each.reduce((most, value, j) => Math.max(most, Math.abs(value - other[j])), 0);
  });
  return Math.max(...differences);
}

// --- What is drawn -------------------------------------------------------------------------------

/** The plane with its colored map: { el, points(training), advance(training), begin() }. */
function plane() {
  const canvas = h("canvas", { width: CELLS, height: CELLS, role: "img", "aria-label": "The plane, colored by the class that the network names, the stronger the surer; marks are the points held out." });
  const marks = COLORS.map((color) => {
    const path = s("path");
    path.style.stroke = `var(${color})`;
    return path;
  });
  const svg = s("svg", { viewBox: `${-SIDE} ${-SIDE} ${2 * SIDE} ${2 * SIDE}`, "aria-hidden": "true" }, marks);
  const el = h("div", { class: "play-plane" }, canvas, svg);
  const context = canvas.getContext("2d"), image = context.createImageData(CELLS, CELLS);
  const step = (2 * SIDE) / CELLS, rows = CELLS / PARTS;
  let part = 0, rgb = [], frozen;

  function paint(network, k, first) {
    const X = new Float64Array(rows * CELLS * 2);
    for (let i = 0; i < rows * CELLS; i++) {
      X[2 * i] = -SIDE + (i % CELLS + 0.5) * step;
      X[2 * i + 1] = SIDE - (first + Math.floor(i / CELLS) + 0.5) * step;
    }
    const P = softmax(network.predict(X, rows * CELLS), k);
    for (let i = 0; i < rows * CELLS; i++) {
      const best = named(P, i, k), at = 4 * (first * CELLS + i), sure = P[i * k + best];
      image.data.set(rgb[best], at);
      image.data[at + 3] = 255 * (0.08 + (0.42 * (k * sure - 1)) / (k - 1)) || 0; // nan is nothing
    }
  }
  return {
    el,
    points({ held: { points, labels } }) {
      marks.forEach((path, l) => path.setAttribute("d", points.filter((_, i) => labels[i] === l).map(MARKS[l]).join("")));
    },
    /** A sixth of the next map; whether it is whole now. */
    advance({ network, k }) {
      if (part === 0) frozen = network.copy(); // one map shows one state
      paint(frozen, k, part * rows);
      part = (part + 1) % PARTS;
      if (part === 0) context.putImageData(image, 0, 0);
      return part === 0;
    },
    /** Begin a new map, in the colors that the page has now. */
    begin() {
      part = 0;
      rgb = COLORS.map((color) => resolved(el, color).match(/[\d.]+/g).slice(0, 3).map(Number));
    },
  };
}

/** A small histogram, as wide as the largest size, which stands beside it: { el, set(values) }. */
function histogram() {
  const path = s("path");
  const svg = s("svg", { class: "play-hist", width: 84, height: 30, "aria-hidden": "true" }, path), text = h("span");
  return {
    el: h("td", {}, svg, text),
    set(values) {
      const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0), bins = Array(21).fill(0);
      values.forEach((value) => bins[Math.round(10 * (value / (most || 1) + 1))]++);
      const tallest = Math.max(1, ...bins);
      path.setAttribute("d", bins.map((count, i) => `M${4 * i},30v${-Math.round((30 * count) / tallest)}h3V30z`).join(""));
      text.textContent = `±${number(most, 2)}`;
    },
  };
}

/** A row of histograms for each layer: { el, set(network) }. */
function table() {
  const body = h("tbody");
  let rows = [];
  return {
    el: h("table", { class: "play-layers" },
      h("thead", {}, h("tr", {}, ["Layer", "Outputs", "Gradients of weights"].map((name) => h("th", { scope: "col" }, name)))), body),
    set({ layers }) {
      if (rows.length !== layers.length) {
        rows = layers.map(() => [histogram(), histogram()]);
        body.replaceChildren(...rows.map((pair, i) =>
          h("tr", {}, h("th", { scope: "row" }, rows[i + 1] ? `hidden ${i + 1}` : "logits"), pair.map(({ el }) => el))));
      }
      rows.forEach(([outputs, gradients], i) => {
        outputs.set(layers[i].a ?? []);
        gradients.set(layers[i].gradW ?? []);
      });
    },
  };
}

/** At most 200 of a curve's points [epoch, loss], the last among them. */
function curve(losses) {
  const every = Math.ceil(losses.length / 200);
  return losses.map((loss, i) => [i + 1, loss]).filter((_, i) => i % every === 0 || i === losses.length - 1);
}

// --- The figure ----------------------------------------------------------------------------------

function render({ model, el }) {
  const run = model.get("run") ?? null; // PyTorch's
  const notebooks = { ...DEFAULTS, ...run?.setting };
  const setting = { ...notebooks };
  let training, before = [], compared, most; // with PyTorch: the weights once, and the losses so far

  style(STYLE);
  const map = plane(), layers = table(), words = status();
  const chart = plot({
    label: "Training loss and loss on the points held out, by epoch.",
    height: 210, x: { min: 1, max: 20, label: "epoch" }, y: { min: 0, max: 1.2, label: "loss" },
  });
  const old = chart.line({ color: "--play-6", width: 1.5, dash: "2 3" });
  const held = chart.line({ color: "--play-2", dash: "6 4" }), trained = chart.line({ color: "--play-1" });
  const earlier = h("span", { hidden: true }, "··· the run before");
  const key = h("p", {}, h("span", { class: "play-one" }, "— training "), h("span", { class: "play-two" }, "- - held out "), earlier);
  const agreement = h("p");

  // --- Training ---

  const isNotebooks = () => Object.keys(notebooks).every((name) => setting[name] === notebooks[name]);
  const isLost = () => !Number.isFinite(training.losses.train.at(-1) ?? 0);

  function restart() {
    if (training?.epoch > 1) before = curve(training.losses.held);
    earlier.hidden = !before.length;
    training = begin(setting, run);
    compared = most = null;
    map.points(training);
    draw();
  }

  const change = (name, value) => {
    setting[name] = value;
    restart();
  };

  function step() {
    training.step();
    const { epoch, at, losses } = training;
    if (at === 0 && epoch <= run?.losses.train.length && isNotebooks()) {
      for (const name in losses) most = Math.max(most, Math.abs(losses[name].at(-1) - run.losses[name][epoch - 1]));
      if (run.kept[epoch]) compared = { epoch, most: distance(training.network, run.kept[epoch]) };
      if (epoch === run.losses.train.length) motion.stop();
    }
    if (isLost()) motion.stop();
  }

  // --- Showing ---

  function tell() {
    const { epoch, losses: { train, held: others }, atStart } = training;
    if (isLost()) return words.say(`Epoch ${epoch}: the loss is not a number any more. The steps were too large.`);
    const loss = epoch ? `loss ${train.at(-1).toFixed(4)}; ` : "";
    words.say(`Epoch ${epoch}: ${loss}held out ${(others.at(-1) ?? atStart).toFixed(4)}, ${Math.round(100 * accuracy(training))} % right.`);
  }

  function compare() {
    back.hidden = isNotebooks();
    if (!run) return "";
    if (!isNotebooks()) return "There is no run of PyTorch’s in this setting.";
    const known = Math.min(training.epoch, run.losses.train.length);
    if (known === 0) return "PyTorch has trained the same network. From the first epoch on, the two are compared here.";
    const ours = training.losses.train[known - 1], theirs = run.losses.train[known - 1];
    const weights = compared ? ` The largest difference of a weight after epoch ${compared.epoch}: ${number(compared.most, 1)}.` : "";
    return `PyTorch’s loss in epoch ${known}, from the same start: ${theirs.toFixed(4)}. Difference: ${number(Math.abs(ours - theirs), 1)}.${weights}`;
  }

  function show() {
    const { losses, epoch, atStart } = training, seen = [...losses.train, ...losses.held, atStart].filter(Number.isFinite);
    const top = Math.min(Math.max(1.2, ...seen.slice(-400)), 1000);
    chart.axis("x", { max: Math.max(20, epoch) });
    chart.axis("y", { max: top });
    trained.set(curve(losses.train));
    held.set(curve(losses.held));
    old.set(before);
    layers.set(training.network);
    tell();
    agreement.textContent = compare();
    root.dataset.state = JSON.stringify({
      epoch, at: training.at, train: losses.train.at(-1), held: losses.held.at(-1), right: accuracy(training), compared, most, setting,
    });
  }

  function draw() {
    map.begin();
    while (!map.advance(training));
    show();
  }

  // --- Controls ---

  const play = button("Play", () => (motion.running ? motion.stop() : motion.start()));
  const once = button("One step", () => (motion.stop(), step(), draw()));
  const back = button("Back to the notebook’s setting", () => {
    Object.assign(setting, notebooks);
    for (const [name, control] of Object.entries(controls)) control.set(setting[name]);
    restart();
  });
  const control = (make, name, label, options) =>
    make({ label, ...options, value: setting[name], oninput: (value) => change(name, value) });
  const controls = {
    data: control(choice, "data", "Data", { options: DATA }),
    activation: control(choice, "activation", "Activation", { options: ACTIVATIONS }),
    rate: control(slider, "rate", "Learning rate", { min: 0.001, max: 10, log: true }),
    width: control(slider, "width", "Units in a layer", { min: 1, max: 32, step: 1 }),
    depth: control(slider, "depth", "Hidden layers", { min: 0, max: 4, step: 1 }),
    scale: control(slider, "scale", "Starting weights ×", { min: 0.1, max: 10, log: true }),
    size: control(slider, "size", "Batch size", { min: 10, max: 240, step: 10 }),
    flat: control(toggle, "flat", "No hidden layers"),
    extraSoftmax: control(toggle, "extraSoftmax", "A softmax too many"),
    diagonal: control(toggle, "diagonal", "Softmax’s Jacobian taken as diagonal"),
  };
  const fields = Object.values(controls).map(({ el: field }) => field);
  const root = stage(el, "A network in training",
    h("div", { class: "play-grid play-net" },
      h("div", {}, h("div", { class: "play-buttons" }, play, once,
        button("Start again", restart), button("New seed", () => change("seed", setting.seed + 1))), map.el),
      h("div", {}, chart.el, key, words.el, h("div", { class: "play-says" }, agreement, back))),
    h("div", { class: "play-grid" },
      h("div", {}, h("div", { class: "play-row" }, fields.slice(0, 2)), fields.slice(2, 7)),
      h("div", {}, fields.slice(7), layers.el)));

  const motion = loop(root, () => {
    step();
    if (map.advance(training)) show();
  }, (running) => {
    play.textContent = running ? "Pause" : "Play";
    if (!running) draw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  restart();
  motion.start(true);
}

export default { render };
