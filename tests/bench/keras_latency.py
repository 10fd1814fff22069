"""The same networks as a user runs them in Keras: `python -m tests.bench.keras_latency FOLDER OUT.json`."""

import json
import sys
from pathlib import Path

from tests.bench.latency import in_turns
from tests.bench.model_files import network
from tests.bench.sizes import BATCHES, SIZES, Size, arrays, error, within
from train.network.backend import keras, tf

_ROUNDS = 5


def latencies(folder: Path, size: Size, model: keras.Model, batch: int) -> dict[str, float]:
    """Microseconds a window of `predict` and of a `tf.function` around the model."""
    saved = arrays(folder, size)
    given = saved["windows"][:batch]
    function = tf.function(lambda windows: model(windows, training=False))
    calls = {
        "keras-predict": lambda: model.predict(given, verbose=0),
        "tf-function": lambda: function(tf.constant(given)).numpy(),
    }
    for kind, call in calls.items():
        if not error(call(), saved["wanted"][:batch]) <= within("float32"):
            raise SystemExit(f"{kind} gives something else")
    return {kind: taken / batch for kind, taken in in_turns(calls, _ROUNDS).items()}


def main() -> None:
    """Measure all sizes and batches; {size: {batch: {kind: us}}}."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    folder, out = map(Path, sys.argv[1:3])
    found: dict[str, dict[str, dict[str, float]]] = {}
    for size in SIZES:
        model = network(size)
        found[size.name] = {str(batch): latencies(folder, size, model, batch) for batch in BATCHES}
    out.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
