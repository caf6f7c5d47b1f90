"""Receptive field: which input samples each output depends on.

An output of a convolution or a pooling layer depends on the few samples in its window, and the
next output on the samples one stride further. This is all that is needed to run a network over a
record that is too long for memory, and to state how much of the input one output covers.

Receptive fields compose from layer to layer. An output that depends on several values of a map
depends on all samples from the first sample of the first value to the last sample of the last. If
neighboring values of the map are `S` samples apart, `K` neighbors cover `(K - 1) S` samples
more than one of them does, and a stride in the next layer multiplies `S`. After two pooling layers
of size 2, each further tap of a filter therefore adds four samples. ReLU, and a dense layer on each
sample, leave the receptive field as it is.

After a layer that lengthens the trace, several neighboring outputs depend on the same sample, and a
later filter covers sometimes more samples and sometimes fewer. The pattern repeats after a few
outputs. A receptive field is therefore one period of this pattern.
"""

from __future__ import annotations

from math import gcd, lcm
from typing import TYPE_CHECKING, NamedTuple

from numpycnn._validation import name_of

if TYPE_CHECKING:
    from numpycnn.layers.layer import Layer


class ReceptiveField(NamedTuple):
    """The input samples that each output depends on.

    Samples are counted from 0. Positions below 0, and from L on, are in the padding.

    Parameters
    ----------
    spans : list of tuple of int
        The first and the last sample of output 0, then of output 1, and so on until the pattern
        repeats. Most layers have a single pair.
    stride : int
        The shift of the pattern, in samples, from one period to the next; 0 if every output
        depends on the whole trace.
    n_outputs : int
        The number of outputs.

    Examples
    --------
    >>> field = ReceptiveField([(-2, 2)], stride=2, n_outputs=32)
    >>> field.span(0), field.span(10)
    ((-2, 2), (18, 22))
    """

    spans: list[tuple[int, int]]
    stride: int
    n_outputs: int

    @classmethod
    def each_sample(cls, length: int) -> ReceptiveField:
        """Return the receptive field of a layer whose output m depends on sample m only.

        Parameters
        ----------
        length : int
            Number of samples of the input.

        Returns
        -------
        ReceptiveField
            The receptive field.
        """
        return cls([(0, 0)], 1, length)

    @classmethod
    def whole_trace(cls, length: int) -> ReceptiveField:
        """Return the receptive field of a layer whose outputs depend on all samples.

        Parameters
        ----------
        length : int
            Number of samples of the input.

        Returns
        -------
        ReceptiveField
            The receptive field.
        """
        return cls([(0, length - 1)], 0, 1)

    @classmethod
    def of_windows(
        cls, caller: object, length: int, size: int, stride: int, padding: tuple[int, int] = (0, 0)
    ) -> ReceptiveField:
        """Return the receptive field of a layer with a window for each output.

        Parameters
        ----------
        caller : object
            The layer, for the message.
        length : int
            Number of samples of the input.
        size : int
            Number of samples in a window.
        stride : int
            Distance in samples between neighboring windows.
        padding : tuple of int
            Number of zeros before and after the input.

        Returns
        -------
        ReceptiveField
            The receptive field. Samples at the end that do not fill a window are in none.

        Raises
        ------
        ValueError
            If the input is shorter than a window.
        """
        left, right = padding
        if left + length + right < size:
            raise ValueError(
                f"{name_of(caller)}: x must have at least {size - left - right} samples for "
                f"{caller!r}, got L={length}. Use longer traces, a smaller window or, in a Conv1D, "
                "padding='same'."
            )
        return cls([(-left, size - left - 1)], stride, (left + length + right - size) // stride + 1)

    @property
    def size(self) -> int:
        """Length in samples (the largest, if outputs differ)."""
        return max(last - first + 1 for first, last in self.spans)

    @property
    def left(self) -> int:
        """Number of padded samples before sample 0 that output 0 depends on."""
        return -self.spans[0][0]

    def span(self, m: int) -> tuple[int, int]:
        """Return the first and the last sample that an output depends on.

        Parameters
        ----------
        m : int
            Index of the output.

        Returns
        -------
        first : int
            The first sample.
        last : int
            The last sample.
        """
        period, index = divmod(m, len(self.spans))
        first, last = self.spans[index]
        return first + period * self.stride, last + period * self.stride

    def tap_slice(self, k: int) -> slice:
        """Return the samples at one position of every window.

        Parameters
        ----------
        k : int
            Position in the window.

        Returns
        -------
        slice
            One sample for each output. Samples are counted in the padded trace, which begins with
            the first sample of output 0.

        Examples
        --------
        >>> ReceptiveField([(-2, 2)], stride=2, n_outputs=3).tap_slice(1)
        slice(1, 6, 2)
        """
        return slice(k, k + (self.n_outputs - 1) * self.stride + 1, self.stride)

    def compose(self, after: ReceptiveField) -> ReceptiveField:
        """Return the receptive field after the next layer.

        Parameters
        ----------
        after : ReceptiveField
            The receptive field of the next layer with respect to its own input.

        Returns
        -------
        ReceptiveField
            The input samples of this layer that each output of the next one depends on.

        Examples
        --------
        >>> conv = ReceptiveField([(-2, 2)], 1, n_outputs=64)
        >>> pool = ReceptiveField([(0, 1)], 2, n_outputs=32)
        >>> conv.compose(pool)
        ReceptiveField(spans=[(-2, 3)], stride=2, n_outputs=32)
        """
        ours = len(self.spans)
        periods = ours // gcd(ours, after.stride)  # of `after`, until our pattern repeats as well
        spans = map(after.span, range(periods * len(after.spans)))
        return ReceptiveField(
            [(self.span(first)[0], self.span(last)[1]) for first, last in spans],
            periods * after.stride // ours * self.stride,
            after.n_outputs,
        )

    def through(self, layer: Layer) -> ReceptiveField:
        """Return the receptive field after a layer.

        Parameters
        ----------
        layer : Layer
            The next layer.

        Returns
        -------
        ReceptiveField
            The receptive field of its outputs; unchanged if all outputs already depend on the
            whole trace.
        """
        return self.compose(layer.receptive_field(self.n_outputs)) if self.stride else self

    def union(self, other: ReceptiveField) -> ReceptiveField:
        """Return the receptive field of outputs that depend on two parts.

        Parameters
        ----------
        other : ReceptiveField
            The receptive field of the other part.

        Returns
        -------
        ReceptiveField
            The smallest interval that contains both, for each output.

        Examples
        --------
        >>> ReceptiveField([(-2, 2)], 1, 64).union(ReceptiveField([(0, 3)], 1, 64))
        ReceptiveField(spans=[(-2, 3)], stride=1, n_outputs=64)
        """
        period = lcm(len(self.spans), len(other.spans))
        ends = [self.span(m) + other.span(m) for m in range(period)]
        return ReceptiveField(
            [(min(four), max(four)) for four in ends],
            period // len(self.spans) * self.stride,
            self.n_outputs,
        )
