"""The same networks in PyTorch, where that is installed: `pip install torch` in .venv-bench, 3 GB, is left to you."""

from importlib.util import find_spec

import numpy as np

from tests.bench.runners import Call
from tests.bench.sizes import Size


def installed() -> bool:
    """Whether this Python has PyTorch."""
    return find_spec("torch") is not None


def pytorch(size: Size, weights: dict[str, np.ndarray], windows: np.ndarray) -> Call:
    """Its own LSTM, without gradients, on one thread. Its gates are in Keras' order."""
    import torch

    torch.set_num_threads(1)
    encoder = torch.nn.LSTM(size.channels, size.hidden, batch_first=True)
    decoder = torch.nn.LSTM(size.hidden, size.hidden, batch_first=True)
    dense = torch.nn.Linear(size.hidden, size.channels)
    for name, layer in (("encoder", encoder), ("decoder", decoder)):
        kernel, recurrent, bias = (weights[f"{name}_{part}"] for part in ("kernel", "recurrent", "bias"))
        _set(layer, weight_ih_l0=kernel.T, weight_hh_l0=recurrent.T, bias_ih_l0=bias, bias_hh_l0=np.zeros_like(bias))
    _set(dense, weight=weights["dense_kernel"].T, bias=weights["dense_bias"])

    def call() -> np.ndarray:
        with torch.inference_mode():
            _, (code, _) = encoder(torch.from_numpy(windows))
            states, _ = decoder(code[0][:, None].expand(-1, size.window, -1))
            return np.asarray(dense(states).flip(1).numpy())

    return call


def _set(layer: object, **values: np.ndarray) -> None:
    import torch

    for name, value in values.items():
        getattr(layer, name).data = torch.from_numpy(np.ascontiguousarray(value, np.float32))
