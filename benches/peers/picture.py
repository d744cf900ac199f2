"""A picture in SVG: a panel for each loss, a line for each implementation, both axes logarithmic and the same in all panels."""

import math
from collections import namedtuple
from xml.sax.saxutils import escape

from table import TITLES

# Of one implementation: the value (time or memory) of a loss at N rows.
Point = namedtuple("Point", "loss impl n value")

# Okabe and Ito's colours, which colour-blind people tell apart.
COLOURS = {
    "ours": "#d55e00",
    "ours-cpu": "#e69f00",
    "pml": "#0072b2",
    "dense": "#009e73",
    "compile": "#cc79a7",
    "burn": "#000000",
    "burn-flex": "#999999",
}
PANELS_A_ROW = 4
WIDTH, HEIGHT = 250, 190  # of the area that a panel's lines are in
LEFT, RIGHT, TOP, BOTTOM = 70, 24, 34, 48  # around it
HEAD = 64  # title and legend
LEGEND_STEP = 200
MOST_TICKS = 6


def draw(title, unit, points):
    losses = list(dict.fromkeys(point.loss for point in points))
    names = [name for name in TITLES if any(point.impl == name for point in points)]
    x = Scale([point.n for point in points], 0, WIDTH)
    y = Scale(decades([point.value for point in points]), HEIGHT, 0)
    across, down = min(len(losses), PANELS_A_ROW) or 1, math.ceil(len(losses) / PANELS_A_ROW)
    width = max(across * (LEFT + WIDTH + RIGHT), LEGEND_STEP * len(names) + LEFT)
    height = HEAD + down * (TOP + HEIGHT + BOTTOM)
    parts = [text(LEFT, 24, f"{title}, {unit}", size=16, weight="bold"), *legend(names)]
    for at, loss in enumerate(losses):
        left = LEFT + at % PANELS_A_ROW * (LEFT + WIDTH + RIGHT)
        top = HEAD + TOP + at // PANELS_A_ROW * (TOP + HEIGHT + BOTTOM)
        lines = {name: [p for p in points if (p.loss, p.impl) == (loss, name)] for name in names}
        parts.append(f'<g transform="translate({left} {top})">{panel(loss, unit, lines, x, y)}</g>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
        f'<rect width="{width}" height="{height}" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


class Scale:
    """From values to places, by logarithm."""

    def __init__(self, values, start, end):
        self.ticks = sorted(set(values))
        self.start, self.end = start, end

    def at(self, value):
        low, high = math.log(self.ticks[0]), math.log(self.ticks[-1])
        share = (math.log(value) - low) / (high - low) if high > low else 0.5
        return round(self.start + share * (self.end - self.start), 1)

    def shown(self):
        """The ticks that have space for a number."""
        return self.ticks[:: math.ceil(len(self.ticks) / MOST_TICKS) or 1]


def decades(values):
    """The powers of ten around the values."""
    if not values:
        return []
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0**power for power in range(low, max(high, low + 1) + 1)]


def legend(names):
    parts = []
    for at, name in enumerate(names):
        x = LEFT + at * LEGEND_STEP
        parts.append(line(x, 44, x + 24, 44, COLOURS[name], 3))
        parts.append(text(x + 30, 48, TITLES[name]))
    return parts


def panel(loss, unit, lines, x, y):
    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#666666"/>']
    parts.append(text(0, -8, loss, size=13, weight="bold"))
    for n in x.shown():
        parts.append(line(x.at(n), 0, x.at(n), HEIGHT, "#e0e0e0"))
        parts.append(text(x.at(n), HEIGHT + 16, f"{n:,}", anchor="middle"))
    for value in y.shown():
        parts.append(line(0, y.at(value), WIDTH, y.at(value), "#e0e0e0"))
        parts.append(text(-6, y.at(value) + 4, f"{value:,g}" if value < 1 else f"{value:,.0f}", anchor="end"))
    parts.append(text(WIDTH / 2, HEIGHT + 34, "N, rows of the batch", anchor="middle"))
    parts.append(f'<g transform="translate(-50 {HEIGHT / 2}) rotate(-90)">{text(0, 0, unit, anchor="middle")}</g>')
    for name, points in reversed(lines.items()):  # the first one lies on top
        places = [(x.at(point.n), y.at(point.value)) for point in sorted(points, key=lambda point: point.n)]
        way = " ".join(f"{a},{b}" for a, b in places)
        width = 3 if name.startswith("ours") else 1.8
        parts.append(f'<polyline points="{way}" fill="none" stroke="{COLOURS[name]}" stroke-width="{width}"/>')
        parts += [f'<circle cx="{a}" cy="{b}" r="{width + 0.7}" fill="{COLOURS[name]}"/>' for a, b in places]
    return "".join(parts)


def line(x1, y1, x2, y2, colour, width=1):
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" stroke-width="{width}"/>'


def text(x, y, content, anchor="start", size=12, weight="normal"):
    font = f'font-family="sans-serif" font-size="{size}" font-weight="{weight}" fill="#222222"'
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" {font}>{escape(content)}</text>'
