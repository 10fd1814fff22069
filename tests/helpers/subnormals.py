"""Floats as IEEE 754 has them, for tests on 32-bit ARM.

There tflite-runtime sets the processor to take the smallest floats (below 1e-307) for zero when it is loaded, for all
of the process. Nothing of ours needs them; Hypothesis draws them, and refuses to where they are not to be had.
"""

import ctypes
import platform

import pytest

_DEFAULT_ENVIRONMENT = ctypes.c_void_p(-1)  # FE_DFL_ENV of glibc


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call() -> None:
    """Set what fenv.h calls the default, before each test."""
    if platform.machine().startswith("armv"):
        ctypes.CDLL("libm.so.6").fesetenv(_DEFAULT_ENVIRONMENT)
