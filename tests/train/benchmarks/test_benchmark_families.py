"""The families benchmark on small folders: layout, options, silence, figures, and constants chosen elsewhere."""

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from edge.detector.members.tuning import DEFAULT, Tuning
from tests.helpers.files import write_lines, write_machine
from tests.helpers.recordings import recordings
from train.__main__ import main
from train.benchmarks.ablation import PARTS
from train.benchmarks.families.layout import read_families
from train.benchmarks.families.leaving_out import CONSTANTS, FACTORS, leave_out, tuned, value_at, without_parts
from train.benchmarks.figures import Tally
from train.console.errors import DatasetError

SMALL = ("--window", "10", "--hidden", "3", "--epochs", "1")
START = 1_700_000_000
ROWS, ONSET, END = 400, 300, 350


def write_test(path: Path, seed: int, unjudged: int = 0) -> Path:
    """A machine that loses its coupling in rows 300 to 349; the first rows of these are not judged."""
    write_machine(path, ROWS, seed, START + 10_000 * seed, odd=slice(ONSET, END))
    header, *lines = path.read_text("utf-8").splitlines()
    labels = np.zeros(ROWS, int)
    labels[ONSET:END] = 1
    labels[ONSET : ONSET + unjudged] = -1
    return write_lines(
        path, f"{header},anomaly", *(f"{line},{label}" for line, label in zip(lines, labels, strict=True))
    )


def write_case(folder: Path, fit=SMALL, calibrate_rows: int = 0, normal: int = 900, tests: int = 1) -> Path:
    """A case of one machine."""
    folder.mkdir(parents=True)
    write_machine(folder / "normal.csv", normal)
    for number in range(1, tests + 1):
        write_test(folder / f"test{number}.csv", number)
    (folder / "meta.json").write_text(json.dumps({"fit": list(fit), "calibrate_rows": calibrate_rows}), "utf-8")
    return folder


def run(folder: Path, models: Path, out: Path, *more: str) -> dict:
    """The figures of the command."""
    options = ["--models", str(models), "--jobs", "1", "--json", str(out), *more]
    assert main(["benchmark", "families", str(folder), *options]) == 0
    return json.loads(out.read_text("utf-8"))


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("families")
    write_case(folder / "data" / "machines" / "fleet", calibrate_rows=200, tests=2)
    write_case(folder / "data" / "machines" / "single")
    write_case(folder / "data" / "scarce" / "stub", normal=12)
    return folder / "data", folder / "models", run(folder / "data", folder / "models", folder / "figures.json")


def test_blind_baselines_have_the_figures_that_a_hand_computes(measured):
    detectors = measured[2]["families"]["machines"]["detectors"]

    # Judged are rows 200 to 399 of two files and all of a third, of which 50 each are anomalous.
    normal = 2 * 150 + 350
    always, clock = detectors["always"], detectors["clock"]
    assert (always["far"], always["mar"], always["j"], always["events_found"]) == (1, 0, 0, 0)
    assert (always["events"], always["false_episodes"]) == (3, 3)
    assert always["false_episodes_per_1000_rows"] == pytest.approx(3000 / normal)
    assert always["false_episodes_per_day"] == pytest.approx(3 * 86400 / normal)
    assert (clock["far"], clock["mar"]) == (pytest.approx(150 / normal), 0)
    assert (clock["events_found"], clock["false_episodes"], clock["delay_rows"]) == (3, 0, 0)


def test_every_detector_has_means_spread_and_seeds_for_each_family_and_case(measured):
    families = measured[2]["families"]
    wanted = {"j", "far", "mar", "events", "events_found", "false_episodes", "delay_rows", "delay_s"}

    for family, cases in (("machines", ["fleet", "single"]), ("scarce", ["stub"])):
        assert list(families[family]["detectors"]) == ["offbeat", "reference", "always", "clock"]
        assert list(families[family]["cases"]) == cases
        for tally in families[family]["detectors"].values():
            assert wanted <= set(tally) & set(tally["spread"]) & set(tally["seeds"][0])


def test_counts_of_a_family_are_those_of_its_cases_together(measured):
    family = measured[2]["families"]["machines"]

    for detector in ("offbeat", "reference"):
        for figure in ("events", "events_found", "false_episodes"):
            cases = [case[detector][figure] for case in family["cases"].values()]
            assert family["detectors"][detector][figure] == sum(cases)


