// A small dense network with its backpropagation, in float64: what the notebooks build, in another
// language. Matrices are Float64Arrays, row by row: X (m, n), W (n, k), b (k), as in the book.
import { uniforms } from "./random.mjs";

// Each activation, and its derivative as a function of its value a.
const ACTIVATIONS = {
  tanh: [Math.tanh, (a) => 1 - a * a],
  relu: [(z) => Math.max(z, 0), (a) => (a > 0 ? 1 : 0)],
  sigmoid: [(z) => 1 / (1 + Math.exp(-z)), (a) => a * (1 - a)],
  linear: [(z) => z, () => 1],
};

/** Z = X W + b, for m rows; into `Z` where it is given. */
function affine(X, { W, b, n, k }, m, Z = new Float64Array(m * k)) {
  for (let i = 0; i < m; i++) {
    const row = i * k;
    for (let l = 0; l < k; l++) Z[row + l] = b[l];
    for (let j = 0; j < n; j++) {
      const x = X[i * n + j], from = j * k;
      for (let l = 0; l < k; l++) Z[row + l] += x * W[from + l];
    }
  }
  return Z;
}

/** Softmax of each row of k numbers, and the logarithm of the sum beside the largest: { P, log }. */
function softmaxes(Z, k) {
  const P = new Float64Array(Z.length), log = new Float64Array(Z.length / k);
  for (let i = 0; i < log.length; i++) {
    let largest = -Infinity, sum = 0;
    for (let l = i * k; l < (i + 1) * k; l++) largest = Math.max(largest, Z[l]);
    for (let l = i * k; l < (i + 1) * k; l++) sum += P[l] = Math.exp(Z[l] - largest);
    for (let l = i * k; l < (i + 1) * k; l++) P[l] /= sum;
    log[i] = largest + Math.log(sum);
  }
  return { P, log };
}

/** Probabilities of logits Z (m, k). */
export const softmax = (Z, k) => softmaxes(Z, k).P;

// Softmax's vector-Jacobian product, P (m, k) being its output: each G becomes P (G - sum of G P).
// With `diagonal`, what it would be if each output depended on its own input only: G P (1 - P).
function throughSoftmax(G, P, k, diagonal) {
  return G.map((g, at) => {
    if (diagonal) return g * P[at] * (1 - P[at]);
    const row = at - (at % k);
    let sum = 0;
    for (let l = row; l < row + k; l++) sum += G[l] * P[l];
    return P[at] * (g - sum);
  });
}

/** Softmax and cross-entropy in one: the loss of logits Z and one-hot rows Y, and its gradient. */
export function crossEntropy(Z, Y, k) {
  const { P, log } = softmaxes(Z, k), m = log.length;
  let loss = 0;
  for (let at = 0; at < Z.length; at++) if (Y[at] > 0) loss += Y[at] * (log[Math.floor(at / k)] - Z[at]);
  return { loss: loss / m, grad: P.map((p, at) => (p - Y[at]) / m) };
}

/** The mean of all squared differences, and its gradient. */
export function mse(P, Y) {
  let loss = 0;
  for (let at = 0; at < P.length; at++) loss += (P[at] - Y[at]) ** 2;
  return { loss: loss / P.length, grad: P.map((p, at) => (2 * (p - Y[at])) / P.length) };
}

/**
 * Dense layers with an activation after each but the last.
 *
 * `layers` are { W, b, n, k }. `loss` is "cross-entropy", on logits, or "mse". Two mistakes can be
 * switched on: `extraSoftmax`, a softmax before the loss that has one, and `diagonal`, a softmax
 * going back as if its Jacobian were diagonal.
 */
export class Network {
  constructor(layers, options) {
    const { activation = "tanh", loss = "cross-entropy", extraSoftmax = false, diagonal = false } = options;
    Object.assign(this, { layers, options, loss, extraSoftmax, diagonal });
    [this.activate, this.derivative] = ACTIVATIONS[activation];
  }

  /** The same with weights of its own, which stay as they are now. */
  copy() {
    return new Network(this.layers.map((layer) => ({ ...layer, W: layer.W.slice(), b: layer.b.slice() })), this.options);
  }

  /** The number of outputs. */
  get k() {
    return this.layers.at(-1).k;
  }

  /** What the last layer puts out for m rows X (m, n). Each layer keeps its input x and output a. */
  forward(X, m) {
    for (const layer of this.layers) {
      if (layer.a?.length !== m * layer.k) layer.a = new Float64Array(m * layer.k);
      layer.x = X;
      X = this.#through(layer, X, m, layer.a);
    }
    return X;
  }

  /** The same, keeping nothing. */
  predict(X, m) {
    for (const layer of this.layers) X = this.#through(layer, X, m);
    return X;
  }

