// What the figures that answer share: elements, controls, a plot, and a loop that knows when to rest.
// A figure is one ES module, `export default { render({ model, el }) }`, the form of anywidget. All
// styles are set through the CSSOM, which a content policy without inline styles allows.

// --- Look ----------------------------------------------------------------------------------------

// Where a page of the book has no palette of its own (JupyterLab, Colab, VS Code), the second value
// holds; a figure paints its own background, so that its colors never meet a foreign one. Each of
// the six series is readable as text, 4.5 to 1, on both backgrounds.
const CSS = `
:where(body[data-jp-theme-light="true"], .vscode-light, html[theme="light"]) .play { color-scheme: light; }
:where(body[data-jp-theme-light="false"], .vscode-dark, html[theme="dark"]) .play { color-scheme: dark; }
.play {
  --play-paper: var(--paper, light-dark(#ffffff, #0f1318));
  --play-surface: var(--surface, light-dark(#f6f8fa, #171c23));
  --play-ink: var(--ink, light-dark(#1b1f24, #e6edf3));
  --play-muted: var(--muted, light-dark(#59636e, #9aa4af));
  --play-line: var(--line, light-dark(#d1d9e0, #2b333d));
  --play-accent: var(--accent, light-dark(#0b57a4, #7ab7ff));
  --play-1: light-dark(#1c6aa5, #6cb2eb); --play-2: light-dark(#b04504, #f19150);
  --play-3: light-dark(#0a7052, #48c79c); --play-4: light-dark(#974384, #dc93cd);
  --play-5: light-dark(#7a5c00, #d8b13c); --play-6: light-dark(#59636e, #9aa4af);
  container-type: inline-size; max-width: 52rem; margin: 0; padding: 0.75rem 0; text-align: left;
  color: var(--play-ink); background: var(--play-paper); font-size: 0.9375rem; line-height: 1.45;
}
.play *, .play ::before { box-sizing: border-box; }
.play p { margin: 0.35rem 0; }
.play [hidden] { display: none !important; }
.play-row { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25rem 1rem; }
.play-grid { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0.25rem 1.5rem; }
@container (min-width: 36rem) { .play-grid { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
.play label { display: flex; align-items: center; gap: 0.6rem; min-height: 44px; margin: 0; cursor: pointer; }
.play-slider > :first-child { min-width: var(--play-label, 6.5em); }
.play-slider input { flex: 1; min-width: 4rem; height: 44px; margin: 0; cursor: grab; }
.play-slider > :last-child { min-width: 4.25em; text-align: right; font-variant-numeric: tabular-nums; }
.play input { accent-color: var(--play-accent); font: inherit; }
.play input[type="checkbox"], .play input[type="radio"] { width: 1.25rem; height: 1.25rem; margin: 0; flex: none; }
.play button, .play select {
  min-height: 44px; min-width: 44px; padding: 0.25rem 0.9rem; font: inherit; line-height: 1.3;
  color: var(--play-ink); background: var(--play-surface);
  border: 1px solid var(--play-muted); border-radius: 0.375rem; cursor: pointer;
}
.play button:hover, .play select:hover { border-color: var(--play-accent); }
.play button[aria-disabled="true"] { color: var(--play-muted); border-color: var(--play-line); cursor: default; }
.play :focus-visible { outline: 2px solid var(--play-accent); outline-offset: 2px; border-radius: 2px; }
.play .play-one { color: var(--play-1); }
.play .play-two { color: var(--play-2); }
.play table { border-collapse: collapse; margin: 0.35rem 0; font-size: 1em; font-variant-numeric: tabular-nums; }
.play :is(th, td) { padding: 0.2rem 0.6rem; text-align: left; border-bottom: 1px solid var(--play-line); background: none; }
.play-wide { overflow-x: auto; }
.play-plot svg { display: block; overflow: visible; font: 13px system-ui, sans-serif; }
.play-plot text { fill: var(--play-muted); }
.play-plot svg > :last-child text { paint-order: stroke; stroke: var(--play-paper); stroke-width: 4px; }
.play-plot .play-name { fill: var(--play-ink); }
.play-ground { fill: none; stroke: var(--play-line); shape-rendering: crispEdges; }
.play-handle { cursor: grab; touch-action: none; }
.play-handle:active { cursor: grabbing; }
.play-handle circle:first-child { fill: transparent; stroke: none; }
.play-hidden { position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;

const styles = new Set();

/** Add a style sheet to the page, once however often it is asked for. */
export function style(css) {
  if (styles.has(css)) return;
  styles.add(css);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}

/** A name that no other element of the page has: each figure comes with a copy of this module. */
export const unique = (name) => `play-${name}-${Math.random().toString(36).slice(2)}`;

/** A color of the palette as the canvas wants it, "rgb(…)": `resolved(root, "--play-1")`. */
export function resolved(root, name) {
  const probe = root.appendChild(h("span", { hidden: true }));
  probe.style.color = `var(${name})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

