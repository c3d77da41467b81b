import numpy as np
import pytest

from fer_core.charts.evaluation import (
    AccuracyPoint,
    ReliabilityBins,
    accuracy_chart,
    coverage_chart,
    reliability_chart,
    robustness_chart,
)

COLOR = "#4F7CAC"


def test_standings_draw_a_dot_with_its_interval_and_a_ring_for_what_cannot_be_compared():
    figure = accuracy_chart(
        {
            "Here": [AccuracyPoint("mine", 0.7, (0.68, 0.72), "mine: 70.0 %", COLOR)],
            "Empty": [],
            "Others": [AccuracyPoint("theirs", 0.75, None, "theirs", open=True)],
        },
        (0.6, 0.7),
    )
    mine, theirs = figure.data
    assert mine.x[0] == 70
    assert (mine.error_x.array[0], mine.error_x.arrayminus[0]) == pytest.approx((2, 2))
    assert (mine.marker.symbol, theirs.marker.symbol) == ("circle", "circle-open")
    assert list(figure.layout.yaxis.ticktext) == ["mine", "theirs"]
    assert [note.text for note in figure.layout.annotations] == ["<b>Here</b>", "<b>Others</b>", "people"]
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].x1) == (60, 70)
    assert figure.layout.xaxis.range[0] < 60 and figure.layout.xaxis.range[1] > 75


def test_rows_never_share_a_height():
    groups = {str(group): [AccuracyPoint(f"{group} {row}", 0.5, None, "") for row in range(3)] for group in range(2)}
    figure = accuracy_chart(groups, None)
    heights = [trace.y[0] for trace in figure.data]
    assert len(set(heights)) == 6
    assert not figure.layout.shapes


def test_reliability_leaves_empty_bins_out_and_draws_both_diagrams_to_one_scale():
    edges = np.linspace(0, 1, 4)
    confidence, accuracy = np.array([np.nan, 0.5, 0.9]), np.array([np.nan, 0.4, 0.8])
    few = ReliabilityBins("before", edges, np.array([0, 2, 8]), confidence, accuracy)
    many = ReliabilityBins("after", edges, np.array([0, 20, 8]), confidence, accuracy)
    figure = reliability_chart([few, many], COLOR)
    assert list(figure.data[0].y) == [40, 80]
    assert list(figure.data[2].y) == [2, 8]
    assert figure.layout.yaxis2.range == figure.layout.yaxis4.range
    assert "40.0 % right" in figure.data[0].hovertext[0]


def test_coverage_marks_the_chosen_point_and_the_models_own():
    coverage, accuracy = np.array([0.5, 1.0]), np.array([0.9, 0.7])
    figure = coverage_chart(coverage, accuracy, (0.5, 0.9), (1.0, 0.7), COLOR)
    assert [list(trace.x) for trace in figure.data] == [[50, 100], [100], [50]]
    assert len(coverage_chart(coverage, accuracy, (0.0, None), None, COLOR).data) == 1


def test_robustness_has_a_panel_a_fault_a_line_a_model_and_a_ring_where_the_picture_is_as_it_is():
    levels = [(-50, 0.4), (0, 0.7), (50, 0.5)]
    quality = [(100, 0.7), (10, 0.3)]
    found = {"light": levels, "JPEG": quality}
    figure = robustness_chart({"a": found, "b": found}, {"light": "%", "JPEG": "quality"}, {"a": COLOR, "b": "#000000"})
    assert len(figure.data) == 4
    assert list(figure.data[0].marker.symbol) == ["circle", "circle-open", "circle"]
    assert [trace.line.color for trace in figure.data] == [COLOR, "#000000"] * 2
    assert figure.layout.xaxis2.autorange == "reversed"  # worse to the right
    assert figure.layout.showlegend
