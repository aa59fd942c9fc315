FROM python:3.11-slim-bookworm AS build
WORKDIR /build
# Without pip of its own: what runs installs nothing.
RUN python -m venv --without-pip /opt/sharing-service
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# The dependencies change less often than the code: they are a layer of their own.
COPY requirements.txt ./
RUN pip --python /opt/sharing-service/bin/python install --no-deps --require-hashes -r requirements.txt
COPY pyproject.toml README.md ./
COPY migrations ./migrations
COPY src ./src
# What builds the service is locked with what it runs on, and goes when it is built.
RUN pip --python /opt/sharing-service/bin/python install --no-deps --no-build-isolation . \
    && pip --python /opt/sharing-service/bin/python uninstall --yes hatchling pathspec trove-classifiers

FROM python:3.11-slim-bookworm
RUN pip uninstall --yes pip setuptools wheel \
    && useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin sharing \
    && install --directory --owner=sharing --mode=0700 /var/lib/sharing-service
COPY --from=build /opt/sharing-service /opt/sharing-service
ENV PATH=/opt/sharing-service/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SHARING_DATA_DIR=/var/lib/sharing-service
USER sharing
WORKDIR /var/lib/sharing-service
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
CMD ["sharing-service", "serve", "--host", "0.0.0.0"]
