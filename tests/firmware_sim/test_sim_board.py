"""The board behaves like firmware."""

import numpy as np
import pytest

from firmware_sim.board.board import Board, Firmware, Sent
from firmware_sim.board.simulation import SimulationSettings, simulate
from firmware_sim.machine.channels import CHANNELS, INDEX
from firmware_sim.machine.sensors import convert

DAY_S = 86400.0


def sent_over(seconds: float, firmware: Firmware, seed: int = 0) -> Sent:
    """Everything that a board sends in a run."""
    settings = SimulationSettings(0.0, seconds, seed=seed)
    board = Board(firmware, seed, 1, settings.period_s)
    parts = [board.send(block) for block in simulate(settings)]
    return Sent(*(np.concatenate([getattr(part, name) for part in parts]) for name in Sent.__slots__))


def test_the_converter_knows_only_the_steps_of_its_resolution():
    values = np.tile(np.linspace(0.0, 5.0, 1000)[:, None], len(CHANNELS))

    codes = convert(values, 12)[:, INDEX["pressure"]] / (6.0 / 4095)

    assert codes == pytest.approx(np.rint(codes), abs=1e-9)
    assert np.abs(convert(values, 12) - values)[:, INDEX["pressure"]].max() <= 0.5 * 6.0 / 4095 + 1e-12


def test_the_converter_saturates_at_both_ends_of_the_range():
    rows = convert(np.array([[-1e6] * len(CHANNELS), [1e6] * len(CHANNELS)]), 12)

    assert rows[0].tolist() == [channel.low for channel in CHANNELS]
    assert rows[1].tolist() == pytest.approx([channel.high for channel in CHANNELS])


def test_an_ideal_board_sends_every_row_on_the_grid():
    sent = sent_over(3000.0, Firmware())

    assert sent.times.tolist() == list(range(3000))
    assert sent.seqs.tolist() == list(range(3000))
    assert not np.isnan(sent.values).any()


def test_jitter_moves_the_samples_but_never_past_each_other():
    sent = sent_over(20_000.0, Firmware(jitter_s=0.004))
    steps = np.diff(sent.times)

    assert steps.std() == pytest.approx(0.004 * np.sqrt(2.0), rel=0.1)
    assert (np.diff(sent_over(20_000.0, Firmware(jitter_s=10.0)).times) > 0.5).all()
    assert steps.mean() == pytest.approx(1.0, abs=1e-4)


def test_the_clock_drifts_by_at_most_what_was_allowed():
    drifts = [sent_over(10_000.0, Firmware(clock_drift_ppm=100.0), seed).times[-1] - 9999.0 for seed in range(8)]

    assert max(abs(drift) for drift in drifts) <= 1.0
    assert np.std(drifts) > 0.1


def test_a_reboot_leaves_a_gap_and_starts_the_numbers_over():
    sent = sent_over(DAY_S, Firmware(reboot_every_s=2 * 3600.0))
    booted = np.flatnonzero(np.diff(sent.seqs) != 1) + 1

    assert 3 <= len(booted) <= 30
    assert (sent.seqs[booted] == 0).all()
    gaps = np.diff(sent.times)[booted - 1]
    assert gaps.min() >= 15.0
    assert gaps.max() <= 42.0


def test_a_lost_link_loses_readings_and_the_numbers_tell():
    sent = sent_over(DAY_S, Firmware(link_loss_every_s=3600.0))
    jumps = np.diff(sent.seqs)

    assert (jumps > 1).sum() > 5
    assert np.array_equal(jumps, np.diff(sent.times).astype(int))


def test_a_buffer_delivers_late_what_the_link_held_up():
    plain = sent_over(DAY_S, Firmware())
    late = sent_over(DAY_S, Firmware(link_loss_every_s=3600.0, buffer_rows=1000))

    assert np.array_equal(late.times[: len(plain.times)], plain.times[: len(late.times)])
    assert (late.sent_at - late.times).max() >= 5.0
    assert (np.diff(late.sent_at) >= 0.0).all()


def test_a_small_buffer_keeps_the_latest_readings():
    sent = sent_over(DAY_S, Firmware(link_loss_every_s=3600.0, buffer_rows=3))
    waits = sent.sent_at - sent.times

    assert waits.max() == pytest.approx(3.0)


def test_single_values_fail_as_often_as_asked():
    missing = np.isnan(sent_over(20_000.0, Firmware(missing=0.01)).values)

    assert missing.mean() == pytest.approx(0.01, rel=0.1)
    assert missing.any(axis=0).all()


def test_outages_do_not_depend_on_one_another():
    """Link loss switched on leaves the values of the readings that arrive as they were."""
    plain, lossy = sent_over(DAY_S, Firmware()), sent_over(DAY_S, Firmware(link_loss_every_s=3600.0))

    assert np.array_equal(plain.values[lossy.seqs], lossy.values)