// --- Elements ------------------------------------------------------------------------------------

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return node;
}

/** An HTML element; an attribute `onclick` is a listener, `true` stands without a value. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element, likewise. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** The box of a figure, in `el`: a named group. Its `data-state` holds all numbers, for tests. */
export function stage(el, label, ...children) {
  style(CSS);
  const root = h("div", { class: "play", role: "group", "aria-label": label }, ...children);
  el.append(root);
  return root;
}

/** What the model gives, and where it gives nothing, the value beside it. */
export function read(model, defaults) {
  const names = Object.keys(defaults);
  return Object.fromEntries(names.map((name) => [name, model?.get(name) ?? defaults[name]]));
}

/** A number for reading: at most `digits` significant ones, and a minus as long as a plus. */
export function number(value, digits = 4) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : value < 0 ? "−∞" : "∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size < 1e-4 || size >= 1e6
    ? value.toExponential(Math.min(digits, 3) - 1).replace(/\.?0*e\+?/, "e")
    : String(Number(value.toPrecision(Math.max(digits, Math.ceil(Math.log10(size))))));
  return text.replaceAll("-", "−");
}

// --- Controls ------------------------------------------------------------------------------------

const MANTISSAS = [1, 1.5, 2, 3, 5, 7];

// The round numbers from min to max, six in each power of ten; as decimal text, so 0.02 is 0.02.
function rounds(min, max) {
  const found = [];
  for (let power = Math.floor(Math.log10(min)); power <= Math.log10(max); power++) {
    found.push(...MANTISSAS.map((mantissa) => Number(`${mantissa}e${power}`)));
  }
  return found.filter((value) => value >= min && value <= max);
}

/**
 * A slider with its label and its number: { el, input, value, set }. `log` takes round numbers from
 * min to max, `values` these numbers. `set` shows any value, also one between two steps, and calls
 * nobody.
 */
export function slider({ label, min, max, step, value, format = number, log, values, oninput }) {
  const list = log ? rounds(min, max) : values;
  const range = list ? { min: 0, max: list.length - 1, step: 1 } : { min, max, step };
  const input = h("input", { type: "range", ...range });
  const shown = h("span", { "aria-hidden": "true" });
  const el = h("label", { class: "play-slider" }, h("span", {}, label), input, shown);
  const nearest = (wanted) => list.reduce((best, each, i) =>
    Math.abs(Math.log(each / wanted)) < Math.abs(Math.log(list[best] / wanted)) ? i : best, 0);
  const control = {
    el, input, value,
    set(next) {
      control.value = next;
      input.value = list ? nearest(next) : next;
      shown.textContent = format(next);
      input.setAttribute("aria-valuetext", format(next));
    },
  };
  input.addEventListener("input", () => {
    control.set(list ? list[Number(input.value)] : Number(input.value));
    oninput?.(control.value);
  });
  control.set(value);
  return control;
}

/** A button. */
export function button(label, onclick) {
  return h("button", { type: "button", onclick }, label);
}

/** A box to tick: { el, input, value, set }. */
export function toggle({ label, value = false, oninput }) {
  const input = h("input", { type: "checkbox", onchange: () => oninput?.(input.checked) });
  input.checked = value;
  const el = h("label", {}, input, h("span", {}, label));
  return { el, input, get value() { return input.checked; }, set: (next) => { input.checked = next; } };
}

/** One of several: { el, input, value, set }; options are pairs [value, label] of strings. */
export function choice({ label, options, value, oninput }) {
  const input = h("select", { onchange: () => oninput?.(input.value) },
    options.map(([each, text]) => h("option", { value: each }, text)));
  input.value = value ?? options[0][0];
  const el = h("label", {}, h("span", {}, label), input);
  return { el, input, get value() { return input.value; }, set: (next) => { input.value = next; } };
}

/**
 * The present state in words: at once for the eye; for the ear, when it has stood still for a
 * moment, or every four seconds: { el, say }. There is room for so many lines.
 */
