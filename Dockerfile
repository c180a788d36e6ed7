# The image of the bridge: `docker build -t shipx-bridge .`; how to run it: docs/install.md and compose.yaml.
#
# The base is the same for both stages, so that the interpreter of the virtual environment is where it was made. For a
# build that can be repeated give it by digest: --build-arg PYTHON_IMAGE=docker.io/library/python@sha256:…
ARG PYTHON_IMAGE=docker.io/library/python:3.11.14-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /src
COPY build.lock requirements.lock ./
# Two environments: what builds stays here, /opt/bridge is all that leaves.
RUN python3 -m venv /opt/build \
    && python3 -m venv --without-pip /opt/bridge \
    && /opt/build/bin/pip install --require-hashes --only-binary :all: --requirement build.lock \
    && /opt/build/bin/pip --python /opt/bridge/bin/python3 install \
        --require-hashes --only-binary :all: --requirement requirements.lock
COPY pyproject.toml README.md ./
COPY bridge bridge
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/build/bin/pip --python /opt/bridge/bin/python3 install --no-deps --no-index dist/*.whl

FROM ${PYTHON_IMAGE}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ShipX Bridge" \
    org.opencontainers.image.description="Receives InPost ShipX webhooks, buys the right offer once, publishes events." \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
# Nobody installs anything in here: the installers that came with the base go. The user has a name for libpq alone.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/ensurepip /usr/local/lib/python3*/site-packages/* \
    && groupadd --gid 10001 bridge \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/bridge --shell /usr/sbin/nologin bridge \
    && install -d -o 10001 -g 10001 -m 0750 /var/lib/bridge
COPY --from=build /opt/bridge /opt/bridge
COPY config/image.toml /etc/bridge/bridge.toml
COPY config/policy.toml /etc/bridge/policy.toml
ENV PATH=/opt/bridge/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    BRIDGE_CONFIG=/etc/bridge/bridge.toml \
    BRIDGE_HTTP__HOST=0.0.0.0
# The one place that is written to: the root may be read-only. SQLite's and Python's temporary files go to the working
# directory where /tmp is read-only as well.
WORKDIR /var/lib/bridge
VOLUME /var/lib/bridge
USER 10001:10001
EXPOSE 8080
# `serve` is process 1: it takes SIGTERM and SIGINT by handlers of its own and starts no other process, so that nothing
# is to be reaped. `--init` is for whoever runs other verbs and wants to stop them by SIGTERM.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=10s --start-period=75s --retries=3 CMD ["python3", "-m", "bridge.app.living"]
ENTRYPOINT ["bridge"]
CMD ["serve"]
