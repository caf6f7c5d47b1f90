"""Custom gradients of PyTorch, correct and incorrect: `CASES` holds the status of each array."""

import numpy as np
import torch

RNG = np.random.default_rng(0)
X, W = RNG.standard_normal((4, 3)), RNG.standard_normal((3, 2))
IDS = np.array([0, 2, 1, 2])


class Matmul(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx, dy):
        x, w = ctx.saved_tensors
        return dy @ w.T, x.T @ dy


class Half(Matmul):
    @staticmethod
    def backward(ctx, dy):
        dx, dw = Matmul.backward(ctx, dy)
        return dx, dw / 2


class Single(Matmul):
    @staticmethod
    def backward(ctx, dy):
        dx, dw = Matmul.backward(ctx, dy)
        return dx, dw.float().double()


class ReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return dy * (x > 0)


class ChangesDy(ReLU):
    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        dy[x <= 0] = 0
        return dy


class ChangesX(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        x.mul_(2)
        return x.clone()

    @staticmethod
    def backward(ctx, dy):
        return 2 * dy


class RowMaximum(torch.autograd.Function):
    """Two outputs, one of them integers, in the newer form."""

    @staticmethod
    def forward(x):
        values, where = x.max(dim=1)
        return values, where

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.shape, ctx.where = inputs[0].shape, output[1]
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx, dvalues, _):
        dx = torch.zeros(ctx.shape, dtype=dvalues.dtype)
        return dx.scatter(1, ctx.where[:, None], dvalues[:, None])


class Embedding(torch.autograd.Function):
    once = False

    @staticmethod
    def forward(ctx, numbers, table):
        ctx.numbers, ctx.shape = numbers, table.shape
        return table[numbers]

    @staticmethod
    def backward(ctx, dy):
        dtable = torch.zeros(ctx.shape, dtype=dy.dtype)
        return None, dtable.index_add(0, ctx.numbers, dy)


class Once(Embedding):
    @staticmethod
    def backward(ctx, dy):
        dtable = torch.zeros(ctx.shape, dtype=dy.dtype)
        dtable[ctx.numbers] += dy
        return None, dtable


class Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, factor):
        ctx.factor = factor
        return factor * x

    @staticmethod
    def backward(ctx, dy):
        return ctx.factor * dy, None


CASES = [
    (Matmul, [X, W], {"x": "correct", "w": "correct"}),
    (Matmul, [X[::-1], W[:, ::-1]], {"x": "correct", "w": "correct"}),
    (Half, [X, W], {"x": "correct", "w": "incorrect"}),
    (Single, [X, W], {"x": "correct", "w": "incorrect"}),
    (ReLU, [X], {"x": "correct"}),
    (ChangesDy, [X], "argument changed"),
    (ChangesX, [X], "argument changed"),
    (RowMaximum, [X], {"x": "correct"}),
    (Embedding, [IDS, X], {"table": "correct"}),
    (Once, [IDS, X], {"table": "incorrect"}),
    (Scale, [X, 2.0], {"x": "correct"}),
    (Scale, [X, np.array(2.0)], {"x": "correct", "factor": "incorrect"}),
]
