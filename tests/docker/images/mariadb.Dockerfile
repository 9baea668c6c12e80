# SPDX-License-Identifier: MIT
# Stands in for the public mariadb image: MariaDB 11.8 of Debian 13, or 10.11 of Debian 12. As in the former public one it
# has no names that begin with mysql.
ARG DEBIAN
FROM $DEBIAN
RUN groupadd --system --gid 999 mysql && useradd --system --uid 999 --gid 999 --home-dir /var/lib/mysql --shell /usr/sbin/nologin mysql \
    && printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d \
    && apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends mariadb-server \
    && apt-get clean && rm -rf /var/lib/apt/lists/* /var/lib/mysql /etc/mysql/debian.cnf \
    && find /usr/bin /usr/sbin -name 'mysql*' -delete \
    && sed -i '/^bind-address/d' /etc/mysql/mariadb.conf.d/50-server.cnf \
    && printf '[mariadbd]\nhost-cache-size=0\nskip-name-resolve\n' >/etc/mysql/mariadb.conf.d/05-names.cnf \
    && mkdir -p /etc/mysql/conf.d /var/lib/mysql /run/mysqld /docker-entrypoint-initdb.d \
    && chown mysql:mysql /var/lib/mysql /run/mysqld && chmod 1777 /var/lib/mysql /run/mysqld
COPY database-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
VOLUME /var/lib/mysql
EXPOSE 3306
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["mariadbd"]
