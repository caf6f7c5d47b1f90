"""A dense layer that trains to 97 % or more: is it correct?"""

import numpy as np

import numpycnn as nn


class Dense(nn.Layer):
    def __init__(self, d_in, d_out, rng):
        limit = np.sqrt(6 / (d_in + d_out))
        w = rng.uniform(-limit, limit, (d_in, d_out)).astype(np.float32)
        super().__init__(w=w, b=np.zeros(d_out, np.float32))

    def forward(self, x):
        return x @ self.params["w"] + self.params["b"], x

    def backward(self, dy, cache):
        return dy @ self.params["w"].T, {"w": cache.T @ dy, "b": dy.mean(axis=0)}


rng = np.random.default_rng(0)
x, labels = nn.make_traces(180, rng=rng)
x, x_test, labels, labels_test = nn.train_test_split(x, labels, rng=rng)
model = nn.Sequential(
    nn.Conv1D(1, 8, 5, padding="same", rng=rng),
    nn.ReLU(),
    nn.MaxPool1D(2),
    nn.Flatten(),
    Dense(256, 16, rng),
    nn.ReLU(),
    Dense(16, 3, rng),
)
nn.fit(model, x, labels, epochs=60, lr=5e-3)
loss, accuracy = nn.evaluate(model, x_test, labels_test)
print(f"accuracy on the test set: {accuracy:.2f}\n")
print(nn.check_gradients(Dense(4, 3, rng), rng.standard_normal((5, 4)), rng=0))
