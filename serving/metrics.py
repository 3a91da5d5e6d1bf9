"""What is counted, in the form that Prometheus reads."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """The counters of one server.

    >>> metrics = Metrics()
    >>> metrics.batch(texts=2, seconds=0.01)
    >>> b"bespoke_batch_texts_sum 2.0" in metrics.page()
    True
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ours = self._registry
        self.requests = Counter(
            "bespoke_requests", "Requests, by path and status.", ["path", "status"], registry=ours
        )
        self.seconds = Histogram(
            "bespoke_request_seconds",
            "Until an answer is sent.",
            ["path"],
            buckets=_SECONDS,
            registry=ours,
        )
        self.open = Gauge(
            "bespoke_requests_open", "Requests that are being answered.", registry=ours
        )
        self.waiting = Gauge(
            "bespoke_texts_waiting", "Texts that are not encoded yet.", registry=ours
        )
        self.tokens = Counter(
            "bespoke_tokens", "Tokens that models read.", ["model"], registry=ours
        )
        self.takeovers = Counter(
            "bespoke_takeovers",
            "How often newer documents or a new winner took over.",
            registry=ours,
        )
        self._batch_texts = Histogram(
            "bespoke_batch_texts",
            "Texts that were encoded together.",
            buckets=_TEXTS,
            registry=ours,
        )
        self._batch_seconds = Histogram(
            "bespoke_batch_seconds", "To encode them.", buckets=_SECONDS, registry=ours
        )

    def batch(self, texts: int, seconds: float) -> None:
        """Count texts that were encoded together."""
        self._batch_texts.observe(texts)
        self._batch_seconds.observe(seconds)

    def page(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._registry)
