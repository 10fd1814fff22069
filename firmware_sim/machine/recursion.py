"""First-order dynamics over whole blocks of rows, without a Python loop."""

import math

import numpy as np


def running_sum(inputs: np.ndarray, decay: float, before: float) -> np.ndarray:
    """y[k] = decay * y[k-1] + inputs[k] along (rows,), with y[-1] = `before`.

    Doubling scan (Hillis and Steele 1986): log2(rows) passes of element-wise
    products, so the result is the same on every machine, which a matrix product is not.

    >>> running_sum(np.array([1.0, 0.0, 0.0]), 0.5, 2.0).tolist()
    [2.0, 1.0, 0.5]
    """
    sums = inputs.astype(float)
    sums[0] += decay * before
    shift, power = 1, decay
    while shift < len(sums) and power > 1e-20:  # further back than that nothing is felt
        sums[shift:] += power * sums[:-shift]
        shift, power = 2 * shift, power * power
    return sums


class Lag:
    """A first-order lag: the output follows the input with time constant `tau_s`.

    Without a `start` it has settled at the first input.
    """

    def __init__(self, tau_s: float, period_s: float, start: float | None = None):
        self.decay = math.exp(-period_s / tau_s)
        self.last = start

    def follow(self, inputs: np.ndarray) -> np.ndarray:
        """The output for the next block of inputs, (rows,)."""
        before = float(inputs[0]) if self.last is None else self.last
        outputs = running_sum((1.0 - self.decay) * inputs, self.decay, before)
        self.last = float(outputs[-1])
        return outputs


class Wander:
    """Ornstein-Uhlenbeck noise: mean 0, standard deviation `sd`, correlated over about `tau_s`."""

    def __init__(self, rng: np.random.Generator, sd: float, tau_s: float, period_s: float):
        self.rng = rng
        self.decay = math.exp(-period_s / tau_s)
        self.step_sd = sd * math.sqrt(1.0 - self.decay**2)
        self.last = sd * float(rng.standard_normal())

    def draw(self, rows: int) -> np.ndarray:
        """The next `rows` values."""
        steps = self.step_sd * self.rng.standard_normal(rows)
        values = running_sum(steps, self.decay, self.last)
        self.last = float(values[-1])
        return values
