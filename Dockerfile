# One image for every role: `kiosk run`, or any other command of `kiosk --help`.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements.lock ./
# What is pinned, with its hashes; then without what only the demo needs.
RUN python -m venv /app \
 && /app/bin/pip install --require-hashes --requirement requirements.lock \
 && /app/bin/pip uninstall --yes av pillow
COPY pyproject.toml README.md LICENSE ./
COPY kiosk ./kiosk
RUN /app/bin/pip install --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 kiosk \
 && useradd --uid 10001 --gid kiosk --home-dir /data --create-home --shell /usr/sbin/nologin kiosk
COPY --from=build /app /app
ENV PATH="/app/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    PORT=8080
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# Whether the process answers: a database that is away is no reason to kill the shop, which waits for it.
HEALTHCHECK --interval=15s --timeout=5s --start-period=120s --retries=4 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/live\", timeout=4)"]
ENTRYPOINT ["kiosk"]
CMD ["run"]
