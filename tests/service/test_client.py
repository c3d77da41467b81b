import pytest

from fer_core.errors import ServiceError
from fer_core.service.client import ServiceClient
from fer_core.service.limits import Limits
from tests.service.serving import running


def test_it_sends_files_and_contents(service, scene, tmp_path):
    (tmp_path / "zwei.png").write_bytes(scene)
    client = ServiceClient(service.url)
    results = client.analyze(tmp_path / "zwei.png", scene)["results"]
    assert [(result["image"], len(result["faces"])) for result in results] == [("zwei.png", 2), ("images[1]", 2)]
    assert client.annotate(scene).startswith(b"\xff\xd8")
    assert client.classify(scene, model="people", label_set="fer")["model"]["label_set"] == "fer"
    assert "people" in [model["name"] for model in client.models()]


def test_a_refusal_is_an_error_with_the_services_own_words(service):
    with pytest.raises(ServiceError, match=r"images\[0\] cannot be read"):
        ServiceClient(service.url, sleep=lambda _: pytest.fail("it tried again")).analyze(b"damaged")


def test_it_comes_back_when_the_service_is_busy(scene):
    with running(Limits(threads=1, max_waiting=0)) as server, server.unfinished() as (connection,):
        waits = []

        def sleep(seconds):
            waits.append(seconds)
            connection.close()
            server.wait_for("fer_requests_in_progress 0.0")

        assert ServiceClient(server.url, sleep=sleep).analyze(scene)["results"]
    assert waits == [1.0]


def test_a_service_that_is_not_there_is_named_after_all_attempts():
    waits = []
    with pytest.raises(ServiceError, match=r"http://127\.0\.0\.1:9 cannot be reached"):
        ServiceClient("http://127.0.0.1:9/", attempts=3, sleep=waits.append).models()
    assert len(waits) == 2
