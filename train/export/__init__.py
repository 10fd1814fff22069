"""A trained network becomes a .tflite file."""
