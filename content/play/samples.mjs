// Points in the plane to learn from, in two or three classes, and as many held out.
import { normals, uniforms } from "./random.mjs";

const TURN = 2 * Math.PI;

// Each gives the point [x, y] of class `label` at the place t, from 0 to 1; `noise` is a function.
const KINDS = {
  spiral: [3, (t, label, noise) => {
    const r = 0.15 + 0.85 * t, angle = 4 * r + (label * TURN) / 3 + 0.2 * noise();
    return [r * Math.cos(angle), r * Math.sin(angle)];
  }],
  moons: [2, (t, label, noise) => {
    const x = Math.cos(Math.PI * t) - 0.5, y = Math.sin(Math.PI * t) - 0.25, side = label ? -1 : 1;
    return [(side * x + 0.12 * noise()) / 1.6, (side * y + 0.12 * noise()) / 1.6];
  }],
  rings: [2, (t, label, noise) => {
    const r = 0.35 + 0.5 * label + 0.08 * noise();
    return [r * Math.cos(TURN * t), r * Math.sin(TURN * t)];
  }],
  xor: [2, (t, label, noise, random) => {
    const x = 2 * t - 1, y = random();
    return [x, label === Number(x > 0) ? -y : y];
  }],
  line: [2, (t, label, noise, random) => {
    const x = 1.8 * t - 0.9, y = 0.03 + 0.6 * random();
    return [x, 0.4 * x + (label ? -y : y)];
  }],
};

/** Samples of a kind, always the same ones: { k, train, held }, each with points and labels. */
export function samples(kind, count = 240) {
  const [k, place] = KINDS[kind], random = uniforms(1), noise = normals(2);
  const draw = () => {
    const found = Array.from({ length: count }, (_, i) => {
      const label = i % k, t = (Math.floor(i / k) + 0.5) / (count / k);
      return { order: random(), label, point: place(t, label, noise, random) };
    }).sort((a, b) => a.order - b.order); // each batch has some of all classes
    return { points: found.map(({ point }) => point), labels: found.map(({ label }) => label) };
  };
  return { k, train: draw(), held: draw() };
}