def test_means_are_over_families_and_counts_their_sums(measured):
    families, mean = measured[2]["families"].values(), measured[2]["mean"]

    for detector in ("offbeat", "reference", "always"):
        own = [family["detectors"][detector] for family in families]
        assert mean[detector]["j"] == pytest.approx(np.mean([one["j"] for one in own]))
        assert mean[detector]["events"] == sum(one["events"] for one in own) == 4


def test_a_fit_that_fails_is_silence_and_is_named_with_its_reason(measured):
    offbeat = measured[2]["families"]["scarce"]["detectors"]["offbeat"]

    assert (offbeat["j"], offbeat["far"], offbeat["mar"], offbeat["false_episodes"]) == (0, 0, 1, 0)
    (note,) = [note for note in measured[2]["notes"] if "offbeat" in note]
    assert note.startswith("scarce/stub, seed 0: offbeat says nothing: ")
    assert "rows" in note
    assert measured[2]["families"]["scarce"]["claim"] is None


def test_claims_are_of_normal_rows_with_a_calibration(measured):
    claim = measured[2]["families"]["machines"]["claim"]

    assert claim["days"] == pytest.approx((2 * 150 + 350) / 86400)
    assert claim["claimed"] >= 0
    assert claim["seen"] == measured[2]["families"]["machines"]["detectors"]["offbeat"]["false_episodes"]
    assert [one["families"] for one in measured[2]["claims"]] == [["machines"]]


def test_a_second_run_uses_the_fitted_networks_and_says_the_same(measured, tmp_path, capsys):
    data, models, figures = measured
    capsys.readouterr()

    again = run(data, models, tmp_path / "again.json", "--family", "machines")

    assert "training" not in capsys.readouterr().out
    assert again["families"]["machines"] == figures["families"]["machines"]
    assert list(again["families"]) == ["machines"]


def test_baselines_of_the_other_benchmarks_can_stand_beside_it(measured, tmp_path):
    data, models, figures = measured

    found = run(data, models, tmp_path / "more.json", "--family", "machines", "--baselines", "--seeds", "1")

    detectors = found["families"]["machines"]["detectors"]
    assert list(detectors) == ["offbeat", "reference", "ewma", "pca", "isolation_forest", "always", "clock"]
    assert detectors["offbeat"] == figures["families"]["machines"]["detectors"]["offbeat"]


def test_the_table_has_a_line_for_each_family_and_detector_and_the_claims(measured, tmp_path, capsys):
    data, models, _ = measured

    run(data, models, tmp_path / "again.json", "--family", "machines")

    out = capsys.readouterr().out
    for words in ("machines: 2 fits, 3 recordings", "Offbeat", "reference", "always", "mean of 1", "claimed", "holds"):
        assert words in out


def test_a_recording_that_cannot_be_commissioned_is_silent_alone(measured, tmp_path):
    folder = write_case(tmp_path / "data" / "machines" / "fleet", calibrate_rows=200, tests=2)
    lines = (folder / "test2.csv").read_text("utf-8").splitlines()
    write_lines(folder / "test2.csv", *lines[:150])

    found = run(tmp_path / "data", measured[1], tmp_path / "figures.json")

    (note,) = [note for note in found["notes"] if "offbeat" in note]
    assert "test2" in note
    before = measured[2]["families"]["machines"]["cases"]["fleet"]["offbeat"]
    assert (before["events"], found["families"]["machines"]["detectors"]["offbeat"]["events"]) == (2, 1)


def test_options_of_fit_in_meta_are_those_that_the_case_is_fitted_with(tmp_path):
    options = (
        *("--window", "12", "--hidden", "5", "--epochs", "2", "--season", "daily", "--timezone", "Europe/Berlin"),
        *("--threshold", "percentile:99", "--channels", "heat", "--rows", "100:800", "--unit", "heat=K"),
    )
    write_case(tmp_path / "one" / "case", options, calibrate_rows=40)

    (case,) = read_families(tmp_path)["one"]

    model = case.case.model
    assert (model.window, model.hidden, model.training.epochs, model.season) == (12, 5, 2, "daily")
    assert (model.timezone, model.threshold.told, model.channels) == ("Europe/Berlin", "percentile:99", ("heat",))
    assert dict(model.units) == {"heat": "K"}
    assert sum(one.rows for one in case.case.runs) == pytest.approx(700, abs=2)
    assert [rows.shape for rows in case.normal] == [(700, 1)]
    assert (case.case.calibrate_rows, case.truths[0].first) == (40, 40)
    assert case.case.tables[0].channels == ("heat",)


