import numpy as np

from fer_core.charts.calibration import ReliabilityBins, coverage_chart, reliability_chart

COLOR = "#4F7CAC"


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
