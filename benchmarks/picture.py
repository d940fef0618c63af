"""A picture of wall times, drawn as SVG by hand: a dot for each process and number of records.

Logarithmic: each line down the picture is ten times the one before. Colours follow the reader's
choice of light or dark.
"""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10

LEFT, RIGHT, TOP, ROW = 190, 40, 76, 36  # px
WIDTH = 760
RADIUS = 6
NEAR = 38  # px between dots that have no room for two figures side by side

STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #57606a }
  .title { font-size: 16px; font-weight: 600; fill: #1f2328 }
  .ours { font-weight: 600; fill: #1f2328 }
  .figure { font-size: 11px }
  .tick { text-anchor: middle; font-size: 12px }
  .name { text-anchor: end }
  .ground { fill: #ffffff }
  .grid { stroke: #d8dee4 }
  .span { stroke-width: 2; stroke: #c4ccd4 }
  .band { fill: #f3f6fa }
  .n0 { fill: #a7c7f2 } .n1 { fill: #4f8fe6 } .n2 { fill: #1f5bb5 } .n3 { fill: #0b2f66 }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 }
    .title, .ours { fill: #f0f6fc }
    .ground { fill: #0d1117 }
    .grid { stroke: #30363d }
    .span { stroke: #444c56 }
    .band { fill: #161d27 }
    .n0 { fill: #2f5f9e } .n1 { fill: #4f8fe6 } .n2 { fill: #8fbcf5 } .n3 { fill: #d6e6fc }
  }
"""


def draw(
    times: Mapping[str, Mapping[int, float]], sizes: Sequence[int], ours: Sequence[str], note: str
) -> str:
    """times: seconds by process and number of records; sizes: the numbers that get a colour."""
    values = [value for row in times.values() for value in row.values()]
    low, high = log10(min(values)) - 0.15, log10(max(values)) + 0.15
    bottom = TOP + ROW * len(times)
    plot = WIDTH - LEFT - RIGHT

    def x(value: float) -> float:
        return LEFT + plot * (log10(value) - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 48}"'
        f' width="{WIDTH}" height="{bottom + 48}" role="img" aria-label="Wall time of each tool">',
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{bottom + 48}" rx="8"/>',
        '<text class="title" x="20" y="30">Wall time to make all feeds, less is better</text>',
    ]
    legend = 20.0
    for number, size in enumerate(sizes):
        parts.append(f'<circle class="n{number}" cx="{legend + 6}" cy="50" r="{RADIUS}"/>')
        label = f"{size:,} records"
        parts.append(f'<text x="{legend + 18}" y="54.5">{label}</text>')
        legend += 42 + 7 * len(label)
    for row, name in enumerate(times):
        if name in ours:
            parts.append(
                f'<rect class="band" x="8" y="{TOP + ROW * row}" width="{WIDTH - 16}"'
                f' height="{ROW}"/>'
            )
    for power in range(ceil(low), floor(high) + 1):
        at = x(10.0**power)
        parts.append(
            f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{bottom + 4}"/>'
            f'<text class="tick" x="{at:.1f}" y="{bottom + 20}">{10.0**power:,g} s</text>'
        )
    for row, (name, line) in enumerate(times.items()):
        y = TOP + ROW * row + ROW // 2 + 3
        kind = "name ours" if name in ours else "name"
        parts.append(f'<text class="{kind}" x="{LEFT - 14}" y="{y + 4}">{escape(name)}</text>')
        ends = [x(value) for value in line.values()]
        if len(ends) > 1:
            parts.append(
                f'<line class="span" x1="{min(ends):.1f}" x2="{max(ends):.1f}" y1="{y}" y2="{y}"/>'
            )
        for number, (size, value) in enumerate(line.items()):
            at = ends[number]
            # Figures that have no room side by side step aside, each its way.
            after = number > 0 and at - ends[number - 1] < NEAR
            before = number + 1 < len(ends) and ends[number + 1] - at < NEAR
            side, step = ("start", -6) if after else ("end", 6) if before else ("middle", 0)
            parts.append(
                f'<circle class="n{sizes.index(size)}" cx="{at:.1f}" cy="{y}" r="{RADIUS}"/>'
                f'<text class="figure" x="{at + step:.1f}" y="{y - 10}" text-anchor="{side}">'
                f"{_seconds(value)}</text>"
            )
    parts.append(f'<text class="tick" x="{WIDTH / 2}" y="{bottom + 40}">{escape(note)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _seconds(value: float) -> str:
    if value >= 120:
        return f"{value / 60:.2g} min"
    return f"{value:.0f} s" if value >= 9.95 else f"{value:.2g} s"
