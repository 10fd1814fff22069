import numpy as np

from edge.detector.learn.prepare import FOLDS, LEAD_WINDOWS
from edge.detector.rows.season import Calendar
from train.network.streams import in_pieces
from train.read.dataset import Run, Segment
from train.read.split import split_again, split_runs

WINDOW = 10


def pieces_of(*lengths):
    """Of a run with a segment for each length, its values counted through."""
    starts = np.cumsum([0, *lengths[:-1]])
    segments = [
        Segment(1e6 * number + np.arange(count), start + np.arange(count, dtype=float)[:, None])
        for number, (start, count) in enumerate(zip(starts, lengths, strict=True))
    ]
    return in_pieces(split_runs([Run("run", tuple(segments))], 0.25, WINDOW), WINDOW, Calendar(None, "UTC"))


def test_every_row_is_learned_from_once():
    pieces = pieces_of(16_000, 500)

    learned = np.sort(np.concatenate([piece.learned.values[:, 0] for piece in pieces]))

    np.testing.assert_array_equal(learned, np.arange(16_500))


def test_a_long_segment_is_cut_and_all_but_its_first_piece_have_a_lead():
    pieces = pieces_of(16_000)

    assert [piece.lead for piece in pieces] == [0] + [LEAD_WINDOWS * WINDOW] * 15
    assert all((np.diff(piece.values[:, 0]) == 1).all() for piece in pieces), "the lead is what came before"
    assert all(piece.restart.nonzero()[0].tolist() == [0] for piece in pieces)


def test_a_lead_never_reaches_into_another_segment():
    pieces = pieces_of(250, 16_000)

    assert all(np.diff(piece.times).max() == 1 for piece in pieces)
    assert [piece.lead for piece in pieces[:3]] == [0, 0, LEAD_WINDOWS * WINDOW]


def test_no_piece_holds_rows_that_the_network_was_fitted_on_beside_others():
    pieces = pieces_of(16_000)

    unseen = np.concatenate([piece.learned.values[:, 0] for piece in pieces if piece.unseen])
    np.testing.assert_array_equal(np.sort(unseen), np.arange(12_000, 16_000))


def test_few_rows_still_make_parts_to_be_tried_in_turn():
    assert len(pieces_of(500)) >= FOLDS


def test_what_the_network_was_fitted_on_a_second_one_judges_where_it_was_not():
    runs = [Run("run", (Segment(np.arange(4000.0), np.arange(4000.0)[:, None]),))]
    split = split_runs(runs, 0.25, WINDOW)

    pieces = in_pieces(split, WINDOW, Calendar(None, "UTC"), split_again(runs, split, 2000, WINDOW))

    def learned(unseen: bool, by_second: bool) -> np.ndarray:
        of = [one.learned.values[:, 0] for one in pieces if (one.unseen, one.by_second) == (unseen, by_second)]
        return np.sort(np.concatenate(of))

    np.testing.assert_array_equal(learned(True, True), np.arange(2000))
    np.testing.assert_array_equal(learned(False, False), np.arange(2000, 3000))
    np.testing.assert_array_equal(learned(True, False), np.arange(3000, 4000))


def test_whole_runs_are_judged_by_the_network_that_has_not_seen_them():
    runs = [
        Run(name, (Segment(at + np.arange(1000.0), np.zeros((1000, 1))),))
        for name, at in zip("abcd", range(0, 8000, 2000), strict=True)
    ]
    split = split_runs(runs, 0.25, WINDOW)

    pieces = in_pieces(split, WINDOW, Calendar(None, "UTC"), split_again(runs, split, 2000, WINDOW))

    judged = {int(one.times[-1] // 2000): (one.unseen, one.by_second) for one in pieces}
    assert judged == {0: (True, True), 1: (True, True), 2: (False, False), 3: (True, False)}