  #through(layer, X, m, into) {
    const Z = affine(X, layer, m, into);
    if (layer !== this.layers.at(-1)) for (let at = 0; at < Z.length; at++) Z[at] = this.activate(Z[at]);
    return Z;
  }

  /** The loss of outputs Z for targets Y, both (m, k), and its gradient with respect to Z. */
  lossOf(Z, Y) {
    const { k, extraSoftmax, diagonal } = this;
    if (this.loss === "mse") return mse(Z, Y);
    if (extraSoftmax) {
      const P = softmax(Z, k), { loss, grad } = crossEntropy(P, Y, k);
      return { loss, grad: throughSoftmax(grad, P, k, diagonal) };
    }
    const { loss, grad } = crossEntropy(Z, Y, k);
    if (!diagonal) return { loss, grad };
    // In two steps: -Y / (m P) from the cross-entropy, times P (1 - P).
    const P = softmax(Z, k), m = Z.length / k;
    return { loss, grad: P.map((p, at) => (-Y[at] / m) * (1 - p)) };
  }

  /** The loss on m rows. Each layer keeps the gradients gradW, gradb. */
  gradients(X, Y, m) {
    let { loss, grad } = this.lossOf(this.forward(X, m), Y);
    for (const layer of this.layers.toReversed()) grad = this.#back(layer, grad, m);
    return loss;
  }

  // From the gradient G with respect to a layer's sums Z to that with respect to those of the layer
  // before it.
  #back(layer, G, m) {
    const { W, x, n, k } = layer, first = layer === this.layers[0];
    const gradW = (layer.gradW ??= new Float64Array(n * k)).fill(0);
    const gradb = (layer.gradb ??= new Float64Array(k)).fill(0);
    const below = first ? null : new Float64Array(m * n);
    for (let i = 0; i < m; i++) {
      for (let l = 0; l < k; l++) gradb[l] += G[i * k + l];
      for (let j = 0; j < n; j++) {
        const at = i * n + j;
        let sum = 0;
        for (let l = 0; l < k; l++) {
          const g = G[i * k + l];
          gradW[j * k + l] += x[at] * g;
          sum += g * W[j * k + l];
        }
        if (!first) below[at] = sum * this.derivative(x[at]); // x is the activation before it
      }
    }
    return below;
  }

  /** A step of gradient descent. */
  step(rate) {
    for (const { W, b, gradW, gradb } of this.layers) {
      for (let at = 0; at < W.length; at++) W[at] -= rate * gradW[at];
      for (let at = 0; at < b.length; at++) b[at] -= rate * gradb[at];
    }
  }

  /** The loss on m rows, keeping nothing. */
  evaluate(X, Y, m) {
    return this.lossOf(this.predict(X, m), Y).loss;
  }

  /** All weights and biases, in PyTorch's order but not transposed: W1, b1, W2, b2, ... */
  get parameters() {
    return this.layers.flatMap(({ W, b }) => [W, b]);
  }
}

/** Layers of these sizes, with the given weights and biases [W1, b1, W2, b2, ...], copied. */
export function layersFrom(sizes, parameters) {
  return sizes.slice(1).map((k, i) => ({
    n: sizes[i], k,
    W: Float64Array.from(parameters[2 * i].flat()),
    b: Float64Array.from(parameters[2 * i + 1]),
  }));
}

/** Layers that start as PyTorch's do, uniform from -1/sqrt(n) to 1/sqrt(n), times `scale`. */
export function randomLayers(sizes, seed, scale = 1) {
  const random = uniforms(seed);
  return sizes.slice(1).map((k, i) => {
    const n = sizes[i], draw = () => (scale * (2 * random() - 1)) / Math.sqrt(n);
    return { n, k, W: Float64Array.from({ length: n * k }, draw), b: Float64Array.from({ length: k }, draw) };
  });
}

/** One-hot rows (m, k) of class numbers. */
export function oneHot(labels, k) {
  const Y = new Float64Array(labels.length * k);
  labels.forEach((label, i) => (Y[i * k + label] = 1));
  return Y;
}

/**
 * Training on samples X (m, n), Y (m, k) in batches of `size`, in order: each `step` is one batch.
 * At the end of an epoch, `train` gets its loss, each batch by its samples, and `held` that on the
 * samples held out.
 */
export class Training {
  constructor(network, { X, Y, m, size, rate, held }) {
    Object.assign(this, { network, X, Y, m, size, rate, held });
    this.n = X.length / m;
    this.at = 0; // the first sample of the next batch
    this.total = 0; // of the losses in this epoch, sample by sample
    this.losses = { train: [], held: [] };
  }

  /** The epochs that are over. */
  get epoch() {
    return this.losses.train.length;
  }

  /** One batch; returns its loss. */
  step() {
    const { network, X, Y, m, n, at, held } = this, { k } = network;
    const end = Math.min(at + this.size, m), rows = end - at;
    const loss = network.gradients(X.subarray(at * n, end * n), Y.subarray(at * k, end * k), rows);
    network.step(this.rate);
    this.total += loss * rows;
    this.at = end;
    if (end === m) {
      this.losses.train.push(this.total / m);
      if (held) this.losses.held.push(network.evaluate(held.X, held.Y, held.m));
      this.at = this.total = 0;
    }
    return loss;
  }
}
