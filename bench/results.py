# SPDX-License-Identifier: MIT
"""What was measured: samples by (metric, kernel, attachment, contender), and the figures of them."""

import csv
import statistics

# metric: unit, and which of its samples counts.  Instructions: the least, for a disk that is waited for only
# adds to them.  Times: the median.
METRICS = {
    "boot instructions": ("instructions", min),
    "boot wall": ("s", statistics.median),
    "load ticks": ("TSC ticks", statistics.median),
    "run wall": ("s", statistics.median),
    "build wall": ("s", statistics.median),
    "build CPU": ("s", statistics.median),
    "build peak memory": ("bytes", max),
    "image size": ("bytes", max),
    "image blocks": ("bytes", max),
    "loader size": ("bytes", max),
}


class Results:
    def __init__(self):
        self._samples = {}

    def add(self, metric, kernel, attachment, contender, value):
        self._samples.setdefault((metric, kernel, attachment, contender), []).append(value)

    def get(self, metric, kernel, attachment, contender):
        """The figure that counts; None if it was not measured."""
        samples = self._samples.get((metric, kernel, attachment, contender))
        return METRICS[metric][1](samples) if samples else None

    def ratio(self, metric, kernel, attachment, contender, other):
        """One contender's figure over another's.  Times are compared round by round, since a machine's
        speed changes, and the median of these ratios counts; None if one was not measured."""
        ours = self._samples.get((metric, kernel, attachment, contender))
        theirs = self._samples.get((metric, kernel, attachment, other))
        if not ours or not theirs:
            return None
        figure = METRICS[metric][1]
        if figure is statistics.median and len(ours) == len(theirs):
            return figure(a / b for a, b in zip(ours, theirs))
        return figure(ours) / figure(theirs)

    def write_csv(self, path):
        with open(path, "w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["metric", "unit", "kernel", "attachment", "contender", "figure", "least", "most", "samples"])
            for (metric, *what), samples in self._samples.items():
                unit, figure = METRICS[metric]
                rows.writerow([metric, unit, *what, figure(samples), min(samples), max(samples), len(samples)])