def test_an_option_of_the_command_comes_after_those_of_the_cases(tmp_path):
    write_case(tmp_path / "one" / "case")

    (case,) = read_families(tmp_path, options=["--epochs", "7"])["one"]

    assert case.case.model.training.epochs == 7
    assert case.case.model.hidden == 3


def test_labels_of_three_kinds_are_read_and_the_label_is_no_channel(tmp_path):
    folder = write_case(tmp_path / "one" / "case")
    write_test(folder / "test1.csv", 1, unjudged=20)

    (case,) = read_families(tmp_path)["one"]

    labels = case.truths[0].labels
    assert (labels[:ONSET] == 0).all()
    assert (labels[ONSET : ONSET + 20] == -1).all()
    assert (labels[ONSET + 20 : END] == 1).all()
    assert case.case.tables[0].channels == ("load", "heat")


def spoil(folder: Path, what: str) -> None:
    """Something that no benchmark can be made of."""
    if what == "meta":
        (folder / "meta.json").write_text("[]", "utf-8")
    elif what == "options":
        (folder / "meta.json").write_text(json.dumps({"fit": ["--window", "1"], "calibrate_rows": 0}), "utf-8")
    elif what == "label":
        text = (folder / "test1.csv").read_text("utf-8")
        (folder / "test1.csv").write_text(text.replace(",1\n", ",2\n", 1), "utf-8")
    elif what == "commissioned":
        (folder / "meta.json").write_text(json.dumps({"fit": [], "calibrate_rows": ONSET + 1}), "utf-8")
    else:
        (folder / "normal.csv").unlink()


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("meta", "meta.json: cannot be read"),
        ("options", "meta.json: fit refuses its options: argument --window: 1 is below 2"),
        ("label", "test1.csv: anomaly holds '2'; wanted 1 anomalous, 0 normal, -1 not judged"),
        ("commissioned", "test1.csv: an anomaly among the 301 rows to commission on"),
        ("normal", "0 normal*.csv and 1 test*.csv"),
    ],
)
def test_a_folder_that_is_laid_out_otherwise_is_refused_in_one_line(tmp_path, capsys, what, message):
    spoil(write_case(tmp_path / "one" / "case"), what)

    assert main(["benchmark", "families", str(tmp_path)]) == 2

    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_a_family_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    write_case(tmp_path / "one" / "case")

    with pytest.raises(DatasetError, match="no family 'two'; there are one"):
        read_families(tmp_path, ["two"])


def test_constants_are_the_numbers_of_the_detector():
    assert set(CONSTANTS) <= {one.name for one in fields(Tuning)}
    for name in CONSTANTS:
        for factor in FACTORS.values():
            changed = tuned({name: factor})
            assert replace(changed, **{name: getattr(DEFAULT, name)}) == DEFAULT
            assert getattr(changed, name) == value_at(name, factor)
            assert type(getattr(changed, name)) is type(getattr(DEFAULT, name))


class Valley:
    """Families whose J depends on one constant, and is best at another factor in each."""

    names = ("a", "b", "c")
    tuning = DEFAULT

    def __init__(self, constant: str, j: dict[float, tuple[float, float, float]]) -> None:
        self.constant, self.j = constant, j
        self.wanted: list[tuple[str, Tuning]] = []

    def figures(self, wanted):
        self.wanted += wanted
        return [Tally(({"j": self._j(name, tuning)},)) for name, tuning in wanted]

    def _j(self, name, tuning):
        value = getattr(tuning, self.constant)
        factor = next(one for one in self.j if value == value_at(self.constant, one))
        return self.j[factor][self.names.index(name)]


def a_float() -> str:
    return floats()[0]


def floats() -> list[str]:
    return [name for name in CONSTANTS if isinstance(getattr(DEFAULT, name), float)]


def test_a_family_gets_the_value_that_is_best_on_all_others():
    families = Valley(a_float(), {0.5: (0.9, 0.2, 0.2), 1.0: (0.5, 0.3, 0.3), 2.0: (0.1, 0.4, 0.1)})

    found = leave_out(families, [a_float()])

    assert found.default == {"a": 0.5, "b": 0.3, "c": 0.3}
    # Without a: once .3, twice .25, half .2; without b or c half is best.
    assert found.chosen[a_float()] == {"a": "once", "b": "half", "c": "half"}
    assert found.left_out(a_float()) == {"a": 0.5, "b": 0.2, "c": 0.2} == found.together
    body = found.to_dict()["constants"][a_float()]
    assert body["half"] == {
        "value": getattr(DEFAULT, a_float()) / 2,
        "j": {"a": 0.9, "b": 0.2, "c": 0.2},
        "mean_j": pytest.approx(1.3 / 3),
    }
    assert body["left_out"]["mean_j"] == pytest.approx(0.3)


