"""Keras on TensorFlow, imported without their start-up chatter; the one place that imports either first."""

import logging
import os

from train.console.quiet import quiet_native_output

os.environ["KERAS_BACKEND"] = "tensorflow"  # the export graph is built with TensorFlow
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with quiet_native_output():
    import keras
    import tensorflow as tf
    from keras import ops

logging.getLogger("absl").setLevel(logging.ERROR)

__all__ = ["keras", "ops", "tf"]
