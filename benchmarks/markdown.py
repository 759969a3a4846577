"""Figures in a page: tables in Markdown, between two marks that a page has for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table, line by line."""
    yield f"| {' | '.join(head)} |"
    yield f"|---|{'---|' * (len(head) - 1)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def written(text: str, name: str, lines: Iterable[str]) -> str:
    """The page with `lines` between the two marks of this name."""
    first, last = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, begin, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not (begin and end):
        raise ValueError(
            f"the page has no {first.strip()} with {last.strip()} after it; put both where the figures belong"
        )
    return before + begin + "\n" + "\n".join(lines) + "\n" + end + after
