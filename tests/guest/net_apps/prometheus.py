"""An endpoint of prometheus_client, read as Prometheus does."""

import socket

import prometheus_client
import requests
from prometheus_client.parser import text_string_to_metric_families


def serve(listening: socket.socket) -> None:
    registry = prometheus_client.CollectorRegistry()
    prometheus_client.ProcessCollector(registry=registry)
    prometheus_client.GCCollector(registry=registry)
    requests_ = prometheus_client.Counter("requests", "So many.", ["kind"], registry=registry)
    requests_.labels("get").inc(3)
    times = prometheus_client.Histogram("seconds", "So long.", buckets=[1, 2], registry=registry)
    times.observe(1.5)
    # It makes its own socket, here on the same port.
    address, port = listening.getsockname()
    listening.close()
    prometheus_client.start_http_server(port, address, registry=registry)


def use(host: str, port: int) -> None:
    answer = requests.get(f"http://{host}:{port}/metrics", timeout=60)
    assert answer.headers["Content-Type"].startswith("text/plain")
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert found["requests_total", "get"] == 3
    assert (found["seconds_bucket", "1.0"], found["seconds_bucket", "2.0"]) == (0, 1)
    assert found["process_open_fds",] > 3
    assert found["process_resident_memory_bytes",] > 1 << 20
