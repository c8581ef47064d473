# Where programs of students run while `python -m course collect` grades them: Python, Git and all packages of
# the lessons. The code, the template's and the student's, is in the folder that each container mounts.
ARG PYTHON_TAG=3.13-slim
FROM python:${PYTHON_TAG}
# Each release of Debian has one version of each, so there is none to choose. LightGBM needs libgomp.
# hadolint ignore=DL3008
RUN { command -v git && ls /usr/lib/*/libgomp.so.1; } >/dev/null 2>&1 || { \
      apt-get update -qq \
      && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends git libgomp1 >/dev/null \
      && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/*; }
COPY dev.txt /build/
# A base image may have packages of its own, such as those of Debian.
RUN python -m pip install --quiet --no-cache-dir --root-user-action ignore --ignore-installed \
      --require-hashes --no-deps --requirement /build/dev.txt
USER 10001:10001
