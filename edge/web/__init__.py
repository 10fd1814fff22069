"""The live page: what subscribers get, in a browser; no request goes to anywhere else."""
