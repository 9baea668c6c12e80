# SPDX-License-Identifier: MIT
"""Does a figure grow? Straight lines through samples, with their noise. No process, no clock."""
import dataclasses
import math
import statistics

# Student's t, two-sided 95 %, by degrees of freedom; the last one for all beyond.
T95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.10, 2.09, 2.09,
       2.08, 2.07, 2.07, 2.06, 2.06, 2.06, 2.05, 2.05, 2.05, 2.04, 2.0)
LEAST_COUNT = 5  # fewer samples tell nothing


@dataclasses.dataclass(frozen=True)
class Trend:
    """slope and noise are per second; the true slope is within slope - noise and slope + noise, 19 times of 20."""
    count: int
    span_s: float
    slope: float
    noise: float

    @property
    def is_growing(self):
        return self.slope > self.noise

    @property
    def most(self):
        """A slope that would have been taken for a growth."""
        return self.slope + self.noise


def trend(points):
    """Least squares through (seconds, value); None for too few."""
    if len(points) < LEAST_COUNT:
        return None
    times, values = zip(*points)
    middle_s, middle = statistics.fmean(times), statistics.fmean(values)
    spread = sum((time - middle_s) ** 2 for time in times)
    if spread == 0:
        return None
    slope = sum((time - middle_s) * (value - middle) for time, value in points) / spread
    left = sum((value - middle - slope * (time - middle_s)) ** 2 for time, value in points)
    freedom = len(points) - 2
    noise = T95[min(freedom, len(T95)) - 1] * math.sqrt(left / freedom / spread)
    return Trend(len(points), max(times) - min(times), slope, noise)


def second_half(points):
    """Those from the middle of the time on: what fills up once is full by then."""
    if not points:
        return []
    middle_s = (points[0][0] + points[-1][0]) / 2
    return [point for point in points if point[0] >= middle_s]


def start_middle_end(points):
    """Values of the first sample, of that next to the middle of the time, and of the last one."""
    if not points:
        return None
    middle_s = (points[0][0] + points[-1][0]) / 2
    return points[0][1], min(points, key=lambda point: abs(point[0] - middle_s))[1], points[-1][1]
