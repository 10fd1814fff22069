"""What a model file may hold: what train writes passes, what a runtime dies of does not reach it."""

import random
import struct
from pathlib import Path

import pytest

from edge.detector.bundle.model_file import ModelFileError, check_model_file
from tests.helpers.tiny_bundle import MODEL

pytestmark = pytest.mark.arm

ROOT = Path(__file__).resolve().parents[4]


def test_every_committed_model_passes():
    files = [*ROOT.glob("models/**/*.tflite"), MODEL]

    for file in files:
        check_model_file(file.read_bytes())
    assert len(files) > 1


@pytest.mark.parametrize(
    "content", [b"", b"TFL3", b"\x00" * 100, b"\xff" * 100, b"\x10\x00\x00\x00TFL3" + b"\xff" * 64]
)
def test_what_is_no_model_is_refused(content):
    with pytest.raises(ModelFileError):
        check_model_file(content)


def test_any_flip_or_cut_passes_or_is_refused_and_raises_nothing_else():
    chance, whole = random.Random(1), MODEL.read_bytes()
    refused = 0

    for _ in range(20_000):
        damaged = bytearray(whole[: chance.randint(1, len(whole))] if chance.random() < 0.2 else whole)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        try:
            check_model_file(bytes(damaged))
        except ModelFileError:
            refused += 1

    assert refused > 1000


@pytest.mark.parametrize("code", [119, 118, 127, 32, 131])
def test_operators_that_call_others_or_are_custom_are_refused(code):
    """WHILE without parts, IF, a custom one, CALL: in place of the first operator's code."""
    content = bytearray(MODEL.read_bytes())
    model = struct.unpack_from("<I", content, 0)[0]
    vtable = model - struct.unpack_from("<i", content, model)[0]
    codes = model + struct.unpack_from("<H", content, vtable + 6)[0]
    codes += struct.unpack_from("<I", content, codes)[0]
    first = codes + 4 + struct.unpack_from("<I", content, codes + 4)[0]
    table = first - struct.unpack_from("<i", content, first)[0]
    size = struct.unpack_from("<H", content, table)[0]
    for field, form in ((0, "<b"), (3, "<i")):
        offset = struct.unpack_from("<H", content, table + 4 + 2 * field)[0] if 6 + 2 * field <= size else 0
        if offset:
            struct.pack_into(form, content, first + offset, min(code, 127) if form == "<b" else code)

    with pytest.raises(ModelFileError):
        check_model_file(bytes(content))
