import base64
import json

import cv2
import numpy as np
import pytest

from fer_core.errors import ModelError
from fer_core.recognizer import EmotionRecognizer
from fer_core.service.limits import Limits
from fer_core.settings import Settings
from tests.service.serving import FORM, form, running


def encoded(image, suffix=".png") -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


@pytest.fixture(scope="module")
def expected(scene):
    return EmotionRecognizer("compact").analyze(scene).to_dict()


def plain(result: dict) -> dict:
    """Return a result without what the service adds."""
    faces = [{name: value for name, value in face.items() if name != "uncertain"} for face in result["faces"]]
    return {**{name: value for name, value in result.items() if name != "image"}, "faces": faces}


def test_several_images_of_a_form_give_what_the_recognizer_gives(service, scene, expected):
    blank = encoded(np.full((60, 80, 3), 90, np.uint8))
    answer = service.post("/v1/analyze", form(("images", "zwei.png", scene), ("images", "leer.png", blank)), FORM)
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    first, second = answer.json["results"]
    assert (first["image"], second["image"], second["faces"]) == ("zwei.png", "leer.png", [])
    assert plain(first) == expected and len(first["faces"]) == 2
    assert answer.json["model"]["name"] == "compact" and answer.json["model"]["label_set"] == "fer"
    threshold = answer.json["model"]["uncertain_below"]
    assert [face["uncertain"] for face in first["faces"]] == [
        max(face["scores"].values()) < threshold for face in first["faces"]
    ]


def test_json_and_a_plain_image_give_the_same(service, scene, expected):
    text = base64.b64encode(scene).decode()
    answer = service.post_json("/v1/analyze", {"images": [text, f"data:image/png;base64,{text}"]})
    assert [result["image"] for result in answer.json["results"]] == ["images[0]", "images[1]"]
    assert [plain(result) for result in answer.json["results"]] == [expected] * 2
    assert plain(service.post("/v1/analyze", scene).json["results"][0]) == expected


def test_another_model_and_label_set_can_be_asked_for(service, scene):
    answer = service.post("/v1/analyze?model=compact-both&label_set=votes", scene).json
    assert (answer["model"]["name"], answer["model"]["label_set"]) == ("compact-both", "votes")
    scores = EmotionRecognizer("compact-both", "votes").analyze(scene).to_dict()["faces"][0]["scores"]
    assert answer["results"][0]["faces"][0]["scores"] == scores


@pytest.mark.parametrize("form_of_answer", ["image/png", "image/jpeg"])
def test_one_image_comes_back_annotated_where_accept_asks_for_it(service, scene, form_of_answer):
    answer = service.post("/v1/analyze", scene, Accept=f"{form_of_answer}, application/json;q=0.5")
    assert answer.status == 200 and answer.headers["Content-Type"] == form_of_answer
    before = cv2.imdecode(np.frombuffer(scene, np.uint8), cv2.IMREAD_COLOR).astype(int)
    after = cv2.imdecode(np.frombuffer(answer.body, np.uint8), cv2.IMREAD_COLOR)
    changed = np.abs(after - before).max(axis=2) > 60
    assert after.shape == before.shape and 0.001 < changed.mean() < 0.2


def test_cropped_faces_are_scored_as_they_are(service, drawn):
    faces = drawn.images[:2]
    files = [("images", f"{number}.png", encoded(face)) for number, face in enumerate(faces)]
    answer = service.post("/v1/classify", form(*files), FORM).json
    expected = EmotionRecognizer("compact").classify(faces)
    assert [face["image"] for face in answer["faces"]] == ["0.png", "1.png"]
    np.testing.assert_allclose([list(face["scores"].values()) for face in answer["faces"]], expected, atol=1e-6)
    assert answer["faces"][1]["expression"] == EmotionRecognizer("compact").labels[expected[1].argmax()]


def test_models_are_listed_with_the_one_that_requests_use(service):
    models = {entry["name"]: entry for entry in service.request("GET", "/v1/models").json["models"]}
    assert models["people"]["label_sets"] == ["people", "fer", "votes"]
    assert [name for name, entry in models.items() if entry["in_use"]] == ["compact"]


TINY = encoded(np.zeros((8, 8, 3), np.uint8))


@pytest.mark.parametrize(
    ("body", "content_type", "status", "message"),
    [
        (b"x=1", "application/x-www-form-urlencoded", 415, "got application/x-www-form-urlencoded"),
        (b"not an image", "image/png", 422, "cannot be read: expected a whole JPEG"),
        (b"{}", "application/json", 422, "images: Field required"),
        (b'{"images": ["%%%"]}', "application/json", 422, "images[0]: is not base64"),
        (b'{"images": []}', "application/json", 422, "got none"),
        (b"{", "application/json", 422, "Expected JSON such as"),
        (form(("images", "a.png", TINY), end=""), FORM, 422, "cut short"),
        (form(("photos", "a.png", TINY)), FORM, 422, "another field in `photos`"),
        (form(("images", "broken.png", TINY[:30])), FORM, 422, "broken.png cannot be read"),
        (b"", "multipart/form-data", 422, "No boundary given"),
        (form(*[("images", "a.png", TINY)] * 4), FORM, 413, "at most 3 images in one request, got more"),
        (b'{"images": [' + b"0," * 9 + b"0]}", "application/json", 413, "at most 3 images in one request, got more"),
        (encoded(np.zeros((700, 700), np.uint8)), "image/png", 413, "700 × 700 pixels; expected at most 0.4 mega"),
        (bytes(1_500_001), "image/png", 413, "at most 1,500,000 bytes, got 1,500,001"),
        ((bytes(100_000) for _ in range(40)), "image/png", 413, "at most 1,500,000 bytes, got more"),
    ],
    ids=lambda value: value if isinstance(value, str) and "/" not in value else "",
)
def test_what_cannot_be_used_is_refused_in_a_sentence(service, body, content_type, status, message):
    answer = service.post("/v1/analyze", body, content_type)
    assert answer.status == status
    assert list(answer.json) == ["detail"] and message in answer.json["detail"]


