"""FastAPI behind uvicorn with uvloop and httptools: checked bodies, a stream, a WebSocket."""

import json
import socket
from collections.abc import AsyncIterator

import fastapi
import pydantic
import requests
import uvicorn
import websockets.sync.client
from fastapi.responses import StreamingResponse

application = fastapi.FastAPI()


class Item(pydantic.BaseModel):
    """What is posted."""

    name: str
    price: float
    count: int = 1


@application.post("/items/{number}")
async def post(number: int, item: Item, twice: bool = False) -> dict[str, object]:
    total = item.price * item.count * (2 if twice else 1)
    return {"number": number, "name": item.name, "total": total}


@application.get("/stream")
async def stream() -> StreamingResponse:
    async def generate() -> AsyncIterator[bytes]:
        for number in range(200):
            yield number.to_bytes(2, "big") * 512

    return StreamingResponse(generate(), media_type="application/octet-stream")


@application.websocket("/echo")
async def echo(client: fastapi.WebSocket) -> None:
    await client.accept()
    async for text in client.iter_text():
        await client.send_text(text.upper())


def serve(listening: socket.socket) -> None:
    config = uvicorn.Config(application, loop="uvloop", http="httptools", log_level="warning")
    uvicorn.Server(config).run(sockets=[listening])


def use(host: str, port: int) -> None:
    base = f"http://{host}:{port}"
    with requests.Session() as session:
        for number in range(20):
            answer = session.post(
                f"{base}/items/{number}?twice=yes", json={"name": "x", "price": 1.5}, timeout=60
            )
            assert answer.json() == {"number": number, "name": "x", "total": 3.0}, answer.text
        wrong = session.post(f"{base}/items/1", json={"name": "x"}, timeout=60)
        assert (wrong.status_code, wrong.json()["detail"][0]["loc"]) == (422, ["body", "price"])
        content = session.get(f"{base}/stream", timeout=60).content
        assert content == b"".join(number.to_bytes(2, "big") * 512 for number in range(200))
        schema = session.get(f"{base}/openapi.json", timeout=60).json()
        assert json.dumps(schema).count("/items/{number}") >= 1
    with websockets.sync.client.connect(f"ws://{host}:{port}/echo", open_timeout=60) as client:
        for text in ("one", "zwölf"):
            client.send(text)
            assert client.recv(60) == text.upper()
