# SPDX-License-Identifier: MIT
# notes-svc as an image of the program, its libraries and nothing else: no shell, no package manager. From the project's root:
#
#   docker build -f docker/notes-svc.Dockerfile -t notes/notes-svc:local .
#
# On its own, with the embedded database in a volume (the services share a key: API_KEYS there, USER_SERVICE_KEY here,
# each also as a file, NAME_FILE):
#
#   docker run -p 127.0.0.1:3000:3000 -v notes:/var/lib/notes -e USER_SERVICE_URL=http://users:5858 \
#     -e USER_SERVICE_KEY_FILE=/run/key -v ./key:/run/key:ro --network notes notes/notes-svc:local
#
# The stage "build" is the same in both Dockerfiles, word for word, so that it is built once for both.

ARG DEBIAN_IMAGE=debian:trixie-slim

FROM ${DEBIAN_IMAGE} AS build
# Versions are those of the Debian release that DEBIAN_IMAGE names, with its security fixes: what is in that image is
# brought up to date, too, for libraries are taken from it.
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get upgrade -y --no-install-recommends \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates gcc libc6-dev meson ninja-build pkg-config python3 \
        default-libmysqlclient-dev libcjose-dev libcrypt-dev libcurl4-openssl-dev libhiredis-dev libjansson-dev libmd4c-dev \
        libmicrohttpd-dev libseccomp-dev libsodium-dev libsqlite3-dev libssl-dev libwslay-dev nettle-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY LICENSE meson.build meson_options.txt ./
COPY tools tools
COPY sql sql
COPY common common
COPY userauth-svc userauth-svc
COPY notes-svc notes-svc
RUN meson setup /build --buildtype=release -Db_ndebug=true --prefix=/usr \
    && meson compile -C /build \
    && meson install -C /build --no-rebuild --strip --destdir /installed

FROM build AS root
COPY docker/image_root.sh /source/docker/
RUN docker/image_root.sh /root-folder /installed/usr/bin/notes-svc

FROM scratch
# With /var/lib/notes, empty and the user's: a new volume mounted there gets its owner. No VOLUME, for with databases on
# servers nothing is written.
COPY --from=root /root-folder/ /
ENV PATH=/usr/bin \
    LISTEN=0.0.0.0 \
    STATE_DIR=/var/lib/notes
WORKDIR /var/lib/notes
USER 65532:65532
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 CMD ["/usr/bin/notes-svc", "--healthcheck"]
ENTRYPOINT ["/usr/bin/notes-svc"]

ARG VERSION=0.1.0
ARG REVISION=
ARG SOURCE=
LABEL org.opencontainers.image.title="notes-svc" \
      org.opencontainers.image.description="Notes: pages, comments and sign-in over HTTP." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
