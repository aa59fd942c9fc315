FROM python:3.11-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/sharing-service
ENV PATH=/opt/sharing-service/bin:$PATH
# The dependencies change less often than the code: they are a layer of their own.
COPY requirements.txt ./
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements.txt
COPY pyproject.toml README.md ./
COPY migrations ./migrations
COPY src ./src
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin sharing \
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
