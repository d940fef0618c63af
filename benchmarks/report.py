"""The results as Markdown tables, which are readable in a terminal, too."""

import sys
from collections.abc import Iterable, Mapping, Sequence

from bars import BARS, MB
from measure import Results
from names import FULL


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Padded; columns of figures (all but the first and last) are flush right."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    last = len(head) - 1

    def row(cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if column in (0, last) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = [
        "-" * width if column in (0, last) else "-" * (width - 1) + ":"
        for column, width in enumerate(widths)
    ]
    return "\n".join([row(lines[0]), row(rule), *map(row, lines[1:])])


def size_table(results: Results, size: int, remarks: Mapping[str, str]) -> str:
    """A row for each process in remarks, measured or not."""
    rows = []
    for name, remark in remarks.items():
        if not results.has(size, name):
            why = results.missing.get((size, name), "not measured")
            rows.append([name, *"-----", why])
            continue
        factor = results.ratio(size, name, FULL) if results.has(size, FULL) else None
        rows.append(
            [
                name,
                seconds(results.median(size, name)),
                seconds(results.median(size, name, "cpu")),
                f"{results.peak(size, name) / MB:,.0f}",
                f"{results.median(size, name, 'files'):,.0f}",
                f"{factor:.2f} x" if factor is not None else "-",
                remark,
            ]
        )
    head = ("process", "wall s", "CPU s", "peak MB", "files", "of full", "")
    return f"{size:,} records\n\n{table(head, rows)}\n"


def seconds(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def bar_table(results: Results) -> str:
    head = ("what", "bar", "measured", "")
    return table(head, [bar.line(results) for bar in BARS])


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
