"""Flask with its development server: a form, JSON, an upload, a page in pieces, an error."""

import io
import socket
from collections.abc import Iterator

import flask
import requests
import werkzeug.serving

application = flask.Flask("net_apps")


@application.get("/hello/<name>")
def hello(name: str) -> str:
    return flask.render_template_string("<p>Hello, {{ name }}</p>", name=name)


@application.post("/sum")
def total() -> flask.Response:
    return flask.jsonify(sum=sum(flask.request.get_json()["numbers"]))


@application.post("/upload")
def upload() -> dict[str, object]:
    content = flask.request.files["file"].read()
    return {"size": len(content), "ends": content[-4:].hex(), "by": flask.request.form["by"]}


@application.get("/pieces")
def pieces() -> flask.Response:
    def generate() -> Iterator[bytes]:
        for number in range(100):
            yield b"%06d\n" % number * 100

    return flask.Response(generate(), mimetype="text/plain")


def serve(listening: socket.socket) -> None:
    # What Flask.run calls in the end.
    server = werkzeug.serving.make_server(
        *listening.getsockname(), application, threaded=True, fd=listening.fileno()
    )
    server.serve_forever()


def use(host: str, port: int) -> None:
    base = f"http://{host}:{port}"
    with requests.Session() as session:
        page = session.get(f"{base}/hello/<ovum>", timeout=60)
        assert page.text == "<p>Hello, &lt;ovum&gt;</p>", page.text
        assert session.post(f"{base}/sum", json={"numbers": [1, 2, 39]}, timeout=60).json() == {
            "sum": 42
        }
        content = bytes(range(256)) * 1024
        answer = session.post(
            f"{base}/upload", files={"file": io.BytesIO(content)}, data={"by": "é"}, timeout=60
        )
        assert answer.json() == {"size": len(content), "ends": "fcfdfeff", "by": "é"}
        lines = session.get(f"{base}/pieces", timeout=60).text.splitlines()
        assert lines == [f"{number // 100:06}" for number in range(10_000)]
        assert session.get(f"{base}/nothing", timeout=60).status_code == 404
