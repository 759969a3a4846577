"""Grafana's files: what is committed is what the generator makes, and Grafana can show it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path

import pytest
import yaml

from monitoring.grafana import pages, runbooks
from monitoring.grafana.page import COLUMNS, Section, laid_out
from monitoring.grafana.panel import SOURCE, Panel
from monitoring.grafana.promql import grown
from monitoring.reference import page as reference_page
from tests.dashboards import FOLDER, ROOT, VARIABLES, Json, asked, boards, chosen
from tests.watchers import needs_promtool

BOARDS = boards()
OF_DATA = {name: board for name, board in BOARDS.items() if name != "runbooks"}
PROVISIONING = ROOT / "monitoring" / "grafana" / "provisioning"
NO_METRIC = re.compile(r'"[^"]*"|\{[^}]*\}|\b(?:by|on|group_left) \([^)]*\)|\[[^\]]*\]|\$\w+|\b\d\w*')
WORDS = {
    "sum",
    "max",
    "avg",
    "count",
    "topk",
    "rate",
    "increase",
    "abs",
    "clamp_min",
    "ln",
    "vector",
    "histogram_quantile",
}
WORDS |= {"and", "or", "unless", "offset", "by", "on", "group_left"}
OF_OTHERS = {"up", "ALERTS", "process_cpu_seconds_total", "process_resident_memory_bytes"}  # Prometheus', the client's

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)


def test_the_files_are_what_the_generator_makes():
    """`make docs` writes them; none is left over from a page that is no more."""
    made = pages.dashboards(pages.texts(ROOT / pages.RUNBOOKS))
    assert {path.name: path.read_text() for path in FOLDER.iterdir()} == made


def test_uids_and_titles_are_unique():
    """And in no way the instance's: it gives out `id` itself."""
    for key in ("uid", "title"):
        assert len({board[key] for board in BOARDS.values()}) == len(BOARDS)
    assert not [name for name, board in BOARDS.items() if "id" in board]


@each_board
@pytest.mark.parametrize("key", ["id", "title"])
def test_ids_and_titles_are_unique_on_a_page(board: Json, key: str):
    """Those of headings too."""
    named = [panel[key] for panel in board["panels"]]
    assert len(set(named)) == len(named)


@each_board
def test_nothing_overlaps_and_nothing_sticks_out(board: Json):
    """Each cell of the grid is one panel's, or nobody's."""
    places = [panel["gridPos"] for panel in board["panels"]]
    assert not [one for one in places if one["x"] < 0 or one["y"] < 0 or one["x"] + one["w"] > COLUMNS]
    assert not [(one, other) for one, other in combinations(places, 2) if overlap(one, other)]


def overlap(one: Json, other: Json) -> bool:
    """Whether two places have a cell in common."""
    return all(one[at] < other[at] + other[by] and other[at] < one[at] + one[by] for at, by in ("xw", "yh"))


def test_overlaps_are_seen():
    """What the test above goes by."""
    place = {"x": 0, "y": 0, "w": 12, "h": 8}
    assert overlap(place, place | {"x": 11, "y": 7})
    assert not overlap(place, place | {"x": 12})
    assert not overlap(place, place | {"y": 8})


def test_panels_flow_into_lines_below_their_heading():
    """From left to right, and where none fits any more below the highest of the line."""
    sizes = ((12, 8), (12, 4), (8, 2), (20, 3))
    section = Section("S", tuple(Panel("text", "T", width=width, height=height) for width, height in sizes))
    places = [(place["x"], place["y"]) for place in (panel["gridPos"] for panel in laid_out([section, section]))]
    assert places[:5] == [(0, 0), (0, 1), (12, 1), (0, 9), (0, 11)]
    assert places[5:] == [(x, y + 14) for x, y in places[:5]]


