# An image of initd with Python, to be built upon: the init, its page, initctl. docs/containers.md says how.
#
#   docker build -t initd .            the same with podman and buildah (there with --format docker, for HEALTHCHECK)
#
# An image without Python takes the bundle instead: docs/bundle.md.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
# pip's own, for builds that reach no index or another one: --build-arg PIP_NO_INDEX=1 --build-arg PIP_FIND_LINKS=…
ARG PIP_INDEX_URL
ARG PIP_NO_INDEX
ARG PIP_FIND_LINKS
WORKDIR /src
# Every package to the version and to the byte. First, so that a change of ours does not fetch them again.
COPY deploy/container/requirements.txt deploy/container/build-requirements.txt ./
RUN python3 -m venv /build \
 && /build/bin/pip install --no-cache-dir --no-compile --require-hashes --requirement build-requirements.txt \
 && python3 -m venv --without-pip /opt/initd \
 && /build/bin/pip --python /opt/initd/bin/python3 install --no-cache-dir --no-compile --require-hashes \
    --requirement requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY initd initd
COPY web web
COPY scripts/initd scripts/initd
COPY docs/man docs/man
COPY docs/completions docs/completions
COPY deploy/container/compile.py ./
# The times of all files are one time, so that the same input makes the same image; and a label that lies is refused.
ARG SOURCE_DATE_EPOCH=1580601600
ARG VERSION
RUN /build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /build . \
 && /build/bin/pip --python /opt/initd/bin/python3 install --no-compile --no-deps --no-index /build/initd-*.whl \
 && /opt/initd/bin/python3 -I compile.py /out \
 && made=$(/opt/initd/bin/initd --version) && made=${made#initd } \
 && if [ "${VERSION:-$made}" != "$made" ]; then \
      echo "cannot build: VERSION says $VERSION, and the source is $made; say that, or nothing" >&2; exit 1; fi \
 && rm -f /opt/initd/bin/activate* /opt/initd/bin/Activate.ps1 /opt/initd/bin/uvicorn \
 && mkdir -p /out/opt /out/usr/local/bin \
 && mv /opt/initd /out/opt/ \
 && ln -s /opt/initd/bin/initd /opt/initd/bin/initctl /out/usr/local/bin/ \
 && find /out -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +

FROM ${BASE}
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="initd" \
      org.opencontainers.image.description="A container's PID 1 that you can ask questions" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# One layer. Nothing of it is on the way of your python: /opt/initd/bin is not in PATH, and no variable is set.
COPY --from=build /out/ /
# Probes and metrics for everybody who reaches it; the rest for the unix socket, and for tokens.
EXPOSE 9911
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s CMD ["/opt/initd/bin/initctl", "check", "live"]
ENTRYPOINT ["/opt/initd/bin/initd", "--"]
CMD ["python3"]
