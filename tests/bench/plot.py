"""Curves of recall and rate as SVG: recall from 0.5 to 0.9999 on a scale that spreads its upper end,
searches a second on a logarithmic one. Written as text, so that nothing is to be installed."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 480
LEFT, RIGHT, TOP, BOTTOM = 70, 210, 40, 50
RECALLS = [0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999]
COLOURS = ["#1b6ca8", "#c8401f", "#3b7d3a", "#7a4a9e", "#b8860b", "#4d4d4d", "#0f8b8d", "#a8326e"]


def spread(recall):
    """Each 9 takes the same space; a recall of 1 stands at 0.9999."""
    return -math.log10(1 - min(max(recall, RECALLS[0]), RECALLS[-1]))


def scales(rates):
    """Functions from recall and rate to places on the drawing, and the decades of the rate."""
    low = 10 ** math.floor(math.log10(min(rates)))
    high = 10 ** math.ceil(math.log10(max(rates)))
    high = high if high > low else low * 10
    first, last = spread(RECALLS[0]), spread(RECALLS[-1])

    def across(recall):
        return LEFT + (spread(recall) - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def up(rate):
        share = math.log10(rate / low) / math.log10(high / low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    return across, up, [low * 10 ** i for i in range(round(math.log10(high / low)) + 1)]


def text(x, y, what, anchor="start", size=12):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">'
            f"{escape(what)}</text>")


def line(x1, y1, x2, y2):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#ddd"/>'


def axes(across, up, decades):
    for recall in RECALLS:
        yield line(across(recall), TOP, across(recall), HEIGHT - BOTTOM)
        yield text(across(recall), HEIGHT - BOTTOM + 18, f"{recall:g}", "middle", 11)
    for rate in decades:
        yield line(LEFT, up(rate), WIDTH - RIGHT, up(rate))
        yield text(LEFT - 6, up(rate) + 4, f"{rate:,.0f}", "end", 11)
    yield text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "recall", "middle")
    yield text(10, TOP - 12, "searches/s")


def svg(title, series):
    """The drawing of {label: [(recall, rate), ...]} as a document."""
    rates = [rate for points in series.values() for _, rate in points if rate > 0] or [1]
    across, up, decades = scales(rates)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
             'font-family="sans-serif">', '<rect width="100%" height="100%" fill="white"/>',
             text(LEFT, 18, title, size=14), *axes(across, up, decades)]
    for number, (label, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        places = [(across(recall), up(rate)) for recall, rate in sorted(points) if rate > 0]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        y = TOP + 16 + 18 * number
        parts.append(f'<rect x="{WIDTH - RIGHT + 14}" y="{y - 9}" width="12" height="4" fill="{colour}"/>')
        parts.append(text(WIDTH - RIGHT + 32, y, label, size=11))
    return "\n".join([*parts, "</svg>"]) + "\n"