export function status(lines = 2) {
  const seen = h("p", { "aria-hidden": "true" });
  const heard = h("p", { class: "play-hidden", role: "status" });
  seen.style.minHeight = `${1.45 * lines}em`;
  let timer, latest = "", last = -Infinity;
  const speak = () => {
    last = performance.now();
    heard.textContent = latest;
  };
  return {
    el: h("div", {}, seen, heard),
    say(text) {
      if (text === latest) return;
      seen.textContent = latest = text;
      clearTimeout(timer);
      timer = setTimeout(speak, Math.max(0, Math.min(600, last + 4000 - performance.now())));
    },
  };
}

// --- A plot --------------------------------------------------------------------------------------

const LEFT = 62, RIGHT = 12, TOP = 12, BOTTOM = 42;

function ticks({ min, max, log }, room) {
  if (log) {
    const first = Math.ceil(Math.log10(min) - 1e-9), last = Math.floor(Math.log10(max) + 1e-9);
    const skip = Math.max(1, Math.ceil((last - first + 1) / room));
    return Array.from({ length: Math.max(0, Math.floor((last - first) / skip) + 1) },
      (_, i) => Number(`1e${first + i * skip}`));
  }
  const raw = (max - min) / room, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((each) => each * power >= raw) * power;
  const first = Math.ceil(min / step - 1e-9), last = Math.floor(max / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/**
 * A plot as wide as its place and `height` pixels high. An axis is { min, max, label, log }.
 * `line` and `points` return { set(points) }, points being pairs [x, y]; `text` { set(x, y, text) };
 * `handle` { set(x, y) }: something to drag with the pointer, 44 pixels wide. What a handle does, a
 * slider must do, too, for the keyboard. `axis("y", { max: 3 })` changes an axis. With `equal`, a
 * unit is as long on both, and y goes as far around its middle as there is room.
 */
export function plot({ label, height = 280, x, y, equal = false }) {
  const axes = { x: { ...x }, y: { ...y } };
  const ground = s("g", { class: "play-ground" }), words = s("g"), content = s("g"), above = s("g");
  const clip = unique("clip");
  const rectangle = s("rect", { x: LEFT, y: TOP - 4 });
  content.setAttribute("clip-path", `url(#${clip})`);
  const svg = s("svg", { role: "img", "aria-label": label, height },
    s("clipPath", { id: clip }, rectangle), ground, words, content, above);
  const el = h("div", { class: "play-plot" }, svg);
  const drawn = [];
  let width = 320;

  const position = (axis, value, from, to) => {
    const { min, max, log } = axes[axis], f = log ? Math.log : (v) => v;
    const place = from + ((f(value) - f(min)) / (f(max) - f(min))) * (to - from);
    return Math.min(9999, Math.max(-9999, place)); // an SVG of a loss of 1e300 is no use
  };
  const toX = (value) => position("x", value, LEFT, width - RIGHT);
  const toY = (value) => position("y", value, height - BOTTOM, TOP);
  const back = (axis, place, from, to) => {
    const { min, max, log } = axes[axis], part = Math.min(1, Math.max(0, (place - from) / (to - from)));
    return log ? min * (max / min) ** part : min + part * (max - min);
  };

  function frame() {
    svg.setAttribute("width", width);
    if (equal) {
      const middle = (axes.y.min + axes.y.max) / 2;
      const half = ((axes.x.max - axes.x.min) / 2) * ((height - BOTTOM - TOP) / Math.max(1, width - RIGHT - LEFT));
      Object.assign(axes.y, { min: middle - half, max: middle + half });
    }
    rectangle.setAttribute("width", Math.max(0, width - RIGHT - LEFT));
    rectangle.setAttribute("height", height - BOTTOM - TOP + 8);
    const paths = [], texts = [];
    for (const value of ticks(axes.x, Math.max(2, (width - LEFT) / 70))) {
      paths.push(`M${toX(value)},${TOP}V${height - BOTTOM}`);
      texts.push(s("text", { x: toX(value), y: height - BOTTOM + 17, "text-anchor": "middle" }, number(value)));
    }
    for (const value of ticks(axes.y, Math.max(2, (height - BOTTOM) / 45))) {
      paths.push(`M${LEFT},${toY(value)}H${width - RIGHT}`);
      texts.push(s("text", { x: LEFT - 6, y: toY(value) + 4, "text-anchor": "end" }, axes.y.log && value < 0.01 ? value.toExponential().replace("-", "−") : number(value)));
    }
    texts.push(s("text", { class: "play-name", x: (LEFT + width - RIGHT) / 2, y: height - 6, "text-anchor": "middle" }, axes.x.label));
    texts.push(s("text", { class: "play-name", "text-anchor": "middle", transform: `translate(12 ${(height - BOTTOM + TOP) / 2}) rotate(-90)` }, axes.y.label));
    ground.replaceChildren(s("path", { d: paths.join("") }));
    words.replaceChildren(...texts);
    drawn.forEach((draw) => draw());
  }

  const keep = (draw) => (drawn.push(draw), draw);
  const finite = (points) => points.filter((point) => point.every(Number.isFinite));
  const paint = (node, { color = "--play-1", width: stroke = 2, dash, filled = false }) => {
    node.style.stroke = `var(${color})`;
    node.style.strokeWidth = stroke;
    node.style.fill = filled ? `var(${color})` : "none";
    if (dash) node.style.strokeDasharray = dash;
    return node;
  };

  // Points drawn by one path, which `shape` writes from their pixels.
  function series(look, shape) {
    const node = content.appendChild(paint(s("path"), look));
    let points = [];
    const draw = keep(() => node.setAttribute("d", finite(points).map(([px, py], i) => shape(toX(px).toFixed(1), toY(py).toFixed(1), i)).join("")));
    return { node, paint: (next) => paint(node, { ...look, ...next }), set: (next) => ((points = next), draw()) };
  }

  const chart = {
    el, svg,
    axis: (name, change) => (Object.assign(axes[name], change), frame()),
    line: (look = {}) => series(look, (px, py, i) => `${i ? "L" : "M"}${px},${py}`),
    points({ r = 3.5, ...look } = {}) {
      const circle = `m${-r},0a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0`;
      return series({ filled: true, width: 1.5, ...look }, (px, py) => `M${px},${py}${circle}`);
    },
    text({ color, anchor = "middle", dx = 0, dy = 0 } = {}) {
      const node = above.appendChild(s("text", { "text-anchor": anchor }));
      if (color) node.style.fill = `var(${color})`;
      let at = [NaN, NaN];
      const draw = keep(() => {
        const seen = ["x", "y"].every((axis, i) => at[i] >= axes[axis].min && at[i] <= axes[axis].max);
        node.toggleAttribute("hidden", !seen);
        if (!seen) return;
        node.setAttribute("x", toX(at[0]) + dx);
        node.setAttribute("y", toY(at[1]) + dy);
      });
      return { node, set: (px, py, text) => ((at = [px, py]), (node.textContent = text), draw()) };
    },
    handle({ color = "--play-2", ondrag }) {
      const mark = paint(s("circle", { r: 8 }), { color, filled: true });
      mark.style.stroke = "var(--play-paper)";
      const node = above.appendChild(s("g", { class: "play-handle" }, s("circle", { r: 22 }), mark));
      let at = [0, 0];
      const draw = keep(() => node.setAttribute("transform", `translate(${toX(at[0])} ${toY(at[1])})`));
      node.addEventListener("pointerdown", (event) => (node.setPointerCapture(event.pointerId), event.preventDefault()));
      node.addEventListener("pointermove", (event) => {
        if (!node.hasPointerCapture(event.pointerId)) return;
        const box = svg.getBoundingClientRect();
        ondrag(back("x", event.clientX - box.left, LEFT, width - RIGHT),
          back("y", event.clientY - box.top, height - BOTTOM, TOP));
      });
      return { node, set: (px, py) => ((at = [px, py]), draw()) };
    },
  };
  frame();
  new ResizeObserver(([{ contentRect: { width: now } }]) => {
    if (now && now !== width) frame((width = now));
  }).observe(el);
  return chart;
}

// --- Motion --------------------------------------------------------------------------------------

/**
 * Calls `step` at most 60 times a second, while it runs and `root` is seen: { start, stop, running }.
 * `start(true)` is a figure that starts by itself: not where the reader has asked for less motion.
 */
export function loop(root, step, onchange = () => {}) {
  let running = false, visible = false, asked = 0, last = -Infinity;
  const turn = (now) => {
    asked = 0;
    if (!running) return;
    if (now - last > 1000 / 60 - 3) {
      last = now;
      step();
    }
    ask();
  };
  const ask = () => { if (running && visible && !asked) asked = requestAnimationFrame(turn); };
  new IntersectionObserver((entries) => {
    visible = entries.at(-1).isIntersecting;
    ask();
  }).observe(root);
  const set = (next) => {
    running = next;
    ask();
    onchange(running);
  };
  const start = (byItself = false) => {
    if (!byItself || !matchMedia("(prefers-reduced-motion: reduce)").matches) set(true);
  };
  return { get running() { return running; }, start, stop: () => set(false) };
}
