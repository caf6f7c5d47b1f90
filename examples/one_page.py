"""A convolutional network in one file: data, layers, gradients and training, with NumPy only.

A trace is quiet, or it contains a positive or a negative arrival. A convolutional network with
4211 parameters learns to classify the traces. It is trained on 144 traces and tested on 36 others.
Read the file from the top, or type it in. Its losses equal those of `numpycnn.fit` on the same
traces with the same initial weights.

    python examples/one_page.py
"""

import numpy as np

rng = np.random.default_rng(0)

# The traces
# ----------
# `x[s] = 0.03 noise + 0.04 sin 2π(2.5 t + u) ± a exp(-½ ((s - c) / w)²)`, minus its mean, with
# the arrival's height, center and width drawn for each trace. Label 0 is quiet, 1 plus, 2 minus.

N, L = 180, 64
labels = np.arange(N) % 3
sign = np.array([0, 1, -1])[labels].reshape(N, 1, 1)
s, t = np.arange(1, L + 1).reshape(L, 1), np.linspace(0, 1, L).reshape(L, 1)

noise = rng.standard_normal((N, L, 1))
wave = np.sin(2 * np.pi * (2.5 * t + rng.uniform(0, 1, (N, 1, 1))))
center = rng.integers(12, 52, (N, 1, 1), endpoint=True)
height, width = rng.uniform(0.9, 1.0, (N, 1, 1)), rng.uniform(2.6, 3.4, (N, 1, 1))
x = 0.03 * noise + 0.04 * wave + sign * height * np.exp(-0.5 * ((s - center) / width) ** 2)
x -= x.mean(axis=1, keepdims=True)
x = x.clip(-1, 1).astype(np.float32)  # (N, L, C), one channel

order = rng.permutation(N)
x_train, y_train = x[order[:144]], np.eye(3, dtype=np.float32)[labels[order[:144]]]
x_test, labels_test = x[order[144:]], labels[order[144:]]

# The weights
# -----------
# The initial weights are random, with a magnitude that keeps the signals near their magnitude.
# K taps, F filters, H hidden values, D classes.

K, F, H, D = 5, 8, 16, 3


def draw(fan_in, fan_out, shape):
    """Draw uniformly within ±sqrt(6 / (fan_in + fan_out)), the rule of Glorot and Bengio."""
    limit = np.sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, shape).astype(np.float32)


w1, b1 = draw(K, K * F, (K, 1, F)), np.zeros(F, np.float32)
w2, b2 = draw(L // 2 * F, H, (L // 2 * F, H)), np.zeros(H, np.float32)
w3, b3 = draw(H, D, (H, D)), np.zeros(D, np.float32)
weights = w1, b1, w2, b2, w3, b3

# Forward: from the trace to the scores
# -------------------------------------


def forward(x):
    """Return scores (N, D) for traces (N, L, 1), and the values that backward needs."""
    x = np.pad(x, ((0, 0), (K // 2, K // 2), (0, 0)))  # zeros at both ends keep the length L
    a = b1 + sum(x[:, k : k + L] @ w1[k] for k in range(K))  # a[m] = Σk x[m+k] w[k] + b
    r = np.maximum(a, 0)  # ReLU   (N, L, F)
    left, right = r[:, 0::2], r[:, 1::2]
    pooled = np.maximum(left, right)  # max pooling: of two neighbors the larger   (N, L/2, F)
    flat = pooled.reshape(len(x), -1)  # all of a trace in one row   (N, L/2·F)
    h = np.maximum(flat @ w2 + b2, 0)  # h[j] = max(0, Σi flat[i] w[i,j] + b[j])   (N, H)
    scores = h @ w3 + b3  # one for each class   (N, D)
    return scores, (x, a, left >= right, flat, h)


# Backward: the same lines, from the last to the first
# ----------------------------------------------------
# `dh` is the gradient of the loss with respect to `h`, and so on. The gradient of a value that was
# used several times is the sum over all uses.


def backward(dscores, cache):
    """Return the gradients of all parameters for the gradient of the scores (N, D)."""
    x, a, left_is_max, flat, h = cache
    dw3 = h.T @ dscores  # dw[i,j] = Σn h[n,i] dscores[n,j]
    db3 = dscores.sum(axis=0)  # db[j] = Σn dscores[n,j]
    dh = dscores @ w3.T * (h > 0)  # dh[i] = Σj dscores[j] w[i,j] where the ReLU let h through
    dw2 = flat.T @ dh
    db2 = dh.sum(axis=0)
    dpooled = (dh @ w2.T).reshape(len(x), L // 2, F)
    dr = np.zeros_like(a)
    dr[:, 0::2] = dpooled * left_is_max  # the larger of two receives all, the other zero
    dr[:, 1::2] = dpooled * ~left_is_max
    da = dr * (a > 0)
    dw1 = np.stack([np.einsum("nmc,nmf->cf", x[:, k : k + L], da) for k in range(K)])
    db1 = da.sum(axis=(0, 1))  # and above, dw[k] = Σn Σm x[n,m+k] da[n,m]
    return dw1, db1, dw2, db2, dw3, db3


# Learning
# --------
# Sixty steps of forward, loss, backward and Adam. The loss is the mean of
# `-log p[true class]`, and its derivative with respect to the scores is `(p - y) / N`.

ms, vs = ([np.zeros_like(w) for w in weights] for _ in range(2))
losses = []
for epoch in range(1, 61):
    scores, cache = forward(x_train)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    losses.append(-(y_train * np.log(p)).sum() / len(p))
    gradients = backward((p - y_train) / len(p), cache)
    for w, g, m, v in zip(weights, gradients, ms, vs, strict=True):
        m += 0.1 * (g - m)  # m = 0.9 m + 0.1 g, mean gradient
        v += 0.001 * (g * g - v)  # v = 0.999 v + 0.001 g², mean square
        w -= 5e-3 * (m / (1 - 0.9**epoch)) / (np.sqrt(v / (1 - 0.999**epoch)) + 1e-8)
    if epoch == 1 or epoch % 15 == 0:
        print(f"epoch {epoch:2}   cross-entropy {losses[-1]:.4f}")

accuracy = (forward(x_test)[0].argmax(axis=1) == labels_test).mean()
print(f"test set: {len(x_test)} traces, accuracy {accuracy:.3f}")
