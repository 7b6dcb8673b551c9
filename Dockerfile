# Two images: `api` serves and knows no torch, `worker` trains. Both run as a user of their own, on a read-only root.
ARG PYTHON_VERSION=3.11

FROM python:${PYTHON_VERSION}-slim AS packages
RUN python -m venv --without-pip /opt/pathscope
WORKDIR /build
COPY pyproject.toml constraints.txt LICENSE ./
# An empty README, lest an edit of it installs all packages once more.
RUN touch README.md
# Of pyproject.toml, e.g. s3.
ARG EXTRAS
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/pathscope install --constraint constraints.txt ".${EXTRAS:+[$EXTRAS]}"

FROM packages AS worker-packages
ARG EXTRAS
# An index of torch's builds besides pip's own. Empty: the build that pip finds by itself.
ARG TORCH_INDEX
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/pathscope install --retries 2 --constraint constraints.txt --no-deps \
        ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} torch torchvision && \
    pip --python /opt/pathscope install --constraint constraints.txt ".[worker${EXTRAS:+,$EXTRAS}]"

FROM packages AS flower-packages
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/pathscope install --constraint constraints.txt flower

FROM python:${PYTHON_VERSION}-slim AS base
RUN useradd --uid 10001 --home-dir /var/lib/pathscope --create-home pathscope
ENV PATH=/opt/pathscope/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PATHSCOPE_HOME=/var/lib/pathscope
WORKDIR /app
COPY alembic.ini ./
COPY alembic alembic
COPY backend backend
COPY cli cli
USER pathscope
VOLUME /var/lib/pathscope
ENTRYPOINT ["pathscope"]

FROM base AS worker
COPY --from=worker-packages /opt/pathscope /opt/pathscope
COPY worker worker
# What numba compiles is kept with the state, as the root is read-only.
ENV NUMBA_CACHE_DIR=/var/lib/pathscope/numba
CMD ["worker"]

FROM base AS flower
COPY --from=flower-packages /opt/pathscope /opt/pathscope
ENTRYPOINT ["python", "-c", "from backend.queue import celery_app; celery_app().start(['flower', '--address=0.0.0.0', '--port=5555'])"]

FROM base AS api
COPY --from=packages /opt/pathscope /opt/pathscope
COPY frontend frontend
EXPOSE 8000
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
