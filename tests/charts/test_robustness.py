from fer_core.charts.robustness import robustness_chart

COLOR = "#4F7CAC"


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
