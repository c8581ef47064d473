# Any `python -m pipeline …` with the checkout that is mounted at /repo; without arguments, the worker.
ARG PYTHON_TAG=3.13-slim

# This stage, and the final one up to the line, are equal in mlflow.Dockerfile, to share layers.
FROM python:${PYTHON_TAG} AS packages
ARG SOURCE_DATE_EPOCH=0
COPY deployment/docker/install.sh deployment/docker/finish.sh requirements/mlflow.txt /build/
RUN sh /build/install.sh /build/mlflow.txt /image/mlops/packages && sh /build/finish.sh /image

FROM python:${PYTHON_TAG} AS rest
ARG SOURCE_DATE_EPOCH=0
COPY deployment/docker/install.sh deployment/docker/finish.sh deployment/docker/rest.py /build/
COPY requirements/mlflow.txt requirements/pipeline.txt /build/
RUN python /build/rest.py /build/pipeline.txt /build/mlflow.txt >/build/rest.txt \
    && sh /build/install.sh /build/rest.txt /image/mlops/rest && sh /build/finish.sh /image

FROM python:${PYTHON_TAG} AS code
ARG SOURCE_DATE_EPOCH=0
COPY deployment/docker/finish.sh /build/
COPY VERSION deployment/docker/health.py /code/mlops/
COPY core /code/mlops/core
COPY history /code/mlops/history
COPY pipeline /code/mlops/pipeline
# The mounted checkout belongs to another user: this lets Git read it.
RUN install -d -o 10001 -g 10001 /code/state/build /code/state/serving /code/state/released /code/repo \
    && install -d /code/etc && printf '[safe]\n\tdirectory = /repo\n' >/code/etc/gitconfig \
    && sh /build/finish.sh /code

FROM python:${PYTHON_TAG}
RUN python -c "import ensurepip, pip, shutil; [shutil.rmtree(m.__path__[0]) for m in (pip, ensurepip)]" \
    && rm -f /usr/local/bin/pip* /usr/bin/pip*
COPY --from=packages /image /
# ---------------------------------------------------------------------------------------------
# Each release of Debian has one version of each, so there is none to choose. `ssh` is for deploy keys, and
# refuses to run for a user without a name. LightGBM needs libgomp.
# hadolint ignore=DL3008
RUN { command -v git && command -v ssh && ls /usr/lib/*/libgomp.so.1; } >/dev/null 2>&1 || { \
      apt-get update -qq \
      && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
         git openssh-client libgomp1 >/dev/null \
      && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/*; }
RUN echo 'mlops:x:10001:10001::/tmp:/usr/sbin/nologin' >>/etc/passwd
COPY --from=rest /image /
COPY --from=code /code /
WORKDIR /repo
ENV PYTHONPATH=/mlops:/mlops/rest:/mlops/packages PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    HOME=/tmp MLFLOW_DISABLE_TELEMETRY=true ORT_DISABLE_TELEMETRY=1 \
    # The mounted checkout may be read-only.
    MLOPS_BUILD_DIR=/state/build TRAINER_STATE=/state/serving TRAINER_HOST=0.0.0.0
USER 10001:10001
EXPOSE 8001
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=5 \
    CMD ["python", "/mlops/health.py", "8001", "/health"]
ENTRYPOINT ["python", "-m", "pipeline"]
CMD ["serve-worker"]
ARG SOURCE=""
ARG REVISION=""
ENV MLOPS_REVISION=${REVISION}
LABEL org.opencontainers.image.title="mlops-pipeline" \
      org.opencontainers.image.description="Trains, judges and records; serves the API as its trainer" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.revision="${REVISION}"
