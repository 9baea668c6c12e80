# SPDX-License-Identifier: MIT
"""figures.py and report.py: what becomes of rounds, and what people are told."""
import xml.etree.ElementTree

import pytest

from bench import figures, plot, report, statements

BOUNDS = {
    "static": 0.9, "note-anonymous": 0.6, "note-signed-in": 0.5, "home-small": 0.5, "home-large": 0.5, "note-cold": 0.5,
    "comments": 0.7, "find": 0.5, "password-check": 0.9, "find-meanwhile": 20, "fan-out-last": 100, "fan-out-ratio": 0.7,
    "memory-notes": 6, "memory-userauth": 6, "memory-socket": 2, "start-notes": 100, "start-userauth": 100, "image-notes": 30,
    "image-userauth": 30,
}


def run_of(*results):
    return {"begun": "2026-01-01T00:00:00+00:00", "rows": figures.in_order(results), "faults": [],
            "machine": {"cores": 2, "processor": "P", "memory_gb": 1, "kernel": "6", "system": "S", "database": "D", "redis": "7",
                        "libmicrohttpd": "1"},
            "settings": {"rounds": 3, "seconds": 1, "scale": 1.0}}


def test_every_bound_has_a_row():
    assert {row.name: row.bound for row in figures.ROWS} == BOUNDS


def test_a_ratio_is_the_median_of_the_rounds_ratios_and_not_a_ratio_of_medians():
    # The machine was slow in the second round, for both.
    result = figures.of_pairs("static", [(90, 100), (20, 40), (95, 100)], "/s")
    assert result["value"] == 0.9
    assert (result["low"], result["high"]) == (0.5, 0.95)
    assert result["ours"]["median"] == 90 and result["yardstick"]["median"] == 100
    assert result["yardstick"]["all"] == [100, 40, 100]


def test_a_ratio_of_times_is_turned_round():
    assert figures.of_pairs("fan-out-ratio", [(50, 40)], "ms", more_is_better=False)["value"] == 0.8


@pytest.mark.parametrize("name, value, met", [
    ("static", 0.9, True), ("static", 0.89, False), ("fan-out-last", 100, True), ("fan-out-last", 100.1, False)])
def test_the_bound_itself_is_met(name, value, met):
    assert figures.of_values(name, [value])["met"] is met


def test_a_limit_is_held_by_the_median_not_by_the_best_round():
    result = figures.of_values("start-notes", [50, 300, 120])
    assert result["value"] == 120 and result["met"] is False


def test_what_was_not_measured_is_in_its_place_with_the_reason():
    rows = figures.in_order([figures.of_values("memory-socket", [1.5]), figures.not_measured("image-notes", "there is no docker here")])
    assert [row["row"] for row in rows] == list(BOUNDS)
    by_name = {row["row"]: row for row in rows}
    assert by_name["memory-socket"]["met"] is True
    assert by_name["image-notes"]["why_not"] == "there is no docker here"
    assert by_name["static"]["met"] is None and by_name["static"]["why_not"]


def test_a_missed_bound_is_said_plainly():
    text = report.tables(run_of(figures.of_pairs("static", [(50, 100)], "/s"), figures.of_values("memory-notes", [2.5])))
    line = next(line for line in text.splitlines() if line.startswith("static asset"))
    assert line.split()[-1] == "NO" and "≥ 0.9 × limit" in line and "50.0 /s" in line
    assert "2 of 19 rows measured, 1 of them miss their bound." in text
    assert figures.NOT_RUN not in text and "home page" not in text


def test_markdown_has_the_same_rows():
    text = report.tables(run_of(figures.of_pairs("static", [(95, 100)], "/s")), as_markdown=True)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + 1
    assert all(line.count("|") == rows[0].count("|") for line in rows)


def test_a_change_within_the_spread_is_not_sold_as_one():
    old = figures.of_pairs("static", [(80, 100), (90, 100), (85, 100)], "/s")
    assert figures.change(old, figures.of_pairs("static", [(88, 100), (95, 100), (89, 100)], "/s")) == (0.89 / 0.85, False)
    assert figures.change(old, figures.of_pairs("static", [(92, 100), (95, 100), (93, 100)], "/s")) == (0.93 / 0.85, True)
    assert figures.change(old, figures.not_measured("static", "why")) is None


def test_a_comparison_shows_only_what_both_runs_measured():
    old, new = run_of(figures.of_values("memory-notes", [2])), run_of(figures.of_values("memory-notes", [3]))
    text = report.comparison(old, new)
    assert "× 1.500" in text and "static asset" not in text
    assert "NOT ALIKE" not in text
    assert report.comparison(run_of(), new) == "No row with a bound was measured in both runs."


def test_a_comparison_of_runs_that_are_not_alike_says_so():
    old, new = run_of(figures.of_values("memory-notes", [2])), run_of(figures.of_values("memory-notes", [3]))
    new["settings"] = {**new["settings"], "rounds": 77}
    assert report.comparison(old, new).startswith("NOT ALIKE, so little can be said of changes: rounds\n")


def test_a_statement_and_its_execution_are_equal():
    executed = b"SELECT a FROM t WHERE k = 'it\\'s 5' AND id < 9223372036854775807 LIMIT 21"
    assert statements.normal(executed) == statements.normal("SELECT a FROM t WHERE k = ?  AND id < ? LIMIT ?")
    assert statements.of_script("BEGIN\nSELECT ?\ti:1\n") == ["BEGIN", "SELECT ?"]


def test_figures_replace_those_between_the_marks_and_nothing_else():
    document = f"Before\n{report.BEGIN}\nold\n{report.END}\nAfter\n"
    once = report.put_between_marks(document, "new")
    assert once == f"Before\n{report.BEGIN}\n\nnew\n\n{report.END}\nAfter\n"
    assert report.put_between_marks(once, "new") == once
    with pytest.raises(ValueError, match="lacks"):
        report.put_between_marks("no marks", "new")


def test_the_plot_has_a_point_for_each_load_and_none_for_what_came_after():
    def step(rate, ok, refused):
        return {"rate": rate, "ok_per_s": ok, "refused_per_s": refused, "ok_p99_ms": 5.0, "refused_p99_ms": 1.0 if refused else 0.0}
    drawn = plot.overload([step(500, 500, 0), step(1000, 1000, 0), step(2000, 1000, 1000), step(500, 500, 0)])
    circles = xml.etree.ElementTree.fromstring(drawn).findall("{http://www.w3.org/2000/svg}circle")
    assert len(circles) == 3 * 3 + 1  # answers, refusals, their times; a time of refusals only where there were some
    assert all(80 <= float(circle.get("cx")) <= 700 and 40 <= float(circle.get("cy")) <= 490 for circle in circles)
