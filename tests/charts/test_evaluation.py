import pytest

from fer_core.charts.evaluation import AccuracyPoint, accuracy_chart

COLOR = "#4F7CAC"


def test_accuracies_are_dots_with_their_intervals_and_a_ring_for_what_cannot_be_compared():
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
