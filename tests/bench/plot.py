# SPDX-License-Identifier: MIT
"""Throughput and p99 against offered load, as one SVG without script or font files."""

WIDTH, HEIGHT = 720, 560
LEFT, RIGHT, TOP, PANEL, GAP = 80, 40, 40, 190, 70
OK, REFUSED = "#1a6f5a", "#b4541a"


def _nice(most):
    """A round number that is not below: the end of an axis."""
    step = 10 ** (len(str(int(most))) - 1)
    return next(factor * step for factor in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if factor * step >= most)


class Panel:
    """One diagram: x is offered load, the same for all; y from 0 to a round number."""

    def __init__(self, top, title, x_most, y_most):
        self.top, self.x_most, self.y_most = top, _nice(x_most), _nice(max(y_most, 1))
        self.parts = [f'<text x="{LEFT}" y="{top - 12}" class="title">{title}</text>']
        for share in (0, 0.5, 1):
            x, y = self.place(share * self.x_most, share * self.y_most)
            right = WIDTH - RIGHT
            self.parts += [f'<path d="M{LEFT} {y:.1f}H{right}" class="grid"/>',
                           f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{share * self.y_most:,.0f}</text>',
                           f'<text x="{x:.1f}" y="{top + PANEL + 18}" text-anchor="middle">{share * self.x_most:,.0f}</text>']

    def place(self, x, y):
        return (LEFT + (WIDTH - LEFT - RIGHT) * x / self.x_most, self.top + PANEL * (1 - y / self.y_most))

    def line(self, points, colour, name, place):
        places = [self.place(x, y) for x, y in points]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        self.parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        self.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places]
        self.parts.append(f'<text x="{WIDTH - RIGHT - 110 * (1 - place)}" y="{self.top - 12}" text-anchor="end" style="fill:{colour}">{name}</text>')


def overload(steps):
    """`steps` as a run has them; the one that comes after the overload is left out: it is at a load that was there before."""
    rising = [step for number, step in enumerate(steps) if number == 0 or step["rate"] > steps[number - 1]["rate"]]
    most = max(step["rate"] for step in rising)
    answers = Panel(TOP, "answers a second", most, max(max(step["ok_per_s"], step["refused_per_s"]) for step in rising))
    answers.line([(step["rate"], step["ok_per_s"]) for step in rising], OK, "answered", 0)
    answers.line([(step["rate"], step["refused_per_s"]) for step in rising], REFUSED, "refused (503)", 1)
    times = Panel(TOP + PANEL + GAP, "p99 in ms, from when the request was due", most,
                  max(max(step["ok_p99_ms"], step["refused_p99_ms"]) for step in rising))
    times.line([(step["rate"], step["ok_p99_ms"]) for step in rising], OK, "answered", 0)
    refusals = [(step["rate"], step["refused_p99_ms"]) for step in rising if step["refused_per_s"] > 0]
    if refusals:
        times.line(refusals, REFUSED, "refused (503)", 1)
    below = f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 14}" text-anchor="middle">requests a second that were due</text>'
    style = ("text{font:13px sans-serif;fill:#444}.title{font-weight:bold}.grid{stroke:#ccc;fill:none}")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Answers and their times '
            f'against offered load"><style>{style}</style><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n'
            + "\n".join([*answers.parts, *times.parts, below]) + "\n</svg>\n")
