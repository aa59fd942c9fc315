"""Which request something belongs to: ids are taken from outside only if they are well formed."""

import pytest

from sharing_service import tracing

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ID = "0192f3a1-7c5e-7bb0-8c1f-3d2a9b6c5e4f"


@pytest.mark.parametrize(
    ("traceparent", "flags"),
    [
        (f"00-{TRACE}-{PARENT}-01", "01"),
        (f"00-{TRACE}-{PARENT}-00", "00"),
        (f"00-{TRACE}-{PARENT}-ff", "01"),
        (f"cc-{TRACE}-{PARENT}-01", "01"),
        (f"cc-{TRACE}-{PARENT}-01-what-the-future-brings", "01"),
    ],
)
def test_a_trace_goes_on(traceparent: str, flags: str) -> None:
    """A well-formed `traceparent` keeps its trace, with a part of our own in it."""
    trace = tracing.of_request([], [traceparent])

    assert (trace.trace_id, trace.flags) == (TRACE, flags)
    assert trace.span_id != PARENT
    assert trace.carried()["traceparent"] == f"00-{TRACE}-{trace.span_id}-{flags}"


@pytest.mark.parametrize(
    "traceparents",
    [
        [],
        [""],
        ["Zebedee"],
        [f"00-{TRACE}-{PARENT}"],
        [f"00-{TRACE}-{PARENT}-1"],
        [f"0-{TRACE}-{PARENT}-01"],
        [f"00-{TRACE.upper()}-{PARENT}-01"],
        [f"00-{TRACE[:-1]}-{PARENT}-01"],
        [f"00-{TRACE}0-{PARENT}-01"],
        [f"00-{'0' * 32}-{PARENT}-01"],
        [f"00-{TRACE}-{'0' * 16}-01"],
        [f"ff-{TRACE}-{PARENT}-01"],
        [f"00-{TRACE}-{PARENT}-01-more"],
        [f"cc-{TRACE}-{PARENT}-01.more"],
        [f" 00-{TRACE}-{PARENT}-01"],
        [f"00-{TRACE}-{PARENT}-01\n"],
        [f"00-{TRACE}-{PARENT}-01"] * 2,
    ],
)
def test_a_trace_begins(traceparents: list[str]) -> None:
    """Without one well-formed `traceparent` a request begins a trace of its own, which nobody samples."""
    trace, other = (tracing.of_request([], traceparents) for _ in range(2))

    assert TRACE not in trace.carried()["traceparent"]
    assert trace.trace_id != other.trace_id
    assert tracing.of_request([], [trace.carried()["traceparent"]]).trace_id == trace.trace_id
    assert trace.flags == "00"


@pytest.mark.parametrize("given", [ID, ID.upper(), "0" * 16, "f" * 64])
def test_a_request_keeps_its_id(given: str) -> None:
    """An id of the form that proxies give is kept."""
    assert tracing.of_request([given], []).request_id == given


@pytest.mark.parametrize(
    "given", [[], [""], ["Zebedee Jones"], ["0" * 15], ["f" * 65], [f"{ID}\n"], ["-" * 32], [f"{ID}é"], [ID, ID]]
)
def test_a_request_gets_an_id(given: list[str]) -> None:
    """Any other id is replaced by a new one.

    Catches an id by which a caller writes a name, or a line of its own, into the log.
    """
    made = tracing.of_request(given, []).request_id

    assert made not in given
    assert tracing.REQUEST_ID.fullmatch(made)
    assert tracing.of_request(given, []).request_id != made


def test_a_job_goes_on_with_its_request() -> None:
    """A job belongs to the request that queued it; one that nobody queued begins anew."""
    request = tracing.of_request([ID], [f"00-{TRACE}-{PARENT}-01"])
    job = tracing.of_job({"district_id": "x", **request.carried()})

    assert (job.request_id, job.trace_id, job.flags) == (ID, TRACE, "01")
    assert len({PARENT, request.span_id, job.span_id}) == 3
    assert tracing.of_job({}).request_id != ID


def test_a_trace_ends_with_its_block() -> None:
    """What runs after a request belongs to none."""
    trace = tracing.of_request([], [])
    with tracing.within(trace):
        assert tracing.current() is trace
    assert tracing.current() is None
