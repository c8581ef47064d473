# The prediction API: Python, the packages that it imports, its code and the models of the commit.
ARG PYTHON_TAG=3.13-slim

FROM python:${PYTHON_TAG} AS build
ARG SOURCE_DATE_EPOCH=0
COPY deployment/docker/install.sh deployment/docker/finish.sh deployment/docker/minimal_root.py \
     requirements/api.txt /build/
RUN sh /build/install.sh /build/api.txt /image/mlops/packages \
    && python /build/minimal_root.py /image \
    && sh /build/finish.sh /image
COPY VERSION deployment/docker/health.py deployment/docker/prepare.py /code/mlops/
COPY deployment/models /code/mlops/deployment/models
COPY core /code/mlops/core
COPY app /code/mlops/app
RUN install -d -o 10001 -g 10001 /code/mlops/build/serving /code/mlops/build/predictions \
    && sh /build/finish.sh /code

# Nothing of the base but what was copied: no shell, no package manager, no pip.
FROM scratch
COPY --from=build /image /
COPY --from=build /code /
WORKDIR /mlops
ENV PATH=/usr/local/bin PYTHONPATH=/mlops/packages PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    API_HOST=0.0.0.0 API_PORT=8000 API_PREDICTION_LOG=build/predictions/predictions.db \
    # A container's log is what it prints; whoever runs it keeps and rotates that.
    API_LOG_FILE=/dev/null
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 \
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
