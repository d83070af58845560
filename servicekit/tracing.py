"""OpenTelemetry traces that cross HTTP, the outbox and Kafka; sampled, off without an endpoint."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind

from servicekit.settings import ServiceSettings

_tracer = trace.get_tracer("yichuang")


def configure_tracing(settings: ServiceSettings, *, service: str, process: str) -> None:
    """Export sampled spans to the collector, if there is one."""
    if not settings.otlp_endpoint:
        return
    # The exporter takes a third of a second to import; most processes have no collector.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    provider = TracerProvider(
        resource=Resource.create({"service.name": service, "service.instance.id": process}),
        sampler=ParentBased(TraceIdRatioBased(settings.trace_sample_ratio)),
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(settings.otlp_endpoint)))
    trace.set_tracer_provider(provider)


def traceparent() -> str | None:
    """The current trace as a W3C header, or None when nothing is traced."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def span(name: str, kind: SpanKind, parent: str | None) -> Iterator[Span]:
    """A span that goes on with the trace of a `traceparent` header."""
    context = propagate.extract({"traceparent": parent}) if parent else None
    with _tracer.start_as_current_span(name, context=context, kind=kind) as current:
        yield current
