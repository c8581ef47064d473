# The prediction API: its packages, its code and the models of the commit, on Python's slim image.
# Advanced: `--build-arg BASE=minimal` (API_BASE=minimal in .env) puts them on a root file system that
# holds Python and the libraries it needs, and no shell, package manager or other program.
ARG PYTHON_TAG=3.13-slim
ARG BASE=slim

FROM python:${PYTHON_TAG} AS packages
ARG SOURCE_DATE_EPOCH=0
COPY deployment/docker/install.sh deployment/docker/finish.sh requirements/api.txt /build/
RUN sh /build/install.sh /build/api.txt /image/mlops/packages && sh /build/finish.sh /image

FROM packages AS root
COPY deployment/docker/minimal_root.py /build/
RUN python /build/minimal_root.py /minimal /image && sh /build/finish.sh /minimal

FROM python:${PYTHON_TAG} AS code
ARG SOURCE_DATE_EPOCH=0
COPY deployment/docker/finish.sh /build/
COPY VERSION deployment/docker/health.py deployment/docker/prepare.py /code/mlops/
COPY deployment/models /code/mlops/deployment/models
COPY core /code/mlops/core
COPY app /code/mlops/app
RUN install -d -o 10001 -g 10001 /code/mlops/build/serving /code/mlops/build/released \
    /code/mlops/build/predictions \
    && sh /build/finish.sh /code

FROM scratch AS minimal
COPY --from=root /minimal /
ENV PATH=/usr/local/bin

FROM python:${PYTHON_TAG} AS slim
RUN python -c "import ensurepip, pip, shutil; [shutil.rmtree(m.__path__[0]) for m in (pip, ensurepip)]" \
    && rm -f /usr/local/bin/pip* /usr/bin/pip*

FROM ${BASE}
COPY --from=packages /image /
COPY --from=code /code /
WORKDIR /mlops
ENV PYTHONPATH=/mlops/packages PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp \
    ORT_DISABLE_TELEMETRY=1 \
    API_HOST=0.0.0.0 API_PORT=8000 API_PREDICTION_LOG=build/predictions/predictions.db \
    # A container logs to its standard output; Docker keeps and rotates that.
    API_LOG_FILE=/dev/null
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "health.py", "8000", "/health/ready"]
ENTRYPOINT ["python"]
CMD ["-m", "app"]
ARG SOURCE=""
ARG REVISION=""
ENV MLOPS_REVISION=${REVISION}
ARG MODEL_VERSIONS=""
LABEL org.opencontainers.image.title="mlops-api" \
      org.opencontainers.image.description="Predictions of the models in deployment/models" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.revision="${REVISION}" \
      mlops.models="${MODEL_VERSIONS}"
