"""Plots as SVG files, without a library: lines over linear or logarithmic axes, and bars."""
import html
import math

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 80, 170, 44, 56
COLOURS = ["#1b6ca8", "#d1495b", "#2e8b57", "#c77c11", "#7b4fa3", "#5c6670", "#0a9396", "#9b2226"]


class Axis:
    """From values to positions, with ticks at round numbers."""

    def __init__(self, values, begin, end, logarithmic=False, from_zero=False):
        values = [value for value in values if math.isfinite(value) and (value > 0 or not logarithmic)] or [1.0]
        self.logarithmic, self.begin, self.end = logarithmic, begin, end
        low, high = min(values), max(values)
        if logarithmic:
            low, high = 10 ** math.floor(math.log10(low) + 1e-9), 10 ** math.ceil(math.log10(high) - 1e-9)
            self.low, self.high = low, high if high > low else low * 10
        else:
            low = min(0.0, low) if from_zero else low
            self.low, self.high = low, high if high > low else low + 1

    def at(self, value):
        low, high = self.low, self.high
        if self.logarithmic:
            value, low, high = math.log10(max(value, self.low)), math.log10(low), math.log10(high)
        return self.begin + (self.end - self.begin) * (value - low) / (high - low)

    def ticks(self):
        if self.logarithmic:
            first, last = round(math.log10(self.low)), round(math.log10(self.high))
            return [10.0 ** power for power in range(first, last + 1)]
        raw = (self.high - self.low) / 5
        step = 10 ** math.floor(math.log10(raw))
        step *= next(factor for factor in (1, 2, 5, 10) if factor * step >= raw)
        first = math.ceil(self.low / step - 1e-9)
        return [n * step for n in range(first, int(self.high / step + 1e-9) + 1)]


def short(value):
    """A number as a tick or a label shows it: 12000 -> "12k"."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{unit}" if value / size < 100 else f"{value / size:.0f}{unit}"
    return f"{value:.3g}"


def _text(x, y, words, anchor="middle", size=12, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" {extra}>{html.escape(str(words))}</text>'


def _frame(title, body):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" fill="#222">'
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>' + _text(LEFT, 24, title, "start", 15, 'font-weight="bold"')
            + "".join(body) + "</svg>\n")


def _horizontal_grid(axis):
    right = WIDTH - RIGHT
    body = []
    for tick in axis.ticks():
        y = axis.at(tick)
        body.append(f'<line x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e3e3e3"/>')
        body.append(_text(LEFT - 8, y + 4, short(tick), "end"))
    return body


def _labels(x_label, y_label):
    middle = TOP + (HEIGHT - TOP - BOTTOM) / 2
    return [_text(LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 14, x_label),
            _text(18, middle, y_label, extra=f'transform="rotate(-90 18 {middle:.1f})"')]


def _legend(names):
    body = []
    for i, name in enumerate(names):
        y = TOP + 10 + 20 * i
        body.append(f'<rect x="{WIDTH - RIGHT + 14}" y="{y - 9}" width="12" height="12" fill="{COLOURS[i % len(COLOURS)]}"/>')
        body.append(_text(WIDTH - RIGHT + 32, y + 2, name, "start"))
    return body


def lines(title, x_label, y_label, series, log_x=False, log_y=False, marks=(), dots=True):
    """`series`: {name: [(x, y), …]}. `marks`: [(x, word)], upright lines, such as the moments of faults."""
    points = [point for values in series.values() for point in values]
    across = Axis([x for x, _ in points] + [x for x, _ in marks], LEFT, WIDTH - RIGHT, log_x)
    up = Axis([y for _, y in points], HEIGHT - BOTTOM, TOP, log_y, from_zero=True)
    body = _horizontal_grid(up) + _labels(x_label, y_label) + _legend(series)
    for tick in across.ticks():
        body.append(_text(across.at(tick), HEIGHT - BOTTOM + 18, short(tick)))
    for x, word in marks:
        at = across.at(x)
        body.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#bbb" stroke-dasharray="3 3">'
                    f"<title>{html.escape(word)}</title></line>")
    for i, values in enumerate(series.values()):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join(f"{across.at(x):.1f},{up.at(y):.1f}" for x, y in values)
        body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if dots:
            body += [f'<circle cx="{across.at(x):.1f}" cy="{up.at(y):.1f}" r="3.5" fill="{colour}"/>' for x, y in values]
    return _frame(title, body)


def bars(title, y_label, groups, names, log_y=False):
    """`groups`: {group: {name: value}}; one bar a name in each group; a value that is not there has none."""
    values = [value for group in groups.values() for value in group.values()]
    up = Axis(values, HEIGHT - BOTTOM, TOP, log_y, from_zero=True)
    body = _horizontal_grid(up) + _labels("", y_label) + _legend(names)
    room = (WIDTH - LEFT - RIGHT) / max(1, len(groups))
    width = 0.8 * room / max(1, len(names))
    for g, (group, of) in enumerate(groups.items()):
        begin = LEFT + g * room + 0.1 * room
        body.append(_text(begin + 0.4 * room, HEIGHT - BOTTOM + 18, group))
        for n, name in enumerate(names):
            if name not in of:
                continue
            y = up.at(of[name])
            body.append(f'<rect x="{begin + n * width:.1f}" y="{y:.1f}" width="{width * 0.92:.1f}" height="{HEIGHT - BOTTOM - y:.1f}" '
                        f'fill="{COLOURS[n % len(COLOURS)]}"><title>{html.escape(f"{name}, {group}: {of[name]:g}")}</title></rect>')
            body.append(_text(begin + (n + 0.46) * width, y - 4, short(of[name]), size=9))
    return _frame(title, body)
