"""redis-py with a real server: values, a pipeline, messages between clients, blocking pops."""

import threading

import redis


def use(host: str, port: int) -> None:
    with redis.Redis(host=host, port=port, socket_timeout=60) as client:
        assert client.ping()
        client.flushdb()
        client.set("text", "grüß dich".encode())
        assert client.get("text") == "grüß dich".encode()
        blob = bytes(range(256)) * 2000
        client.set("blob", blob)
        assert client.get("blob") == blob
        with client.pipeline() as pipe:
            for _ in range(200):
                pipe.incr("count")
            assert pipe.execute()[-1] == 200
        client.hset("hash", mapping={"a": 1, "b": 2})
        assert client.hgetall("hash") == {b"a": b"1", b"b": b"2"}
        messages = client.pubsub()
        messages.subscribe("news")
        assert messages.get_message(timeout=60)["type"] == "subscribe"
        client.publish("news", "something")
        assert messages.get_message(timeout=60)["data"] == b"something"
        messages.close()
        popped: list[object] = []
        waiting = threading.Thread(target=lambda: popped.append(client.blpop("queue", 60)))
        waiting.start()
        client.rpush("queue", "item")
        waiting.join()
        assert popped == [(b"queue", b"item")]
