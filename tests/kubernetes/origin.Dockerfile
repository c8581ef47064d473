# The Git server of the tests in a cluster, with the SSH server that asks for a deploy key.
FROM ghcr.io/local/mlops/mlops-pipeline:local
# hadolint ignore=DL3002
USER 0:0
# hadolint ignore=DL3008
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openssh-server >/dev/null \
    && rm -rf /var/lib/apt/lists/* && mkdir -p /run/sshd
WORKDIR /srv
COPY origin.sh /origin.sh
ENTRYPOINT ["sh", "/origin.sh"]
EXPOSE 22 9418