def test_text_in_place_of_a_file_is_explained(service):
    body = b'--frontier\r\nContent-Disposition: form-data; name="images"\r\n\r\nphoto.jpg\r\n--frontier--\r\n'
    assert "-F images=@photo.jpg" in service.post("/v1/analyze", body, FORM).json["detail"]


@pytest.mark.parametrize(
    ("query", "accept", "status", "message"),
    [
        ("?model=/etc", "*/*", 422, "No model is named '/etc'"),
        ("?label_set=people", "*/*", 422, "compact has no scores for the label set 'people'"),
        ("", "text/html", 406, "got text/html"),
    ],
)
def test_an_option_that_cannot_be_met_is_refused(service, scene, query, accept, status, message):
    answer = service.post(f"/v1/analyze{query}", scene, Accept=accept)
    assert answer.status == status and message in answer.json["detail"]


def test_several_images_cannot_come_back_as_one(service):
    answer = service.post("/v1/analyze", form(*[("images", "a.png", TINY)] * 2), FORM, Accept="image/*")
    assert answer.status == 422 and "Expected one image" in answer.json["detail"]


def test_no_more_requests_wait_than_may():
    with running(Limits(threads=1, max_waiting=1)) as server, server.unfinished(2):
        answer = server.post("/v1/analyze", TINY)
        assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
        assert "Send the request again in" in answer.json["detail"]
        assert server.request("GET", "/healthz").json["status"] == "ok"


def test_one_client_cannot_take_all_places_nor_all_memory_nor_all_time():
    with running(Limits(max_per_client=1, max_buffered_bytes=20_000, body_timeout_s=1.0)) as server:
        with server.unfinished() as (connection,):
            answer = server.post("/v1/analyze", TINY)
            assert answer.status == 429 and answer.headers["Retry-After"] == "1"
            refusal = b"".join(iter(lambda: connection.recv(1000), b""))
            assert b" 408 " in refusal and b"got 2 bytes of it" in refusal
        server.wait_for("fer_requests_in_progress 0.0")
        assert server.post("/v1/analyze", bytes(30_000)).status == 503
        assert server.post("/v1/analyze", TINY).status == 200  # all was given back


def test_keys_are_asked_for_where_there_are_any(scene):
    with running(settings=Settings(api_keys=("k" * 16, "l" * 16))) as server:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic " + "k" * 16}):
            for method, path in (("POST", "/v1/analyze"), ("POST", "/v1/classify"), ("GET", "/metrics")):
                answer = server.request(method, path, scene, Content_Type="image/png", **headers)
                assert answer.status == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
        assert server.post("/v1/analyze", scene, Authorization="Bearer " + "l" * 16).status == 200
        assert server.request("GET", "/v1/models", Authorization="Bearer " + "k" * 16, Host="other.org").status == 200
        assert server.request("GET", "/healthz").status == 200


@pytest.mark.parametrize("header", [{"Host": "evil.org"}, {"Origin": "https://evil.org"}, {"Origin": "null"}])
def test_without_keys_pages_of_other_sites_are_refused(service, scene, header):
    answer = service.post("/v1/analyze", scene, **header)
    assert answer.status == 403 and "Set FER_API_KEYS" in answer.json["detail"]


def test_the_page_of_the_interface_needs_no_other_server(service):
    page = service.request("GET", "/docs").body.decode()
    assert "swagger-ui" in page and "https://" not in page and "cdn" not in page
    content = service.request("GET", "/openapi.json").json
    assert {"/v1/analyze", "/v1/classify", "/v1/models", "/healthz", "/metrics"} == set(content["paths"])
    analyze = content["paths"]["/v1/analyze"]["post"]
    assert {"413", "415", "422", "429", "503"} < set(analyze["responses"])
    assert set(analyze["requestBody"]["content"]) == {"multipart/form-data", "application/json", "image/*"}


def test_metrics_count_by_route_and_never_by_path():
    with running() as server:
        server.post("/v1/classify", TINY)
        server.post("/v1/classify", b"")
        server.request("GET", "/secret/path")
        text = server.request("GET", "/metrics").body.decode()
    assert 'fer_requests_total{method="POST",route="/v1/classify",status="200"} 1.0' in text
    assert 'fer_requests_total{method="POST",route="/v1/classify",status="422"} 1.0' in text
    assert 'fer_requests_total{method="other",route="other",status="404"} 1.0' in text
    assert "fer_images_total 1.0" in text and "secret" not in text


def test_an_unknown_route_names_the_page_that_lists_them(service):
    assert service.request("GET", "/v2/analyze").json == {
        "detail": "Not Found: /docs lists the routes and their methods."
    }
    assert service.request("GET", "/v1/analyze").status == 405


def test_a_model_that_is_not_there_is_an_error_before_anything_is_served():
    with pytest.raises(ModelError, match="nonesuch"), running(model="nonesuch"):
        pass


def test_numbers_of_a_result_are_plain_json(service, scene):
    def refuse(name: str) -> None:
        raise AssertionError(name)

    json.loads(service.post("/v1/analyze", scene).body, parse_constant=refuse)
