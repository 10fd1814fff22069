"""The benchmarks measure what they say, and refuse to measure what gives something else."""

import sys
from typing import get_args

import numpy as np
import pytest

from edge.sources.settings import MqttFormat
from tests.bench import __main__ as bench
from tests.bench.agent_load import bundle_of
from tests.bench.latency import in_turns, latencies
from tests.bench.model_files import write
from tests.bench.parts import memory
from tests.bench.sizes import Size, error, sizes, within
from tests.bench.source_rates import beside_own, kinds, rates
from tests.bench.tables import best, geometric_mean, ratio

SMALL = Size(12, 2, 4)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    write(folder, SMALL)
    return folder


def test_every_variant_is_timed_once_it_gives_what_keras_gives(files):
    found = latencies(files, SMALL, 8)

    assert set(found) == {"float32", "dynamic", "int8"}
    assert min(found.values()) > 0


def test_nothing_is_timed_of_a_file_that_gives_something_else(files, tmp_path):
    for file in files.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with np.load(tmp_path / "12x2x4.npz") as saved:
        np.savez(tmp_path / "12x2x4.npz", windows=saved["windows"], wanted=saved["wanted"] + 1)

    with pytest.raises(SystemExit, match=r"12x2x4_dynamic.tflite is off by .* nothing is measured"):
        latencies(tmp_path, SMALL, 1)


def test_calls_take_their_turns():
    order = []

    in_turns({name: lambda name=name: order.append(name) or np.zeros(1) for name in "ab"}, rounds=3, round_s=0.0)

    assert "".join(order) == "ab" + 3 * "ab"


def test_the_memory_of_every_file_is_told(files, capsys):
    assert memory(files).keys() == {f"12x2x4_{name}" for name in ("float32", "dynamic", "int8")}
    assert "MB that a model adds" in capsys.readouterr().out


def test_ours_is_compared_with_the_best_of_the_others():
    figures = {"float32": 3.0, "int8": 2.0, "ort-float32": 4.0, "ort-dynamic": 5.0}

    assert (best(figures, ours=True), best(figures, ours=False)) == ("int8", "ort-float32")
    assert ratio(figures) == 0.5
    assert geometric_mean([0.25, 1.0]) == 0.5


def test_a_loop_has_the_bound_of_what_it_is_a_loop_of():
    assert within("int8-loop") == within("int8") > within("float32-loop")
    assert error(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == 0.0


def test_sizes_are_chosen_by_name():
    assert sizes("30x8x16") == (Size(30, 8, 16),)
    assert len(sizes("")) == 4


def test_the_bundle_under_load_can_be_served(tmp_path):
    write(tmp_path, Size(30, 8, 16))

    bundle = bundle_of(tmp_path / "bundle", tmp_path, hz=10.0)

    assert bundle.period_s == 0.1
    assert [variant.name for variant in bundle.variants] == ["float32", "dynamic", "int8"]


def test_a_part_that_there_is_not_is_named(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["bench", "--only", "windows,nothing"])

    with pytest.raises(SystemExit):
        bench.main()
    assert "no part nothing; there are windows, memory, arm, agent, instead, training" in capsys.readouterr().err


def test_bench_json_is_left_out_of_the_repository():
    ignored = (bench.parts.ROOT / ".gitignore").read_text().split()

    assert "bench.json" in ignored


def test_every_format_is_timed_beside_the_own_one_with_as_many_channels():
    found = rates(rounds=2, seconds=0.001)

    assert {kind.settings.format for kind in kinds().values()} == set(get_args(MqttFormat))
    assert beside_own(found).keys() == found.keys()
    assert beside_own(found)["offbeat"] == beside_own(found)["offbeat, bare"] == 1.0
    assert min(min(each) for each in found.values()) > 0
