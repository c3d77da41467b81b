import pytest

from fer_core.data.resolve import open_faces
from fer_core.errors import DataError


@pytest.mark.parametrize(
    "data, expected",
    [("nothing", "no data set named 'nothing'"), ("x" * 300, "cannot be looked at: File name too long")],
)
def test_what_is_no_data_set_is_an_error_in_words(data, expected, monkeypatch, tmp_path):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    with pytest.raises(DataError, match=expected):
        open_faces(data)
