# Any `python -m pipeline …` over the checkout that is mounted at /repo; by itself the trainer.
ARG PYTHON_TAG=3.13-slim

FROM python:${PYTHON_TAG} AS build
ARG SOURCE_DATE_EPOCH=0
COPY deployment/docker/install.sh deployment/docker/finish.sh /build/
COPY requirements/pipeline.txt /build/
RUN sh /build/install.sh /build/pipeline.txt /image/packages && sh /build/finish.sh /image
COPY deployment/docker/health.py /code/
COPY pipeline /code/pipeline
RUN sh /build/finish.sh /code

FROM python:${PYTHON_TAG}
RUN command -v git >/dev/null || { \
      apt-get update -qq && apt-get install -y -qq --no-install-recommends git >/dev/null \
      && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/*; } \
    && python -c "import ensurepip, pip, shutil; [shutil.rmtree(m.__path__[0]) for m in (pip, ensurepip)]" \
    && rm -f /usr/local/bin/pip* /usr/bin/pip* \
    && install -d -o 10001 -g 10001 /state/build /state/serving /repo
COPY --from=build /image/packages /mlops/packages
COPY --from=build /code /mlops
WORKDIR /repo
ENV PYTHONPATH=/mlops:/mlops/packages PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp \
    MLFLOW_DISABLE_TELEMETRY=true \
    # The mounted checkout may be read-only, and is another user's.
    MLOPS_BUILD_DIR=/state/build TRAINER_STATE=/state/serving TRAINER_HOST=0.0.0.0 \
    GIT_OPTIONAL_LOCKS=0 \
    GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=/repo
USER 10001:10001
EXPOSE 8001
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=5 \
    CMD ["python", "/mlops/health.py", "8001", "/health"]
ENTRYPOINT ["python", "-m", "pipeline"]
CMD ["trainer"]
ARG SOURCE=""
ARG REVISION=""
LABEL org.opencontainers.image.title="mlops-pipeline" \
      org.opencontainers.image.description="Trains, judges and records; serves the API as its trainer" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.revision="${REVISION}"
