# One image for every process; the command says which one it is:
#   docker build --tag yichuang:0.1.0 .
#   docker run yichuang:0.1.0 python -m services.requests --help
#
# The base is pinned by tag. To pin it by content too, look its digest up where you pull from
# (`docker buildx imagetools inspect python:3.11.15-slim-trixie`) and build with
#   --build-arg PYTHON_IMAGE=python:3.11.15-slim-trixie@sha256:<digest>
ARG PYTHON_IMAGE=python:3.11.15-slim-trixie

FROM ${PYTHON_IMAGE} AS builder
# A package index of your own, if you have one; never part of the final image.
ARG PIP_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv --without-pip /opt/venv
COPY deploy/requirements-runtime.lock /build/
# Every file by hash, wheels only: nothing is compiled, so nothing here needs a compiler.
RUN pip --python /opt/venv/bin/python install \
      --require-hashes --only-binary=:all: --requirement /build/requirements-runtime.lock
COPY contracts/ /app/contracts/
COPY servicekit/ /app/servicekit/
COPY services/ /app/services/
COPY gateway/ /app/gateway/
COPY yichuang/ /app/yichuang/
COPY data/ /app/data/
# Bytecode is written now because at run time the file system is read-only.
RUN python -m compileall -q /app

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="yichuang" \
      org.opencontainers.image.description="One back end for a county's community services"
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent \
      --shell /usr/sbin/nologin yichuang \
    && mkdir --parents /var/lib/yichuang/files && chown -R 10001:10001 /var/lib/yichuang
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /app /app
WORKDIR /app
# Numeric, so that Kubernetes can see that it is not root.
USER 10001:10001
# No process is the default one: say which. Signals go straight to it (no shell, no init needed).
CMD ["python", "-m", "yichuang", "--help"]
