# SPDX-License-Identifier: MIT
# Stands in for the public haproxy image: HAProxy 3.0 of Debian 13.
ARG DEBIAN
FROM $DEBIAN
RUN printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d \
    && apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends haproxy \
    && apt-get clean && rm -rf /var/lib/apt/lists/* /etc/haproxy/haproxy.cfg \
    && groupmod --gid 99 haproxy && usermod --uid 99 --home /var/lib/haproxy haproxy \
    && mkdir -p /usr/local/etc/haproxy /var/lib/haproxy \
    && cp -R /etc/haproxy/errors /usr/local/etc/haproxy/errors \
    && ln -s /usr/sbin/haproxy /usr/local/sbin/haproxy && chown haproxy:haproxy /var/lib/haproxy
COPY haproxy-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
STOPSIGNAL SIGUSR1
USER haproxy
WORKDIR /var/lib/haproxy
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
