"""Labels are told from readings by a column's name and by what is in it."""

import doctest

import pytest

from edge.readings import labels
from edge.readings.labels import find_labels, holds_labels, label_of, names_labels, outliers_are_minus_one


def test_the_examples_hold():
    assert doctest.testmod(labels).failed == 0


@pytest.mark.parametrize(
    "name",
    [
        *("label", "Labels", "ANOMALY", "is_anomaly", "isAnomaly", "is-anomaly", "Is Anomaly", "anomaly_label"),
        *("attack", "Normal/Attack", "class", "Class_ID", "target", "fault", "fault_type", "label 2", "label1"),
        *("Machine failure", "outlier", "ground_truth", "GroundTruth", "y_true", "change_point", "changepoint"),
        *("Anomalie", "Störung", "STOERUNG", "storung", "Fehler", "Ausfall", "Ausreißer"),
        *("panne", "défaut", "Defaut", "étiquette", "fallo", "falla", "etiqueta", "anomalía", "avería"),
        *("guasto", "etichetta", "difetto", "falha", "rótulo", "rotulo", "storing", "fout"),
    ],
)  # fmt: skip
def test_names_of_labels(name):
    assert names_labels(name)


@pytest.mark.parametrize(
    "name",
    [
        *("flow", "target_temperature", "fault_current", "class_a_pressure", "valve", "state", "default", "labelling"),
        *("truth", "ground", "y", "is", "code", "type", "normal", "machine", "number", "", "1", "storingen", "µ fault"),
    ],
)
def test_names_that_only_sound_like_labels(name):
    assert not names_labels(name)


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["0", "1", "0"], True),
        (["-1", "1", ""], True),
        (["0", "21", "7"], True),
        (["normal", "attack", "normal"], True),
        ([str(number) for number in range(31)], True),
        ([str(number) for number in range(32)], False),
        (["60", "65", "60"], False),
        (["0.5", "0.25", "1"], False),
        (["-2", "0", "1"], False),
        ([f"remark {number}" for number in range(40)], False),
        (["", "", ""], False),
    ],
)
def test_labels_are_few_small_whole_numbers_or_words(cells, labels):
    numbers = [float(cell) for cell in cells if cell.replace(".", "").lstrip("-").isdigit()]

    assert holds_labels(numbers, cells) == labels


@pytest.mark.parametrize(
    ("cells", "anomalous"),
    [
        (["1", "0", "-1", "attack", ""], [True, False, None, True, False]),
        (["1", "-1", "1"], [False, True, False]),
        (["1.0", "-1.0", ""], [False, True, False]),
        (["-1", "-1"], [True, True]),
    ],
)
def test_minus_one_is_not_judged_unless_only_it_and_one_occur(cells, anomalous):
    minus = outliers_are_minus_one(cells)

    assert [label_of(cell, minus) for cell in cells] == anomalous


def test_the_commonest_name_of_labels_is_found_first():
    assert find_labels(["a", "changepoint", "Anomaly"]) == "Anomaly"
    assert find_labels(["a", "Störung"]) == "Störung"
    assert find_labels(["a", "b"]) is None


@pytest.mark.parametrize("cell", ["Nein", "non", "FALSE", "aus", "0.00", "0,0", "good", "inactive"])
def test_words_for_no_fault_are_normal(cell):
    assert label_of(cell, False) is False


@pytest.mark.parametrize("cell", ["ja", "oui", "TRUE", "ein", "0.5", "3", "Ausfall", "leak"])
def test_other_words_are_faults(cell):
    assert label_of(cell, False) is True