def test_all_constants_as_the_others_choose_them_are_tried_together():
    one, other = floats()[:2]
    families = Valley(one, {0.5: (0.9, 0.9, 0.9), 1.0: (0.5, 0.5, 0.5), 2.0: (0.1, 0.1, 0.1)})

    found = leave_out(families, [one, other])

    assert found.chosen[other] == dict.fromkeys("abc", "once")  # no value is better: it stays
    assert families.wanted[-3:] == [(name, tuned({one: 0.5})) for name in "abc"]
    assert set(found.together.values()) == {0.9}


class Whole(Valley):
    """Families on which only the detector as it is finds anything."""

    def _j(self, _name, tuning):
        return float(tuning == DEFAULT)


def test_each_part_is_taken_away_by_itself():
    families = Whole(a_float(), {})

    parts = without_parts(families)

    assert list(parts) == ["nothing", *PARTS]
    assert [parts["nothing"][name].mean["j"] for name in families.names] == [1.0, 1.0, 1.0]
    assert {tally.mean["j"] for part in PARTS for tally in parts[part].values()} == {0.0}


def test_a_constant_is_tried_with_the_fitted_networks(measured, tmp_path, capsys):
    data, models, figures = measured
    capsys.readouterr()

    found = run(data, models, tmp_path / "left.json", "--leave-out", "--constant", a_float())

    out = capsys.readouterr().out
    assert out.count("training") <= 1  # of the case that cannot be fitted, once
    left_out = found["leave_out"]
    assert list(left_out["constants"]) == [a_float()]
    j = {name: family["detectors"]["offbeat"]["j"] for name, family in figures["families"].items()}
    assert left_out["default"]["j"] == j == left_out["constants"][a_float()]["once"]["j"]
    assert set(left_out["together"]["j"]) == {"machines", "scarce"}
    assert len(found["notes"]) == 1
    assert "as they are" in out


def test_the_ablation_has_every_family_without_every_part(measured, tmp_path, capsys):
    data, models, figures = measured
    small = tmp_path / "small"
    (small / "machines").mkdir(parents=True)
    (small / "machines" / "single").symlink_to(data / "machines" / "single")

    found = run(small, models, tmp_path / "parts.json", "--ablation")

    assert list(found["without"]) == ["nothing", *PARTS]
    alone = figures["families"]["machines"]["cases"]["single"]["offbeat"]
    assert found["without"]["nothing"]["machines"] == alone
    assert "without" in capsys.readouterr().out


def test_another_benchmark_counts_as_a_family(measured, tmp_path):
    data, models, _ = measured
    (tmp_path / "runs").mkdir()
    for number in range(4):
        path = tmp_path / "runs" / f"{number}.csv"
        write_machine(path, 500, number, START + 1000 * number, odd=slice(450, 480))
        header, *lines = path.read_text("utf-8").splitlines()
        write_lines(path, f"{header},anomaly", *(f"{line},{int(450 <= n < 480)}" for n, line in enumerate(lines)))
    tiny = ("--family", "machines", "--hidden", "3", "--epochs", "1")

    found = run(data, models, tmp_path / "both.json", "--skab", str(tmp_path / "runs"), *tiny)

    other = found["other_benchmarks"]["benchmark skab"]["offbeat"]
    own = found["families"]["machines"]["detectors"]["offbeat"]
    assert other["events"] == 4
    assert found["mean"]["offbeat"]["j"] == pytest.approx(own["j"])
    assert found["mean_with_others"]["offbeat"]["j"] == pytest.approx((own["j"] + other["j"]) / 2)
    assert "reference" not in found["mean_with_others"]


def test_a_benchmark_that_wants_windows_is_refused_without(tmp_path, capsys):
    assert main(["benchmark", "families", str(tmp_path), "--nab", str(tmp_path)]) == 2

    assert "--nab wants --windows FILE" in capsys.readouterr().err


@pytest.mark.data
def test_a_real_family_has_figures_of_all_its_recordings(tmp_path):
    case = recordings("families/pronostia/*/meta.json")[0].parent
    tests = len(list(case.glob("test*.csv")))

    found = run(case.parents[1], tmp_path / "models", tmp_path / "out.json", "--family", "pronostia", *SMALL[2:])

    detectors = found["families"]["pronostia"]["detectors"]
    assert detectors["always"]["events"] == detectors["offbeat"]["events"] == tests
    assert detectors["reference"]["j"] > 0.5
    assert found["notes"] == []
