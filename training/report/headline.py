"""What to make of the detector at a glance: its main figures, and what speaks against trusting them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.evaluation import Evaluation, Injected, Labelled
from training.report.findings import Findings
from training.report.words import count, number, percent

EVEN = (0.5, 2.0)  # a measured flag rate over the promised one between these is as good as kept
ENOUGH = 3  # flags, expected and found, up to which a measured rate says little
FOUND = 0.5  # the share of anomalies below which most are missed
RANKS = 0.6  # AUC-ROC, of which chance is .5 however many anomalies there are


@dataclass(frozen=True)
class Figure:
    """A figure with its name and the sentence that says what it was measured on."""

    name: str
    value: str
    note: str


def figures(evaluation: Evaluation) -> list[Figure]:
    """The few that matter most."""
    shown = [_flag_rate(evaluation)]
    if evaluation.labelled:
        shown += _labelled(evaluation.labelled)
    if evaluation.injected:
        shown.append(_injected(evaluation.injected))
    return shown


def cautions(findings: Findings) -> Iterator[str]:
    """What was measured and speaks against trusting the detector as it is; nothing, if nothing does."""
    evaluation = findings.evaluation
    yield from _of_rate(evaluation)
    yield from _of_calibration(findings)
    if evaluation.labelled:
        yield from _of_labels(evaluation.labelled)
    missed = weaknesses(evaluation.injected)
    if missed:
        yield f"It misses most injected anomalies of some kinds, whatever their size: {', '.join(missed)}."


def weaknesses(injected: list[Injected]) -> list[str]:
    """The kinds of injected anomalies of which less than half were found at every size, with how many were."""
    kinds = {kind: [each for each in injected if each.kind == kind] for kind in dict.fromkeys(i.kind for i in injected)}
    return [
        f"{kind} ({sum(each.found for each in sizes)} of {sum(each.tries for each in sizes)} found)"
        for kind, sizes in kinds.items()
        if all(each.recall < FOUND for each in sizes)
    ]


def _flag_rate(evaluation: Evaluation) -> Figure:
    rate = evaluation.flag_rate
    apart = " without a labelled anomaly" if evaluation.labelled else ""
    note = f"promised {percent(rate.promised)}; measured on {count(rate.windows, 'test window')}{apart}"
    return Figure("flag rate", percent(rate.measured), note)


def _labelled(figures: Labelled) -> Iterator[Figure]:
    delay = figures.median_delay_rows
    soon = "" if delay is None else f"; half of them within {count(1 + round(delay), 'reading')}"
    yield Figure(
        "labelled events found", f"{figures.events_found} of {figures.events}", f"at the automatic threshold{soon}"
    )
    far, mar = percent(figures.far), percent(figures.mar)
    yield Figure("F1", f"{figures.f1:.2f}", f"false alarms {far}, missed {mar} of windows, at the automatic threshold")
    if figures.vus_pr is not None:
        chance = percent(figures.anomalous / figures.windows)
        yield Figure(
            "VUS-PR",
            f"{figures.vus_pr:.2f}",
            f"how well scores rank, at no threshold; {chance} of windows are anomalous",
        )


def _injected(injected: list[Injected]) -> Figure:
    tries, found = sum(each.tries for each in injected), sum(each.found for each in injected)
    kinds = len({each.kind for each in injected})
    return Figure("injected anomalies found", percent(found / tries), f"{found} of {tries}, of {count(kinds, 'kind')}")


def _of_rate(evaluation: Evaluation) -> Iterator[str]:
    rate = evaluation.flag_rate
    if rate.measured is None:
        yield "The flag rate could not be measured: every window of the test part holds a labelled anomaly."
    elif max(rate.windows * rate.promised, rate.flagged) <= ENOUGH:
        yield (
            f"{count(rate.windows, 'test window')} are too few to measure a flag rate of {percent(rate.promised)}: "
            f"{rate.flagged} were flagged."
        )
    elif rate.measured > EVEN[1] * rate.promised:
        yield (
            f"It flagged {number(rate.measured / rate.promised, 2)} times as many windows as promised: the test part "
            "differs from what it was calibrated on, or is not free of anomalies."
        )
    elif rate.measured < EVEN[0] * rate.promised:
        yield (
            f"It flagged {count(rate.flagged, 'window')} where {round(rate.promised * rate.windows):,} were promised: "
            "the test part is calmer than what it was calibrated on, and faults may pass below its threshold."
        )


def _of_calibration(findings: Findings) -> Iterator[str]:
    windows, rate = findings.window["fitting_windows"], findings.evaluation.flag_rate.promised
    if windows * rate < 1:
        yield (
            f"The threshold rests on {count(windows, 'window')}; a rate of {percent(rate)} takes at least "
            f"{round(1 / rate):,}. It is a guess until it has adapted."
        )


def _of_labels(figures: Labelled) -> Iterator[str]:
    if figures.windows_before:
        yield (
            "Labels of the test part all say the same: figures that need both kinds also count "
            f"{count(figures.windows_before, 'window')} from before it."
        )
    if figures.event_recall is not None and figures.event_recall < FOUND:
        yield f"It missed {figures.events - figures.events_found} of {figures.events} labelled events."
    if figures.auc_roc is not None and figures.auc_roc < RANKS:
        yield f"Its scores rank labelled anomalies hardly better than chance: AUC-ROC is {figures.auc_roc:.2f}."
