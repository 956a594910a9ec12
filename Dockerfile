# An image of initd with Python: the init, its page and initctl, ready to be built upon.
#
#   docker build -t initd .            any of docker, buildah, podman
#   FROM initd                         then your own CMD ["your", "server"]
#
# An image without Python takes the bundle instead: docs/bundle.md.
ARG BASE=python:3.11-slim

FROM ${BASE} AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY initd initd
COPY web web
COPY scripts/initd scripts/initd
COPY docs/man docs/man
COPY docs/completions docs/completions
COPY deploy/container/constraints.txt constraints.txt
# Nothing is compiled at the first start, which may be in a read-only root; nor does a .pyc hold the time it was made.
RUN python3 -m venv /opt/initd \
 && /opt/initd/bin/pip install --no-cache-dir --no-compile --constraint constraints.txt . \
 && rm -rf /opt/initd/lib/python3*/site-packages/pip* /opt/initd/lib/python3*/site-packages/setuptools* /opt/initd/bin/pip* \
 && /opt/initd/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/initd/lib

FROM ${BASE}
LABEL org.opencontainers.image.title="initd" \
      org.opencontainers.image.description="A container's PID 1 that you can ask questions" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/initd /opt/initd
ENV PATH=/opt/initd/bin:$PATH
# Probes and metrics for everybody; the rest for the unix socket and for tokens.
EXPOSE 9911
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s CMD ["/opt/initd/bin/initctl", "check", "live"]
ENTRYPOINT ["/opt/initd/bin/initd", "--"]
CMD ["python3", "-m", "http.server", "8080"]
