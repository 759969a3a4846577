"""What docs/threshold.md says of faults that stay."""

from __future__ import annotations

from benchmarks import faults_that_stay


def test_the_page_has_what_the_threshold_does():
    """The table is that of the threshold as it is: run the command after a change."""
    assert "\n".join(faults_that_stay.lines()) in faults_that_stay.PAGE.read_text(encoding="utf-8")


def test_when_a_fault_is_accepted_is_seen():
    """From the first of the readings of which few are flagged; or not within the fault."""
    flagged = faults_that_stay.flags(0, 3.0)
    assert faults_that_stay.accepted(flagged[:1000]) == "not in 1,000"
    flagged[:] = False
    assert faults_that_stay.accepted(flagged) == "1"
