"""`report.html`: one file that fetches nothing and runs no script but its own, whatever the data are called."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from training.report import card, headline, health, words
from training.report.distributions import distributions
from training.report.drawing import Plot
from training.report.findings import Findings
from training.report.happenings import Happening
from training.report.injected import grids, untouched
from training.report.limits import limits
from training.report.losses import learnings
from training.report.timeline import as_columns, timelines

FOLDER = Path(__file__).parent
SCRIPTS = ("uplot/uPlot.iife.min.js", *(f"templates/{name}.js" for name in ("charts", "score", "zoom", "events")))
PLOT_STYLE = "templates/plot.css"
STYLES = ("uplot/uPlot.min.css", PLOT_STYLE, "templates/page.css")
INERT = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}  # in JSON, between the tags of a script


def page(findings: Findings) -> str:
    """The whole report."""
    lines = timelines(findings.judged)
    events = [Happening(event, findings.by_rows) for event in findings.events.events]
    injected = findings.evaluation.injected
    return (
        environment()
        .get_template("page.html")
        .render(
            findings=findings,
            headline=headline.figures(findings.evaluation),
            cautions=list(headline.cautions(findings)),
            timelines=lines,
            events=events,
            injected=grids(injected),
            untouched=untouched(injected) if injected else "",
            distributions=distributions(findings.judged, findings.networks),
            learnings=learnings(findings.histories),
            health=health,
            card=card,
            limits=list(limits(findings)),
            data=as_json(
                {
                    "rows": findings.by_rows,
                    "timelines": [as_columns(line, findings.window["gap_us"]) for line in lines],
                    "events": [event.as_columns() for event in events],
                }
            ),
        )
    )


def picture(plot: Plot) -> str:
    """A plot as a file of its own."""
    style = Markup(_source(PLOT_STYLE))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + environment().get_template("plot.svg").render(
        plot=plot, style=style
    )


def environment() -> Environment:
    """Templates in which every value is escaped, and a misspelt name is an error."""
    templates = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (words.number, words.percent, words.duration, words.moment, words.count)
    templates.filters |= {each.__name__: each for each in filters}
    scripts, styles = [_source(name) for name in SCRIPTS], [_source(name) for name in STYLES]
    templates.globals |= {
        "policy": _policy(scripts, styles),
        "scripts": [Markup(text) for text in scripts],
        "styles": [Markup(text) for text in styles],
    }
    return templates


def as_json(content: dict[str, Any]) -> Markup:
    """JSON that can not end the script element it stands in."""
    return Markup(json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(INERT))


def _source(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _policy(scripts: list[str], styles: list[str]) -> str:
    """The content security policy: these very scripts and styles, and nothing from anywhere."""
    allowed = [" ".join(map(_hash, texts)) for texts in (scripts, styles)]
    return f"default-src 'none'; script-src {allowed[0]}; style-src {allowed[1]}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
