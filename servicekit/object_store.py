"""Object stores by address: a directory or a bucket, bounded by what somebody who waits can bear."""

from datetime import timedelta

from obstore.store import ObjectStore, from_url

ANSWER = timedelta(seconds=10)
RETRIES = 2


def open_object_store(url: str) -> ObjectStore:
    """A store by address: `file:///var/lib/files`, `s3://bucket/prefix`.

    S3 takes keys, region and endpoint from the usual `AWS_…` variables; an endpoint without TLS is
    taken at its word. Objects are deleted one by one: not every store that speaks S3 can do more.
    """
    if not url.startswith("s3:"):
        return from_url(url, mkdir=True, automatic_cleanup=True)
    return from_url(
        url,
        config={"disable_bulk_delete": True},
        client_options={"allow_http": True, "connect_timeout": ANSWER / 5, "timeout": ANSWER},
        retry_config={"max_retries": RETRIES, "retry_timeout": ANSWER},
    )
