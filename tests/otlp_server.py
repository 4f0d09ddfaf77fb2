"""A collector of OpenTelemetry's metrics over HTTP on loopback, for tests."""

from __future__ import annotations

import contextlib
import gzip
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest


@dataclass
class Collector:
    """What was exported: the newest value of each gauge by name and labels, and everything as text."""

    url: str = ""
    gauges: dict[tuple[str, tuple[tuple[str, str], ...]], float] = field(default_factory=dict)
    text: str = ""

    def of_desk(self, desk: str) -> dict[str, float]:
        """Return the gauges whose only label is the desk."""
        return {name: value for (name, labels), value in self.gauges.items() if labels == (("desk", desk),)}

    @property
    def environment(self) -> dict[str, str]:
        """Settings with which Airflow exports to it."""
        return {
            "AIRFLOW__METRICS__OTEL_ON": "True",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": self.url,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "NO_PROXY": "127.0.0.1",
        }

    def take(self, content: bytes) -> None:
        """Keep what an export says."""
        request = ExportMetricsServiceRequest.FromString(content)
        self.text += str(request)
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.gauge.data_points:
                        labels = tuple((one.key, one.value.string_value) for one in point.attributes)
                        self.gauges[metric.name, labels] = point.as_double or float(point.as_int)


@contextlib.contextmanager
def collector(*, hangs: bool = False) -> Iterator[Collector]:
    """Collect; or take what comes and never answer, until the test is over."""
    found, is_over = Collector(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if hangs:
                is_over.wait()
                return
            found.take(gzip.decompress(content) if self.headers.get("Content-Encoding") == "gzip" else content)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_port}/v1/metrics"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield found
    finally:
        is_over.set()
        server.shutdown()
        thread.join()
        server.server_close()
