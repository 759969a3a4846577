"""What the report says in words, section by section."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

import training.report
from schemas.evaluation import FlagRate, Injected
from schemas.reference import FeatureReference, Histogram
from tests.training.conftest import RELEASE, Trained
from tests.training.report.made import START, evaluation, event, findings
from training import report
from training.artifacts import Artifacts
from training.health import Pause
from training.report import card, happenings, headline, health, injected, words
from training.report.findings import NotFinished, read
from training.report.limits import limits
from training.report.page import as_json, page

FOLDER = Path(training.report.__file__).parent


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (float("nan"), "–"), (0, "0"), (1234567, "1,234,567"), (0.123456, "0.1235"), (12345.6, "12,346"),
     (1e-7, "1e-07"), (2.5e12, "2.5e+12"), (-3.0, "-3")],
)  # fmt: skip
def test_numbers(value, text):
    """Four digits that mean something."""
    assert words.number(value) == text


@pytest.mark.parametrize(
    ("share", "text"), [(None, "–"), (0, "0 %"), (1, "100 %"), (0.5, "50 %"), (0.0123, "1.2 %"), (0.00123, "0.12 %")]
)
def test_percents(share, text):
    """Two digits that mean something."""
    assert words.percent(share) == text


@pytest.mark.parametrize(
    ("micros", "text"), [(250_000, "250 ms"), (60_000_000, "1 min"), (5_400_000_000, "1.5 h"), (3, "3 µs")]
)
def test_durations(micros, text):
    """In the unit that a person would take."""
    assert words.duration(micros) == text


def test_moments_have_milliseconds_only_where_needed():
    """UTC, as in the plots."""
    assert words.moment(START) == "2023-11-14 22:13:20"
    assert words.moment(START + 250_000) == "2023-11-14 22:13:20.250"


def test_lists_stop():
    """Hundreds of names are not listed."""
    assert words.listed(["a", "b"]) == "a, b"
    assert words.listed([str(n) for n in range(9)]) == "0, 1, 2, 3, 4, 5 and 3 more"


def test_the_main_figures():
    """Those of labels only if there are labels; those of injected anomalies only if there are some."""
    names = [figure.name for figure in headline.figures(evaluation(300, labelled=True))]
    assert names == ["flag rate", "labelled events found", "F1", "VUS-PR", "injected anomalies found"]
    bare = headline.figures(evaluation(300, labelled=False, injected=[]))
    assert [(figure.value, figure.note) for figure in bare] == [
        ("1.2 %", "promised 1.0 %; measured on 1,000 test windows")
    ]


@pytest.mark.parametrize(
    ("rate", "caution"),
    [
        (FlagRate(0.01, 1000, 12, 0.012), None),
        (FlagRate(0.01, 1000, 40, 0.04), "It flagged 4 times as many windows as promised"),
        (FlagRate(0.01, 1000, 1, 0.001), "It flagged 1 window where 10 were promised"),
        (FlagRate(0.01, 100, 3, 0.03), "100 test windows are too few"),
        (FlagRate(0.01, 49, 49, 1.0), "It flagged 100 times"),
        (FlagRate(0.01, 0, 0, None), "The flag rate could not be measured"),
    ],
)
def test_a_broken_promise_is_said_first(rate, caution):
    """Too many, too few, too little to tell; silent where the promise is kept."""
    found = findings(evaluation=evaluation(300, labelled=False, injected=[], flag_rate=rate))
    assert [text.startswith(caution or "") for text in headline.cautions(found)] == [True] * (caution is not None)


def test_what_is_missed_is_said():
    """A kind that is mostly missed at every size, among the cautions and among the limits."""
    cautions, limited = (" ".join(texts(findings())) for texts in (headline.cautions, limits))
    assert "It misses most injected anomalies of some kinds, whatever their size: stuck (3 of 20 found)." in cautions
    assert "it misses most of stuck (3 of 20 found)." in limited


def test_a_kind_that_is_found_when_it_is_large_is_no_weakness():
    """Small ones may be within the noise."""
    both = [Injected("drift", size, "sd", 10, found, found / 10, None, 0) for size, found in ((1.0, 1), (4.0, 9))]
    assert headline.weaknesses(both) == []


def test_a_ranking_by_chance_is_said():
    """However many windows are anomalous."""
    whole = evaluation(300, labelled=True)
    assert whole.labelled is not None
    poor = msgspec.structs.replace(whole.labelled, auc_roc=0.52, anomalous=280)
    found = findings(evaluation=msgspec.structs.replace(whole, labelled=poor))
    assert any("hardly better than chance: AUC-ROC is 0.52" in text for text in headline.cautions(found))


def test_labels_from_before_the_test_part_are_said():
    """Where the test part has only one kind, figures are not those of a future that nobody has seen."""
    whole = evaluation(300, labelled=True)
    assert whole.labelled is not None
    before = msgspec.structs.replace(whole.labelled, windows_before=40)
    found = findings(evaluation=msgspec.structs.replace(whole, labelled=before))
    assert any("also count 40 windows from before it" in text for text in headline.cautions(found))


def test_injected_anomalies_are_a_grid():
    """Kinds by sizes, a grid for each unit; what was not tried is left open."""
    spike = [Injected("spike", size, "sd", 10, 5, 0.5, 1.0, 1) for size in (1.0, 2.0)]
    drift = [Injected("drift", 2.0, "sd", 10, 9, 0.9, 1.0, 1)]
    stuck = [Injected("stuck", 8.0, "rows", 10, 0, 0.0, None, 2)]
    deviations, rows = injected.grids([*spike, *drift, *stuck])
    assert deviations.sizes == [1, 2]
    assert deviations.rows == {"spike": spike, "drift": [None, *drift]}
    assert rows.rows == {"stuck": stuck}
    assert injected.untouched([*spike, *stuck]) == "Of the same stretches left untouched, 13 % were flagged."


def test_too_few_windows_for_the_threshold_are_said():
    """A threshold for 1 % can not come from 50 windows."""
    found = findings()
    few = findings(window=found.window | {"fitting_windows": 50})
    assert any("rests on 50 windows" in text for text in headline.cautions(few))


def test_without_labels_the_limits_say_so():
    """Nobody should take injected recall for the recall of faults."""
    assert any("There were no labels" in text for text in limits(findings(labelled=False)))
    assert not any("There were no labels" in text for text in limits(findings()))


def test_the_data_are_described():
    """Size, time, interval, labels."""
    facts = dict(health.facts(findings()))
    assert facts == {
        "readings": "600, 1.0 % of their values are missing",
        "series": "2: pump-1, pump-2",
        "time": "2023-11-14 22:13:20 to 2023-11-14 22:18:20 UTC, from column 'time'",
        "interval": "1 s, regular",
        "windows": "of 8 readings: train 600, validation 100, calibration 200, test 300",
        "labels": "column 'anomaly': 20 of 600 readings are anomalous, in 2 events",
    }


def test_irregular_readings_are_described():
    """Unsteady steps, the longest pause, series of unlike length, no labels."""
    found = findings(labelled=False)
    pause = Pause("pump-2", START, START + 3_600_000_000)
    irregular: dict[str, Any] = {
        "unsteady_share": 0.05,
        "longest_us": 3_600_000_000,
        "pauses": 3,
        "longest_pause": pause,
    }
    uneven = replace(found.health, rows_by_series=(10, 200, 300), **irregular)
    facts = dict(health.facts(replace(found, health=uneven)))
    assert facts["interval"] == "1 s; 5.0 % of steps are off that by more than a tenth (1 s to 1 h)"
    assert facts["pauses"] == "3 longer than 10 intervals; the longest, 1 h, in series pump-2 from 2023-11-14 22:13:20"
    assert facts["series"] == "2: pump-1, pump-2 (10 to 300 readings each, 200 in the middle)"
    assert facts["labels"] == "none"


def test_constant_and_sparse_features_are_remarked():
    """They come first in the table too."""
    found, histogram = findings(features=["a", "b", "c"]), Histogram([0.0, 1.0], [1])
    found.meta.reference.features["b"] = FeatureReference(1.0, 0.0, 0.0, histogram)
    found.meta.reference.features["c"] = FeatureReference(1.0, 1.0, 0.2, histogram)
    assert [(each.name, each.remark) for each in health.features(found)] == [
        ("b", "constant"),
        ("c", "much missing"),
        ("a", ""),
    ]
    assert len(list(health.remarks(found))) == 2


def test_the_card_tells_the_release_from_others():
    """Its name, what it was made from, and what of."""
    assert dict(card.identity(findings()))["release"] == "20260829T101500Z-3f2a91"
    assert card.digests(findings()) == [("plant.csv", "f00d"), ("lstm_ae.pth", "beef")]


def test_an_event_draws_the_features_to_blame():
    """The first few, with times in milliseconds."""
    columns = happenings.Happening(event("a", list("abcdef"), 300), by_rows=False).as_columns()
    assert [each["name"] for each in columns["features"]] == list("abcd")  # type: ignore[attr-defined]
    assert columns["start"] == START / 1000 + 100_000
    assert columns["times"][0] == START / 1000 + 80_000  # type: ignore[index]


def test_without_times_rows_are_spoken_of():
    """Times made of row numbers are no dates and last no minutes."""
    found = findings()
    found.ingestion["time_column"] = None
    said = "".join([page(found), *limits(found), dict(health.facts(found))["time"]])
    assert "rows " in happenings.Happening(found.events.events[0], found.by_rows).span
    assert not re.search(r" UTC|at the usual pace|and on, and", said)


def test_json_can_not_leave_its_element():
    """No tag, no comment, no line that JavaScript would end."""
    text = str(as_json({"</script>": "<!--&\u2028"}))
    assert not set(text) & set("<>&\u2028")


def test_a_page_names_its_own_scripts_only():
    """Each script and style is allowed by its digest; no style stands in an element, no handler, no address."""
    html = page(findings())
    assert "unsafe" not in html.split("<title>")[0]
    assert re.findall(r'<[^>]+ (style|on\w+|src|href)="(?!#)', html.split("<body>")[1].split("<script")[0]) == []


def test_uplot_is_the_published_one():
    """The vendored files have the digests that their page names."""
    named = re.findall(r"^    ([0-9a-f]{64})  (\S+)$", (FOLDER / "uplot" / "README.md").read_text(), re.MULTILINE)
    assert len(named) == 2
    for digest, name in named:
        assert hashlib.sha256((FOLDER / "uplot" / name).read_bytes()).hexdigest() == digest


def test_a_run_leaves_its_report(trained: Trained):
    """The pipeline ends with it; done again from the files alone it is the same."""
    before = trained.artifacts.report.read_text()
    assert RELEASE in before
    assert report.run(trained.artifacts) == trained.artifacts.report
    assert trained.artifacts.report.read_text() == before
    assert {file.name for file in trained.artifacts.plot("score").parent.iterdir()} == {
        "losses-lstm_ae.svg", "losses-cnn_ae.svg", "distribution-score.svg", "score.svg",
    }  # fmt: skip


def test_a_run_that_is_not_finished_is_refused(tmp_path):
    """The message names the file and the stage that leaves it."""
    with pytest.raises(NotFinished, match=r"config.yaml is missing: .* 'calibrate'"):
        read(Artifacts(tmp_path))
