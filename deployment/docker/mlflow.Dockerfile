# MLflow with the repository's history, which is mounted at /mlops/mlruns: see mlflow-start.sh.
ARG PYTHON_TAG=3.13-slim

# This stage, and the final one up to the line, are equal in pipeline.Dockerfile, to share layers.
FROM python:${PYTHON_TAG} AS packages
ARG SOURCE_DATE_EPOCH=0
COPY deployment/docker/install.sh deployment/docker/finish.sh requirements/mlflow.txt /build/
RUN sh /build/install.sh /build/mlflow.txt /image/mlops/packages && sh /build/finish.sh /image

FROM python:${PYTHON_TAG} AS code
ARG SOURCE_DATE_EPOCH=0
COPY deployment/docker/finish.sh /build/
COPY params.yaml deployment/docker/health.py deployment/docker/mlflow-start.sh \
        deployment/docker/mlflow-schema.sh /code/mlops/
COPY deployment/docker/mlflow_plugin /code/mlops/packages
COPY core /code/mlops/core
COPY history /code/mlops/history
COPY pipeline /code/mlops/pipeline
RUN mkdir /code/mlops/mlruns && install -d -o 10001 -g 10001 /code/state/database \
        /code/mlops/mlruns/.local \
    && sh /build/finish.sh /code

FROM python:${PYTHON_TAG}
RUN python -c "import ensurepip, pip, shutil; [shutil.rmtree(m.__path__[0]) for m in (pip, ensurepip)]" \
    && rm -f /usr/local/bin/pip* /usr/bin/pip*
COPY --from=packages /image /
# ---------------------------------------------------------------------------------------------
COPY --from=code /code /
WORKDIR /mlops
ENV PYTHONPATH=/mlops/packages PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp \
    MLFLOW_DISABLE_TELEMETRY=true \
    # Its job runner starts eight processes that a history of runs does not need.
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false
USER 10001:10001
EXPOSE 5000 5001
# /health answers 200 even if every page and every client gets a 403: send a request as a client does.
HEALTHCHECK --interval=15s --timeout=5s --start-period=120s --retries=5 \
    CMD ["python", "health.py", "5000", "/api/2.0/mlflow/experiments/search?max_results=1", "mlflow-server"]
ENTRYPOINT ["bash", "mlflow-start.sh"]
ARG SOURCE=""
ARG REVISION=""
LABEL org.opencontainers.image.title="mlops-mlflow" \
      org.opencontainers.image.description="MLflow over the history that lies in Git" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.revision="${REVISION}"