@each_board
def test_lines_are_full(board: Json):
    """Headings and panels fill the width, so that no line ends in a hole."""
    for y in {panel["gridPos"]["y"] for panel in board["panels"]}:
        line = sum(panel["gridPos"]["w"] for panel in board["panels"] if panel["gridPos"]["y"] == y)
        assert line == COLUMNS or (board["uid"] == "tidewatch-runbooks" and line == COLUMNS // 2), y


@each_board
def test_every_panel_says_what_it_shows(board: Json):
    """In a title and a sentence; a text says so itself."""
    silent = [panel["title"] for panel in board["panels"] if panel["type"] not in ("row", "text")]
    assert silent == [panel["title"] for panel in board["panels"] if panel.get("description", "").endswith(".")]
    assert all(panel["title"] for panel in board["panels"])


@pytest.mark.parametrize("query", asked(), ids=str)
def test_every_metric_named_exists(query):
    """In docs/metrics.md, among the recorded ones, or of Prometheus itself."""
    plain = NO_METRIC.sub(" ", query.expr)
    names = {name for name in re.findall(r"[a-zA-Z_:][\w:]*", plain) if name not in WORDS}
    assert names
    assert names <= set(known_metrics())


def known_metrics() -> Iterator[str]:
    """All that Prometheus has."""
    for name, kind in re.findall(r"^\| `(\w+)` \| (\w+) \|", reference_page(), re.MULTILINE):
        yield from (name, f"{name}_bucket") if kind == "histogram" else (name,)
    rules = yaml.safe_load((ROOT / "monitoring" / "recording_rules.yml").read_text())
    yield from (rule["record"] for group in rules["groups"] for rule in group["rules"])
    yield from OF_OTHERS


def test_the_source_is_the_one_that_is_provisioned():
    """By the uid that everything names."""
    (source,) = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert (source["type"], source["uid"]) == (SOURCE["type"], SOURCE["uid"])
    prometheus = yaml.safe_load((ROOT / "monitoring" / "prometheus.yml").read_text())
    assert source["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]
    named = list(sources(list(BOARDS.values())))
    assert named
    assert not [each for each in named if each != SOURCE]


def sources(part: object) -> Iterator[object]:
    """Whatever is named as a data source anywhere within."""
    if isinstance(part, dict):
        yield from (part[key] for key in part if key == "datasource")
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from sources(inner)


@pytest.mark.parametrize("board", OF_DATA.values(), ids=OF_DATA)
def test_variables_are_chained(board: Json):
    """Each filters by all before it, so that links can take them to any page."""
    variables = board["templating"]["list"]
    assert tuple(variable["name"] for variable in variables) == VARIABLES
    for before, variable in pairwise(variables):
        assert f"${before['name']}" in variable["query"]["query"]


def test_every_link_leads_to_a_page():
    """And one to a runbook to the panel with its text."""
    urls = set(re.findall(r'"url": "(/d/[^"]*)"', "".join(path.read_text() for path in FOLDER.iterdir())))
    for url in urls:
        found = re.fullmatch(r"/d/([\w-]+)\?(?:viewPanel=panel-(\d+)|\$\{__url_time_range\}&.+)", url)
        assert found, url
        (board,) = [board for board in BOARDS.values() if board["uid"] == found[1]]
        assert found[2] is None or int(found[2]) in [
            panel["id"] for panel in board["panels"] if panel["type"] == "text"
        ]
    assert len(urls) > len(BOARDS)


@pytest.mark.parametrize("name", [*runbooks.DRIFT, *runbooks.SERVICE])
def test_the_link_to_a_runbook_leads_to_its_text(name):
    """Not to its neighbour's."""
    number = int(runbooks.runbook(name).url.rpartition("-")[2])
    (panel,) = [panel for panel in BOARDS["runbooks"]["panels"] if panel["id"] == number]
    assert (ROOT / "docs" / "runbooks" / f"{name}.md").read_text().startswith(f"# {panel['title']}\n")


def test_links_between_runbooks_lead_to_each_other():
    """Others, to files that are not in Grafana, are their text."""
    texts = dict.fromkeys(runbooks.DRIFT + runbooks.SERVICE, "# T\n\nSee [this](silence.md), [that](../drift.md).\n")
    shown = runbooks.page(texts).sections[0].panels[0].options["content"]
    assert shown == f"See [this]({runbooks.runbook('silence').url}), that."


def test_every_runbook_is_on_the_page():
    """Once, as drift or as service."""
    assert sorted(runbooks.DRIFT + runbooks.SERVICE) == sorted(pages.texts(ROOT / pages.RUNBOOKS))


@needs_promtool
@pytest.mark.parametrize(
    ("series", "minute", "wanted"),
    [
        ({"c": "_x30 1x30"}, 60, 1),
        ({'c{of="new"}': "_x90 1+1x30", 'c{of="old"}': "5x59 5+1x60"}, 120, 31 + 60),
        ({"other": "0x60"}, 60, 0),
    ],
    ids=["its first", "new and old", "none"],
)
def test_what_a_counter_grew_by_has_its_first(series: dict[str, str], minute: int, wanted: int, tmp_path: Path):
    """A single dead letter makes the counter, and `increase` alone would say 0."""
    case = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": chosen(grown("c")),
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": "{}", "value": wanted}],
            }
        ],
    }
    (tmp_path / "case.yml").write_text(yaml.safe_dump({"tests": [case]}))
    done = subprocess.run(
        ["promtool", "test", "rules", tmp_path / "case.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
