# The bundle in an image of its own, for others to copy from. There is nothing else in it.
#
#   make bundle
#   docker build -f deploy/container/bundle.Dockerfile -t initd-bundle dist/bundle
#
# and in the Dockerfile of any image, whatever it is made of:
#
#   COPY --from=initd-bundle /opt/initd /opt/initd
#
# docs/bundle.md says what is in it and how to check that.
FROM scratch
ARG VERSION
LABEL org.opencontainers.image.title="initd-bundle" \
      org.opencontainers.image.description="A container's PID 1 that you can ask questions, for images without Python" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}"
COPY opt/initd /opt/initd
# For `docker run initd-bundle --version`, and to observe other containers' processes; your image says its own.
EXPOSE 9911
ENTRYPOINT ["/opt/initd/bin/initd"]
